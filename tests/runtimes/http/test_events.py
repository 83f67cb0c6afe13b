"""`/events`, `/session` and `/metrics`: what an operator sees."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reactor_runtime.clients.ratelimit import COMMAND_BURST
from reactor_runtime.errors import CommandError
from reactor_runtime.runtimes.http import events as events_module
from reactor_runtime.session.states import State
from reactor_runtime.testing import LeapingClock, MemoryServer, VirtualClock, serve
from reactor_runtime.worker.journal import FOLLOWERS_LIMIT, Journal

from .models import Failing, Painter
from .waiting import in_one_moment


class Stream:
    """Reads server-sent events from the ASGI application itself: httpx's transport waits for the end."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.text = ""
        self.changed = asyncio.Event()

    @property
    def blocks(self) -> list[dict[str, str]]:
        whole = self.text.split("\n\n")[:-1]
        lines = [block.splitlines() for block in whole]
        return [dict(line.split(": ", 1) for line in block if not line.startswith(":")) for block in lines]

    @property
    def events(self) -> list[tuple[int | None, dict[str, Any]]]:
        """Number and data of each event."""
        return [
            (int(block["id"]) if "id" in block else None, json.loads(block["data"]))
            for block in self.blocks
            if "data" in block
        ]

    @property
    def numbered(self) -> list[tuple[int, dict[str, Any]]]:
        return [(number, data) for number, data in self.events if number is not None]

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            self.text += message.get("body", b"").decode()
        self.changed.set()

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def has(self, kind: str, count: int = 1) -> dict[str, Any]:
        await self.until(lambda: sum(data["type"] == kind for _, data in self.events) >= count)
        return [data for _, data in self.events if data["type"] == kind][-1]


@asynccontextmanager
async def stream(server: MemoryServer, query: str = "", last: str | None = None) -> AsyncIterator[Stream]:
    result, leave = Stream(), asyncio.Event()
    asked = False

    async def receive() -> Any:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await leave.wait()
        return {"type": "http.disconnect"}

    headers = [(b"host", b"localhost"), *([(b"last-event-id", last.encode())] if last is not None else [])]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/events",
        "raw_path": b"/events",
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
    }
    task = asyncio.ensure_future(server.http._transport.app(scope, receive, result.send))  # type: ignore[attr-defined] # the ASGI transport
    try:
        await result.until(lambda: result.text or task.done())
        yield result
    finally:
        leave.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_session_is_told_in_order() -> None:
    async with serve(Painter) as server, stream(server, "since=0") as events:
        client = await server.join()
        await client.command("set_level", level=3)
        with pytest.raises(CommandError):
            await client.command("crash")
        # The journal forgets who did what at the session's end.
        await events.until(lambda: sum(data["type"] == "command" for _, data in events.numbered) == 2)
        client.leave()
        await server.wait_state(State.ORPHANED)
        await client.stop()
        await events.has("session_ended")
        await events.until(lambda: events.numbered[-1][1].get("to") == "READY")

        assert events.headers[b"content-type"].startswith(b"text/event-stream")
        assert [number for number, _ in events.numbered] == list(range(1, len(events.numbered) + 1))
        kinds = [data["type"] for _, data in events.numbered]
        assert kinds == [
            "transition",
            "transition",
            "connected",
            "transition",
            "command",
            "command",
            "disconnected",
            "transition",
            "transition",
            "session_ended",
            "transition",
        ]
        states = [(d["from"], d["to"]) for _, d in events.numbered if d["type"] == "transition"]
        assert states[:3] == [("CREATED", "READY"), ("READY", "WAITING"), ("WAITING", "STREAMING")]
        commands = [(d["command"], d["outcome"]) for _, d in events.numbered if d["type"] == "command"]
        assert commands == [("set_level", "ok"), ("crash", "internal_error")]
        assert "a secret" not in events.text


async def test_a_crash_is_an_event_without_its_text() -> None:
    async with serve(Failing) as server, stream(server) as events:
        await server.join()
        await events.has("session_ended")

        assert (await events.has("error"))["where"] == "start_session"
        assert "a secret" not in events.text


async def test_resume_by_header_and_by_query() -> None:
    async with serve(Painter) as server:
        await (await server.join()).stop()
        last = server.worker.journal.last
        for query, header in (("since=2", None), ("", "2"), ("since=4", "2")):
            async with stream(server, query, header) as events:
                await events.until(lambda events=events: len(events.numbered) >= last - 2)
                assert [number for number, _ in events.numbered] == list(range(3, last + 1))


async def test_without_a_place_to_resume_the_stream_begins_now() -> None:
    async with serve(Painter) as server:
        last = server.worker.journal.last
        async with stream(server) as events:
            assert events.events[0] == (
                None,
                {
                    "type": "hello",
                    "oldest": 1,
                    "last": last,
                    "started_at": server.worker.standing.started_at,
                },
            )
            await server.join()
            await events.has("transition")
            assert events.numbered[0][0] == last + 1


@pytest.mark.parametrize("header", ["x", "", "-1", "²", "9" * 30])
async def test_a_last_event_id_that_is_none_of_ours(header: str) -> None:
    async with serve(Painter) as server, stream(server, last=header) as events:
        assert events.status == 200
        await server.join()
        await events.has("transition")


