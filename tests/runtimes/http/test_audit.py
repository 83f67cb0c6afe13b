"""What the leak audit found, where people who run a server look; and what a strict one does about it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from reactor_runtime import VideoModel, command, get_ctx, model
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.session.states import State
from reactor_runtime.testing import MemoryServer, serve
from reactor_runtime.worker.leases import Leases

SECRET = "a red car on the moon"


@model("forgetful")
class Forgetful(VideoModel):
    built = 0
    breaks_at = 0

    def __init__(self, config: Any) -> None:
        type(self).built += 1
        if self.built == self.breaks_at:
            raise OSError("no more memory")
        self._prompt = "calm"

    @command("set_prompt")
    def set_prompt(self, prompt: str) -> str:
        before, self._prompt = self._prompt, prompt
        return before

    def start_session(self) -> None:
        while not get_ctx().wait_stop(0.5):
            pass


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Forgetful, "built", 0)
    monkeypatch.setattr(Forgetful, "breaks_at", 0)


async def visit(server: MemoryServer, prompt: str = SECRET) -> str:
    """One user; returns the prompt that was there."""
    await server.wait_state(State.READY)
    client = await server.join()
    before = await client.command("set_prompt", prompt=prompt)
    await client.stop()
    return str(before)


async def test_a_leak_is_told_in_the_log_the_session_the_events_and_the_metrics(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serve(Forgetful) as server:
        assert (await server.http.get("/session")).json()["audit"] == {
            "mode": "warn",
            "leaks": 0,
            "last": None,
        }
        with caplog.at_level(logging.WARNING):
            await visit(server)
            await server.wait_state(State.READY)
        text = (await server.http.get("/session")).text
        session = (await server.http.get("/session")).json()
        events = [event for event in server.worker.journal.since(0) if event.kind == "leak"]
        metrics = (await server.http.get("/metrics")).text
    leaks = session["audit"]["last"]["leaks"]
    assert [leak["path"] for leak in leaks] == ["self._prompt"]
    assert leaks[0]["where"].startswith("test_audit.py:")
    assert [event.data["path"] for event in events] == ["self._prompt"]
    assert "reactor_leaks_total 1.0" in metrics
    assert f"leak: self._prompt was 'calm' before the first session and is '{SECRET}' now" in caplog.text
    assert SECRET not in text
    assert SECRET not in str(events)


async def test_warn_serves_the_next_user_all_the_same() -> None:
    async with serve(Forgetful) as server:
        await visit(server)
        assert await visit(server) == SECRET
    assert Forgetful.built == 1


async def test_strict_builds_the_model_again_before_the_next_user() -> None:
    async with serve(Forgetful, options=HttpOptions(audit="strict")) as server:
        await visit(server)
        assert await visit(server) == "calm"
        await server.wait_state(State.READY)
        assert Forgetful.built == 3
        assert (await server.http.get("/session")).json()["audit"]["leaks"] == 2


async def test_the_slot_of_a_fleet_is_free_when_the_audit_has_looked() -> None:
    """A strict one builds the model again: its next user is not to be sent before that."""
    async with serve(Forgetful, options=HttpOptions(audit="strict")) as server:
        leases = Leases(server.worker)
        reports = leases.reports()
        for ticket, epoch in (("ann", 1), ("bob", 2)):
            await leases.grant(epoch, ticket, "here", 0.0)
            client = server.client()
            await client.connect()
            assert await client.command("set_prompt", prompt=SECRET) == "calm"
            leases.revoke(epoch, "kicked")
            while (await anext(reports))["type"] != "freed":
                pass
            report = server.worker.executor.audit.last
            assert report is not None
            assert [finding.path for finding in report.findings] == ["self._prompt"]
            assert Forgetful.built == epoch + 1
        await reports.aclose()


async def test_a_model_that_cannot_be_built_again_serves_nobody() -> None:
    async with serve(Forgetful, options=HttpOptions(audit="strict")) as server:
        Forgetful.breaks_at = 2
        await visit(server)
        await server.wait_state(State.TERMINATED)
        assert server.status == 1
        assert (await server.http.post("/start_session", json={})).status_code == 503
        assert (await server.http.get("/health")).json()["code"] == "model_load_failed"


async def test_off_looks_at_nothing() -> None:
    async with serve(Forgetful, options=HttpOptions(audit="off")) as server:
        await visit(server)
        assert (await server.http.get("/session")).json()["audit"] == {
            "mode": "off",
            "leaks": 0,
            "last": None,
        }
