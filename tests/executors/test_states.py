"""`@command(coalesce=True)`: of the calls that wait, the newest alone runs; events keep their order."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Literal

import pytest

from reactor_runtime import CommandError, command, model
from reactor_runtime.executors.port import CommandOutcome
from reactor_runtime.executors.thread.waiting import PENDING_LIMIT, Call, WaitingCalls
from reactor_runtime.session.session import Session

from .rig import WITHIN, Rig, rig
from .test_thread import Idle


@model("game")
class Game(Idle):
    """Writes down what reaches it; `block` holds the command thread."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.blocked = threading.Event()
        self.go_on = threading.Event()

    @command("block")
    def block(self) -> None:
        self.blocked.set()
        self.go_on.wait(WITHIN)

    @command("move", coalesce=True)
    def move(self, way: Literal["none", "up", "down"]) -> None:
        self.seen.append(f"move {way}")

    @command("look", coalesce=True)
    def look(self, x: float) -> None:
        if x > 1:
            raise CommandError("too_far", "No.")
        self.seen.append(f"look {x:g}")

    @command("jump")
    def jump(self, number: int) -> None:
        self.seen.append(f"jump {number}")


def held_back(made: Rig) -> tuple[Session, Game]:
    """A session whose command thread is busy."""
    session = made.begin()
    made.run(session)
    game = made.host._model
    assert isinstance(game, Game)
    made.command(session, "block")
    assert game.blocked.wait(WITHIN)
    return session, game


def told(future: Future[CommandOutcome]) -> str:
    outcome = future.result(WITHIN)
    if outcome.error is not None:
        return outcome.error.code
    return "superseded" if outcome.superseded else "ok"


def test_what_waits_is_replaced_and_told_so_at_once_while_events_keep_their_order() -> None:
    with rig(Game) as made:
        session, game = held_back(made)
        ways = ["up", "down"] * 20
        calls: list[Future[CommandOutcome]] = []
        jumps: list[Future[CommandOutcome]] = []
        for number, way in enumerate(ways):
            calls.append(made.command(session, "move", way=way))
            if number % 10 == 0:
                jumps.append(made.command(session, "jump", number=number))
        calls.append(made.command(session, "move", way="none"))

        # Before anything runs: a success, without waiting for the handler that does not return.
        assert [told(call) for call in calls[:-1]] == ["superseded"] * 40
        assert not calls[-1].done()
        game.go_on.set()
        assert told(calls[-1]) == "ok"
        assert [told(jump) for jump in jumps] == ["ok"] * 4
        assert game.seen == ["jump 0", "jump 10", "jump 20", "jump 30", "move none"]
        session.stop()


def test_a_state_stands_behind_the_events_that_came_before_it_and_other_states_are_their_own() -> None:
    with rig(Game) as made:
        session, game = held_back(made)
        made.command(session, "move", way="up")
        made.command(session, "look", x=0.5)
        made.command(session, "jump", number=1)
        last = made.command(session, "move", way="none")
        game.go_on.set()
        assert told(last) == "ok"
        assert game.seen == ["look 0.5", "jump 1", "move none"]
        session.stop()


@pytest.mark.parametrize(
    ("name", "release", "refused", "code", "seen"),
    [
        ("move", {"way": "none"}, {"way": "sideways"}, "invalid_command", "move none"),
        ("look", {"x": 0.0}, {"x": 2.0}, "too_far", "look 0"),
    ],
)
def test_a_release_is_not_lost_to_newer_calls_that_are_refused(
    name: str, release: dict[str, object], refused: dict[str, object], code: str, seen: str
) -> None:
    with rig(Game) as made:
        session, game = held_back(made)
        first = made.command(session, name, **release)
        wrong = [made.command(session, name, **refused) for _ in range(3)]
        game.go_on.set()
        assert told(wrong[-1]) == code
        assert [told(first), told(wrong[0]), told(wrong[1])] == ["superseded"] * 3
        assert told(made.command(session, "jump", number=1)) == "ok"
        assert game.seen == [seen, "jump 1"]
        session.stop()


def test_a_flood_of_a_state_takes_no_place_from_events_nor_they_from_it() -> None:
    with rig(Game) as made:
        session, game = held_back(made)
        for _ in range(3 * PENDING_LIMIT):
            made.command(session, "look", x=0.5)
        jumps = [made.command(session, "jump", number=number) for number in range(PENDING_LIMIT)]
        assert told(made.command(session, "jump", number=-1)) == "rate_limited"
        last = made.command(session, "move", way="none")
        game.go_on.set()
        assert told(last) == "ok"
        assert game.seen == ["look 0.5", *(f"jump {number}" for number in range(PENDING_LIMIT)), "move none"]
        assert {told(jump) for jump in jumps} == {"ok"}
        session.stop()


def test_the_waiting_calls_of_a_flood_are_one() -> None:
    waiting = WaitingCalls()
    for number in range(1000):
        waiting.add(Call(lambda _: None, lambda: None, number, (1, "look")))
    call = waiting.take()
    assert call.arguments == 999
    assert len(call.earlier) <= 8
    with pytest.raises(KeyError):
        waiting.take()


def test_a_state_of_the_next_session_replaces_nothing_of_the_last_one() -> None:
    waiting = WaitingCalls()
    waiting.add(Call(lambda _: None, lambda: None, 1, (1, "look")))
    assert waiting.add(Call(lambda _: None, lambda: None, 2, (2, "look"))) is None
