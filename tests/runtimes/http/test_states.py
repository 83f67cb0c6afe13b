"""States end to end: answers on every wire, floods, and what a client held when it goes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Literal

import pytest
from tests.hostile.test_messages import binary_client

from reactor_runtime import VideoModel, command, get_ctx, model
from reactor_runtime.clients.ratelimit import COMMAND_BURST
from reactor_runtime.protocol import reactor_wire
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.session.states import State
from reactor_runtime.testing import Client, LeapingClock, MemoryServer, serve

from .waiting import in_one_moment

WITHIN = 5.0


@model("walker", keep=["seen", "go_on"])
class Walker(VideoModel):
    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.go_on = threading.Event()

    def start_session(self) -> None:
        while not get_ctx().wait_stop(0.05):
            pass

    @command("block")
    def block(self) -> None:
        self.go_on.wait(WITHIN)

    @command("move", coalesce=True)
    def move(self, way: Literal["forward", "none"], speed: int = 1) -> None:
        self.seen.append((way, speed))

    @command("level", coalesce=True)
    def level(self, value: int) -> None:
        self.seen.append(value)

    @command("press")
    def press(self, way: Literal["forward", "none"]) -> None:
        self.seen.append(way)


def walker(server: MemoryServer) -> Walker:
    found: Any = server.worker.executor
    assert isinstance(found._model, Walker)
    return found._model


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while not condition():  # noqa: ASYNC110 - the model's threads say nothing
            await asyncio.sleep(0.005)


def counted(server: MemoryServer, name: str, outcome: str) -> float:
    labels = {"command": name, "outcome": outcome}
    return server.worker.metrics.registry.get_sample_value("reactor_commands_total", labels) or 0


async def test_what_is_superseded_is_a_success_and_counted() -> None:
    async with serve(Walker) as server:
        client = await server.join()
        client.post("block")
        calls = [client.post("level", value=value) for value in range(5)]
        await client.until(lambda: client.outcome(calls[3]) is not None)
        assert client.outcome(calls[0]) == {
            "id": calls[0],
            "command": "level",
            "ok": True,
            "superseded": True,
            "frame": 0,
        }
        walker(server).go_on.set()
        await client.until(lambda: client.outcome(calls[4]) is not None)
        assert "superseded" not in (client.outcome(calls[4]) or {})
        assert walker(server).seen == [4]
        assert counted(server, "level", "superseded") == 4


async def test_without_an_id_nothing_is_said_of_it() -> None:
    async with serve(Walker) as server:
        client = await server.join()
        client.post("block")
        for value in range(5):
            client.send({"scope": "application", "data": {"type": "level", "data": {"value": value}}})
        walker(server).go_on.set()
        last = client.post("press", way="none")
        await client.until(lambda: client.outcome(last) is not None)
        assert client.said == []
        assert client.runtime_messages("commandError") == []
        assert walker(server).seen == [4, "none"]


async def test_on_the_binary_wire_it_is_a_bare_acknowledgement() -> None:
    def request(name: str, number: int, **data: Any) -> bytes:
        message = reactor_wire.new("DataClientMessage")
        message.request_id, message.kind, message.command.type = f"r{number}", reactor_wire.REQUEST, name
        message.command.data.update(data)
        return bytes(message.SerializeToString())

    async with serve(Walker) as server:
        client = await binary_client(server)
        client.wire.send(request("block", 0))
        client.wire.send(request("level", 1, value=1))
        client.wire.send(request("level", 2, value=2))
        await client.until(lambda: len(client.wire.messages) >= 1)
        answer = reactor_wire.new("DataServerMessage")
        answer.ParseFromString(client.wire.messages[0][1])
        assert (answer.request_id, answer.WhichOneof("payload")) == ("r1", None)
        walker(server).go_on.set()


async def test_the_schema_and_the_capabilities_say_which_commands_are_states() -> None:
    async with serve(Walker) as server:
        paths = (await server.http.get("/schema")).json()["paths"]
        states = {path for path, item in paths.items() if item["post"].get("x-reactor-coalesce")}
        assert states == {"/events/move", "/events/level"}
        commands = (await server.http.get("/session")).json()["capabilities"]["commands"]
        assert [c["name"] for c in commands if c.get("coalesce")] == ["move", "level"]


async def test_a_release_is_not_lost_in_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the rate, the newest call of a state waits; the rest is answered, and events are refused."""
    passes = in_one_moment(monkeypatch)
    async with serve(Walker) as server:
        client = await server.join()
        flood = 3 * COMMAND_BURST
        for number in range(flood):
            client.post("move", way="forward", speed=number)
        release = client.post("move", way="none")
        event = client.post("press", way="forward")
        await client.until(lambda: client.outcome(event) is not None)
        assert client.outcome(release) is None
        passes(1.0)
        await client.until(lambda: client.outcome(release) is not None)
        assert walker(server).seen[-1] == ("none", 1)
        assert (client.outcome(release) or {}).get("ok") is True
        assert (client.outcome(event) or {})["code"] == "rate_limited"
        await client.until(lambda: len(client.runtime_messages("commandResult")) == flood + 1)
        assert counted(server, "move", "superseded") + counted(server, "move", "ok") == flood + 1