async def test_a_number_from_before_a_restart_misses_nothing() -> None:
    async with serve(Painter) as server, stream(server, last="100000") as events:
        await events.has("transition")
        assert events.numbered[0][0] == 1


async def test_what_is_gone_is_told_as_a_gap() -> None:
    journal = Journal(VirtualClock(), history=3)
    for index in range(10):
        journal.add("tick", index=index)
    written = events_module._stream(journal, {}, 2)
    text = [await anext(written) for _ in range(2)]
    await written.aclose()  # type: ignore[attr-defined] # it is a generator

    assert 'event: gap\ndata: {"type":"gap","from":3,"to":7}\n\nid: 8\n' in text[1]
    assert re.findall("id: (.*)", text[1]) == ["8", "9", "10"]


async def test_heartbeat() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server, stream(server) as events:
        await events.until(lambda: "hello" in events.text)
        for heard in range(3):
            assert events.text.count(": heartbeat\n\n") == heard
            clock.advance(events_module.HEARTBEAT_S)
            await events.until(lambda heard=heard: events.text.count(": heartbeat\n\n") == heard + 1)


async def test_streams_limit() -> None:
    async with serve(Painter) as server:
        server.worker.journal.followers = FOLLOWERS_LIMIT
        response = await server.http.get("/events")

        assert (response.status_code, response.json()["code"]) == (503, "too_many_streams")


async def test_a_reader_that_leaves_is_forgotten() -> None:
    async with serve(Painter) as server:
        async with stream(server):
            assert server.worker.journal.followers == 1
        assert server.worker.journal.followers == 0


async def test_open_streams_end_when_the_server_leaves_and_hear_the_last_event() -> None:
    async with serve(Painter) as server, stream(server) as events:
        client = await server.join()
        server.worker.leave()
        await client.wait_end()
        await server.wait_state(State.TERMINATED)
        server.worker.close_streams()
        await events.until(lambda: server.worker.journal.followers == 0)

        assert events.numbered[-1][1]["to"] == "TERMINATED"


# --- /session ---


async def test_session_reconciles() -> None:
    async with serve(Painter) as server, stream(server, "since=0") as events:
        client = await server.join()
        await client.wait_frames(5)
        told = (await server.http.get("/session")).json()
        start = await events.has("connected")

        assert (told["state"], told["number"]) == ("STREAMING", start["session"])
        assert told["frames"] >= len(client.frames())
        assert told["clients"][0]["role"] == start["role"]
        assert told["capabilities"] == server.worker.model.capabilities


# --- /metrics ---


async def samples(server: MemoryServer) -> dict[tuple[str, tuple[str, ...]], float]:
    response = await server.http.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_commands_are_counted_by_name_and_outcome() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        for name in ("set_level", "crash", "refuse", *(f"made_up_{i}" for i in range(50))):
            request = client.post(name, **({"level": 1} if name == "set_level" else {}))
            await client.until(lambda request=request: client.outcome(request) is not None)
        found = await samples(server)

        total = "reactor_commands_total"
        assert found[total, ("ok", "set_level")] == 1
        assert found[total, ("crash", "internal_error")] == 1
        assert found[total, ("refuse", "refused")] == 1
        assert found[total, ("unknown", "unknown_command")] == 50
        assert len([key for key in found if key[0] == total]) == 4


async def test_limited_commands_are_counted_and_push_nothing_out_of_the_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_one_moment(monkeypatch)
    async with serve(Painter) as server:
        client = await server.join()
        before = server.worker.journal.last
        requests = [client.post("made_up") for _ in range(COMMAND_BURST * 3)]
        await client.until(lambda: len(client.runtime_messages("commandError")) == len(requests), within=20)
        found = await samples(server)

        limited = found["reactor_commands_total", ("rate_limited", "unknown")]
        assert limited > COMMAND_BURST
        assert server.worker.journal.last - before == len(requests) - limited


async def test_frames_are_counted_to_the_last_and_sessions_by_reason() -> None:
    async with serve(Painter) as server:
        emitted = 0
        for _ in range(2):
            client = await server.join()
            await client.wait_frames(3)
            await samples(server)
            await client.stop()
            emitted += client.frames()[-1].index + 1
        found = await samples(server)

        assert found["reactor_frames_emitted_total", ()] >= emitted
        assert found["reactor_sessions_total", ("stopped",)] == 2
        assert found["reactor_session_duration_seconds_count", ()] == 2
        assert found["reactor_session_state", ("READY",)] == 1
        assert found["reactor_clients", ()] == 0


async def test_labels_are_bounded() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        for index in range(100):
            client.send({"scope": "application", "data": {"type": f"x{index}", "data": {}, "id": index}})
            client.send({"scope": "runtime", "data": {"type": f"y{index}", "data": {}}})
        await client.until(lambda: client.outcome(99) is not None)  # type: ignore[arg-type] # numbers are ids too
        before = len(await samples(server))
        await client.stop()
        await (await server.join()).stop()

        assert len(await samples(server)) - before <= 20
