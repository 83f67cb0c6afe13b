"""Who leaves says so; what fails has a reference; a model that does not return is told."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from reactor_runtime import VideoIn, VideoModel, VideoOut, get_ctx, model
from reactor_runtime.session.life import FAREWELL_S
from reactor_runtime.session.states import State
from reactor_runtime.testing import Client, LeapingClock, MemoryServer, serve

from .models import Deaf, Failing, Painter
from .waiting import until

BASE = "/sessions/local/transport/webrtc/connections"


async def connected(
    server: MemoryServer, connection: int | None = None, sdk: str = "js"
) -> tuple[int, Client]:
    """A client on an announced connection; `connection` comes back."""
    client = server.client()
    number = connection or int((await server.http.post(BASE)).json()["connection_id"])
    method = "POST" if connection is None else "PUT"
    path = f"{BASE}/{number}/sdp_params"
    offer = {**await client.offer(), "client_info": {"sdk_type": sdk}}
    response = await server.http.request(method, path, json=offer)
    assert response.status_code == 202, response.text
    client.wire.connect((await server.http.get(path)).json()["sdp_answer"])
    await client.wait_frames(1)
    return number, client


async def leave(server: MemoryServer, connection: int) -> None:
    response = await server.http.post(f"{BASE}/{connection}/farewell")
    assert response.status_code == 202, response.text


async def free_in(server: MemoryServer) -> float | None:
    found: float | None = (await server.http.get("/session")).json()["free_in"]
    return found


async def all_told(server: MemoryServer) -> None:
    """Return when what was spawned for clients that went has ended; the watch of the worker goes on."""
    await until(lambda: len(server.worker._background._tasks) <= 1)


async def test_a_goodbye_shortens_the_grace_and_an_offer_cancels_that() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        mine, _ = await connected(server)
        assert await free_in(server) is None
        await leave(server, mine)
        left = await free_in(server)
        assert left is not None
        assert left <= FAREWELL_S
        _, again = await connected(server, mine)
        assert server.worker.life.state is State.STREAMING
        again.leave()
        await server.wait_state(State.ORPHANED)
        left = await free_in(server)
        assert left is not None
        assert left > FAREWELL_S  # lost, not left: the whole grace


@pytest.mark.parametrize(
    ("mine", "theirs", "longer"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),  # a host changes its address within its network
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
async def test_the_seconds_after_a_goodbye_begin_anew_with_the_page(
    mine: str, theirs: str, longer: bool
) -> None:
    """Its scripts are still to come: over a slow network that took longer than the grace."""
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        server.http.headers["x-forwarded-for"] = mine
        await server.http.post("/start_session")
        connection, _ = await connected(server)
        await leave(server, connection)
        clock.advance(FAREWELL_S - 1)
        assert (await server.http.get("/", headers={"x-forwarded-for": theirs})).status_code == 200
        left = await free_in(server)
        assert left is not None
        assert (left > 1) == longer


async def test_who_said_goodbye_frees_the_model() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        mine, _ = await connected(server)
        await leave(server, mine)
        await server.wait_state(State.READY)
        last = (await server.http.get("/session")).json()["last_end"]
        assert (last["reason"], last["message"]) == ("timed_out", "The client has left.")


@pytest.mark.parametrize(("sdk", "shortens"), [("page", True), ("js", False)])
async def test_a_page_that_ends_its_connection_has_left_and_an_sdk_may_come_back(
    sdk: str, shortens: bool
) -> None:
    """Firefox ends one closed page in three before it has sent its goodbye."""
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        mine, client = await connected(server, sdk=sdk)
        client.leave()
        await server.wait_state(State.ORPHANED)
        await until(lambda: not server.worker.clients.connections)
        await all_told(server)
        left = await free_in(server)
        assert left is not None
        assert (left <= FAREWELL_S) == shortens
        _, again = await connected(server, mine, sdk)
        assert server.worker.life.state is State.STREAMING
        again.wire.lose_network()
        await server.wait_state(State.ORPHANED)
        left = await free_in(server)
        assert left is not None
        assert left > FAREWELL_S  # whoever has no network has not left


async def test_a_page_that_is_loaded_again_keeps_its_place_whichever_is_heard_first() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        mine, before = await connected(server, sdk="page")
        _, after = await connected(server, mine, "page")
        before.leave()
        await after.command("runs")
        assert server.worker.life.state is State.STREAMING
        after.leave()
        await server.wait_state(State.ORPHANED)


async def test_who_controlled_once_shortens_nothing_for_who_controls_now() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        mine, _ = await connected(server, sdk="page")
        _, other = await connected(server)
        await leave(server, mine)
        other.wire.send(json.dumps({"scope": "runtime", "data": {"type": "takeControl", "data": {}}}))
        await until(lambda: server.worker.roles.controller)
        _, again = await connected(server, mine, "page")
        other.wire.lose_network()
        again.leave()
        await server.wait_state(State.ORPHANED)
        await until(lambda: len(server.worker.clients.connections) == 1)
        await all_told(server)
        left = await free_in(server)
        assert left is not None
        assert left > FAREWELL_S


async def test_a_viewer_that_leaves_shortens_nothing() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        _, first = await connected(server)
        viewer, _ = await connected(server)
        first.leave()
        await leave(server, viewer)
        await server.wait_state(State.ORPHANED)
        left = await free_in(server)
        assert left is not None
        assert left > FAREWELL_S


async def test_a_stranger_says_goodbye_for_nobody() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        await connected(server)
        response = await server.http.post(f"{BASE}/2147483649/farewell")
        assert response.status_code == 404
        assert server.worker.life.state is State.STREAMING


async def test_a_reference_leads_to_the_cause_on_this_machine_only(caplog: pytest.LogCaptureFixture) -> None:
    async with serve(Failing) as server:
        client = await server.join()
        end = await client.wait_end()
        assert "secret" not in str(end)
        reference = re.search(r"reference ([0-9a-f]{8})", end["message"])
        assert reference is not None
        assert f"(reference {reference[1]})" in caplog.text
        cause = server.worker.executor.causes.find(reference[1])
        assert cause is not None
        assert (cause.hook, cause.error) == ("start_session", "RuntimeError: a secret")
        assert cause.line.endswith('raise RuntimeError("a secret")')
        passed_on = {"X-Forwarded-For": "192.0.2.7"}
        elsewhere = await server.http.get(f"/errors/{reference[1]}", headers=passed_on)
        assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "not_local")
        assert "secret" not in elsewhere.text


@model("blind")
class Blind(VideoModel):
    main_video = VideoOut()
    webcam = VideoIn()

    def on_media(self, bundle: Any) -> None:
        raise ValueError("a secret")

    def reset(self) -> None:
        raise LookupError("another secret")

    def start_session(self) -> None:
        get_ctx().wait_stop(10)


async def test_everybody_hears_that_reset_failed() -> None:
    async with serve(Blind) as server:
        client = await server.join()
        await client.stop()
        [told] = client.runtime_messages("modelError")
        assert told["hook"] == "reset"
        assert "secret" not in str(told)
        cause = server.worker.executor.causes.find(told["reference"])
        assert cause is not None
        assert cause.error == "LookupError: another secret"
        # Who ends a session has most often gone by then, and may ask.
        assert (await server.http.get("/session")).json()["reset_failed"] == told["message"]


async def test_health_says_for_how_long_a_model_has_not_returned() -> None:
    Deaf.release.clear()
    async with serve(Deaf) as server:
        try:
            client = await server.join()
            stopping = asyncio.ensure_future(server.http.post("/stop_session"))
            await server.wait_state(State.CLOSING)
            health = (await server.http.get("/health")).json()
            assert health["code"] == "session_closing"
            assert health["closing_for"] >= 0
            assert 0 < health["ends_in"] <= 60
            assert "has been in its last step" in health["detail"]
        finally:
            Deaf.release.set()
        await stopping
        await server.wait_state(State.READY)
        assert client.wire.closed