async def leave(client: Client, server: MemoryServer) -> None:
    client.leave()


async def be_silent(client: Client, server: MemoryServer) -> None:
    for connection in server.worker.clients.connections.values():
        connection._set_live(False)


async def lose_control(client: Client, server: MemoryServer) -> None:
    other = server.client()
    await other.connect()
    other.send({"scope": "runtime", "data": {"type": "takeControl", "data": {}}})


async def come_again(client: Client, server: MemoryServer) -> None:
    client.leave()
    await server.client().connect("PUT")


@pytest.mark.parametrize("go", [leave, be_silent, lose_control, come_again])
async def test_what_a_client_holds_is_released_when_it_goes(
    go: Callable[[Client, MemoryServer], Any],
) -> None:
    async with serve(Walker) as server:
        client = await server.join()
        await client.command("move", way="forward", speed=3)
        await client.command("level", value=7)
        await client.command("press", way="forward")
        await go(client, server)
        seen = walker(server).seen
        await until(lambda: len(seen) == 4)
        # The neutral value, and what has none stays; neither a slider nor an event is touched.
        assert seen == [("forward", 3), 7, "forward", ("none", 3)]
        await until(lambda: counted(server, "move", "released") == 1)


async def test_a_call_that_was_refused_does_not_keep_the_key_down() -> None:
    async with serve(Walker) as server:
        client = await server.join()
        await client.command("move", way="forward", speed=3)
        wrong = client.post("move", way="forward", speed="fast")
        await client.until(lambda: client.outcome(wrong) is not None)
        client.leave()
        seen = walker(server).seen
        await until(lambda: len(seen) == 2)
        assert seen[-1] == ("none", 3)


async def test_what_is_released_already_is_not_released_again() -> None:
    clock, options = LeapingClock(), HttpOptions(orphan_timeout=300)
    async with serve(Walker, options=options, clock=clock) as server:
        client = await server.join()
        await client.command("move", way="forward")
        await client.command("move", way="none")
        client.leave()
        await server.wait_state(State.ORPHANED)
        clock.advance(300)
        await server.wait_state(State.READY)
        assert walker(server).seen == [("forward", 1), ("none", 1)]


async def test_with_shared_control_the_newest_holder_counts() -> None:
    async with serve(Walker, options=HttpOptions(shared_control=True)) as server:
        client = await server.join()
        other = server.client()
        await other.connect()
        await client.command("move", way="forward")
        await other.command("move", way="forward", speed=2)
        client.leave()
        await other.command("press", way="none")
        other.leave()
        seen = walker(server).seen
        await until(lambda: len(seen) == 4)
        assert seen[2:] == ["none", ("none", 2)]
