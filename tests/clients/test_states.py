"""Calls of states: the newest is never lost to the limit, nor does it stay when its client goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal, cast

import pytest
from tests.clients.people import person

from reactor_runtime import VideoModel, VideoOut, command, model
from reactor_runtime.authoring.description import describe
from reactor_runtime.clients.connection import Connection
from reactor_runtime.clients.late import LATE_S
from reactor_runtime.clients.owner import DispatchOwner
from reactor_runtime.clients.ratelimit import COMMAND_BURST, TokenBucket
from reactor_runtime.clients.states import States
from reactor_runtime.errors import InvalidCommandError, NoSessionError
from reactor_runtime.executors.port import Answer, CommandOutcome
from reactor_runtime.protocol.messages import CommandMessage
from reactor_runtime.testing import VirtualClock


@model(name="walker")
class Walker(VideoModel):
    video = VideoOut()

    @command("walk", coalesce=True)
    def walk(self, forward: bool = False) -> None: ...

    @command("turn", coalesce=True)
    def turn(self, way: Literal["left", "none", "right"] = "none") -> None: ...

    @command("jump")
    def jump(self) -> None: ...


class Owner:
    """What `States` needs of the worker; commands wait until a test answers them."""

    def __init__(self) -> None:
        self.model = describe(Walker)
        self.commands: list[tuple[str, Any, Answer]] = []
        self.counted: list[tuple[str, str]] = []
        self.over = False

    def command(self, session: Any, name: str, arguments: Any, answer: Answer) -> None:
        if self.over:
            raise NoSessionError("The session is over.")
        self.commands.append((name, arguments, answer))

    def call(self, function: Callable[..., None], *args: object) -> None:
        function(*args)

    def count_command(self, name: str, code: str) -> None:
        self.counted.append((name, code))


class Rig:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.owner = Owner()
        self.ran: list[tuple[Connection, str, Any]] = []
        self.superseded: list[Any] = []
        self.states = States(
            cast("DispatchOwner", self.owner),
            lambda connection, message: self.ran.append((connection, message.name, message.arguments)),
            lambda connection, message: self.superseded.append(message.arguments),
        )

    def client(self, *, tokens: int = 0) -> Connection:
        """One that may send so many more messages now."""
        connection = person(clock=self.clock)
        for _ in range(COMMAND_BURST - tokens):
            assert connection.commands.limit.take(self.clock.time())
        return connection

    async def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await asyncio.sleep(0)


def call(name: str, value: Any = None) -> CommandMessage:
    return CommandMessage(name, value)


def test_states_are_what_the_author_declares() -> None:
    states = Rig().states
    assert [states.is_state(name) for name in ("walk", "turn", "jump", "fly")] == [True, True, False, False]


async def test_the_newest_call_that_was_too_fast_runs_as_soon_as_there_is_room() -> None:
    rig = Rig()
    client = rig.client()
    for value in (1, 2, 3):
        rig.states.delay(client, call("walk", value))
    assert rig.superseded == [1, 2]
    await rig.passes(LATE_S - 0.001)
    assert rig.ran == []
    await rig.passes(0.001)
    assert rig.ran == [(client, "walk", 3)]
    await rig.passes(10 * LATE_S)
    assert len(rig.ran) == 1


async def test_it_is_tried_again_until_there_is_room() -> None:
    rig = Rig()
    client = rig.client()
    rig.states.delay(client, call("walk", 1))
    for _ in range(3):
        # A client that sends on and on: what becomes free is taken at once.
        for _ in range(10):
            rig.clock.advance(LATE_S / 10)
            while client.commands.limit.take(rig.clock.time()):
                pass
        await asyncio.sleep(0)
        assert rig.ran == []
    await rig.passes(LATE_S)
    assert rig.ran == [(client, "walk", 1)]


async def test_of_several_states_as_many_run_as_there_is_room_for() -> None:
    rig = Rig()
    client = rig.client()
    client.commands.limit = TokenBucket(rate=1 / LATE_S, burst=1)
    assert client.commands.limit.take(rig.clock.time())
    rig.states.delay(client, call("walk", 1))
    rig.states.delay(client, call("turn", 2))
    await rig.passes(LATE_S)
    assert [name for _, name, _ in rig.ran] == ["walk"]
    await rig.passes(LATE_S)
    assert [name for _, name, _ in rig.ran] == ["walk", "turn"]


async def test_a_call_in_time_overtakes_what_waits() -> None:
    rig = Rig()
    client = rig.client()
    rig.states.delay(client, call("walk", "old"))
    rig.states.delay(client, call("turn", "left"))
    rig.states.overtaken(client, "walk")
    rig.states.overtaken(client, "walk")
    assert rig.superseded == ["old"]
    await rig.passes(LATE_S)
    assert rig.ran == [(client, "turn", "left")]


async def test_who_has_gone_runs_nothing_any_more() -> None:
    rig = Rig()
    client = rig.client()
    rig.states.delay(client, call("walk", 1))
    client.presence.closed = True
    await rig.passes(10 * LATE_S)
    assert rig.ran == []


async def test_each_client_waits_for_itself() -> None:
    rig = Rig()
    first, second = rig.client(), rig.client()
    rig.states.delay(first, call("walk", 1))
    rig.states.delay(second, call("walk", 2))
    assert rig.superseded == []
    await rig.passes(LATE_S)
    assert rig.ran == [(first, "walk", 1), (second, "walk", 2)]


def test_what_a_client_held_is_released_and_counted() -> None:
    rig = Rig()
    client, other = rig.client(), rig.client()
    rig.states.holds.note(client, "walk", {"forward": True})
    rig.states.let_go(other)
    assert rig.owner.commands == []
    rig.states.let_go(client)
    [(name, arguments, answer)] = rig.owner.commands
    assert (name, arguments) == ("walk", {"forward": False})
    assert rig.owner.counted == []
    answer(CommandOutcome(0))
    assert rig.owner.counted == [("walk", "released")]
    rig.states.let_go(client)
    assert len(rig.owner.commands) == 1


def test_a_release_that_is_refused_is_tried_with_what_was_accepted() -> None:
    rig = Rig()
    client = rig.client()
    rig.states.holds.note(client, "turn", {"way": "left"})
    rig.states.holds.accept(client, "turn", {"way": "left"})
    rig.states.holds.note(client, "turn", {"way": "right"})
    rig.states.let_go(client)
    refused = CommandOutcome(0, error=InvalidCommandError("No."))
    rig.owner.commands[0][2](refused)
    assert [(name, arguments) for name, arguments, _ in rig.owner.commands] == [
        ("turn", {"way": "none"}), ("turn", {"way": "none"}),
    ]  # fmt: skip
    assert rig.owner.counted == []
    rig.owner.commands[1][2](refused)  # there is nothing else to try
    assert len(rig.owner.commands) == 2
    assert rig.owner.counted == [("turn", "released")]


@pytest.mark.parametrize("held", ["walk", "turn"])
def test_after_the_session_nothing_is_released(held: str) -> None:
    rig = Rig()
    client = rig.client()
    rig.states.holds.note(client, held, {"forward": True} if held == "walk" else {"way": "left"})
    rig.owner.over = True
    rig.states.let_go(client)
    assert rig.owner.counted == []
