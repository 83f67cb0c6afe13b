"""The suite of every clock; a new one is one more line here. What sets them apart is below."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from tests.executors.rig import WITHIN, rig

from reactor_runtime import VideoModel, VideoOut, command, get_ctx, model
from reactor_runtime.clock import FreeClock, Timers, WallClock
from reactor_runtime.testing import CLOCK_CASES, ClockRig, LeapingClock, VirtualClock, check_clock

from .rigs import Standing, going

CLOCKS = {
    "wall": going(WallClock),
    "virtual": Standing,
    "leaping": going(LeapingClock),
    "free": going(FreeClock),
}


@pytest.mark.parametrize("case", CLOCK_CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("name", CLOCKS)
async def test_clock(case: Callable[..., Awaitable[None]], name: str) -> None:
    make: Callable[[], ClockRig] = CLOCKS[name]
    await check_clock(case, make)


def test_a_loop_that_has_ended_is_called_no_more() -> None:
    timers, called = Timers(), list[str]()

    async def add() -> None:
        timers.add(0.0, 1.0, called.append, ("too late",))

    asyncio.run(add())
    timers.fire(2.0)
    assert called == []


# --- the clocks of tests ---


async def test_a_loops_timers_wait_for_the_test() -> None:
    clock, called = VirtualClock(), list[str]()
    for due in (3.0, 1.0, 2.0):
        clock.call_later(due, called.append, f"{due}")
    clock.advance(0.999)
    await asyncio.sleep(0)
    assert called == []
    clock.advance(1.001)
    await asyncio.sleep(0)
    assert called == ["1.0", "2.0"]


async def test_a_clock_that_leaps_is_the_wall_s_and_further() -> None:
    clock, wall, called, woke = LeapingClock(), WallClock(), list[str](), threading.Event()
    began = wall.time(), wall.unix()
    assert 0 <= clock.time() - began[0] < WITHIN
    clock.call_later(3600, called.append, "in an hour")
    condition = threading.Condition()

    def wait() -> None:
        with condition:
            clock.wait(condition, 3600)
        woke.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    clock.until_waiting()
    clock.advance(1800)
    await asyncio.sleep(0)
    assert called == []
    assert not woke.is_set()
    clock.advance(1801)
    await asyncio.sleep(0)
    assert called == ["in an hour"]
    assert await asyncio.to_thread(woke.wait, WITHIN)
    assert 3601 <= clock.time() - began[0] < 3601 + 2 * WITHIN
    assert 3601 <= clock.unix() - began[1] < 3601 + 2 * WITHIN
    thread.join(WITHIN)


def test_a_test_moves_time_and_whoever_waits_wakes() -> None:
    clock, condition, woke = VirtualClock(), threading.Condition(), threading.Event()

    def wait() -> None:
        with condition:
            clock.wait(condition, 60)
        woke.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    clock.until_waiting()
    clock.advance(59.9)
    assert not woke.wait(0.05)
    clock.advance(0.1)
    assert woke.wait(WITHIN)
    thread.join(WITHIN)


def test_who_is_woken_waits_no_more_before_it_runs() -> None:
    """Else a test would move the time on past those that it is for."""
    clock, runs = VirtualClock(), threading.Event()

    class Slow(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            super().wait(timeout)
            return runs.wait(WITHIN)

    condition = Slow()

    def wait() -> None:
        with condition:
            clock.wait(condition, 1)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    clock.until_waiting()
    clock.advance(1)
    with pytest.raises(TimeoutError, match="0 of 1 threads"):
        clock.until_waiting(within=0.01)
    runs.set()
    thread.join(WITHIN)
    assert not thread.is_alive()


# --- the free clock ---


@model(name="turtle")
class Turtle(VideoModel):
    video = VideoOut()

    def __init__(self, config: Any) -> None:
        self.x = 0
        self.path: list[int] = []

    @command("go")
    def go(self, step: int) -> int:
        self.x += step
        return self.x

    def start_session(self) -> None:
        for _ in range(10):
            self.path.append(self.x)
            self.video.emit(np.full((16, 32, 3), self.x, np.uint8))
        get_ctx().wait_stop(60)
        get_ctx().send({"path": self.path})

    def reset(self) -> None:
        self.x, self.path = 0, []


def test_commands_come_at_frame_indices_and_time_is_virtual() -> None:
    """Each frame knows exactly the commands before it, the same way in every run."""
    for _ in range(3):
        clock = FreeClock(step_s=0.5)
        frames: list[int] = []
        with rig(Turtle) as made:
            session = made.begin(clock=clock)

            def go(step: int, made: Any = made, session: Any = session, frames: list[int] = frames) -> None:
                outcome = made.command(session, "go", step=step).result(WITHIN)
                frames.append(outcome.frame)

            clock.at(3, lambda: go(5))
            clock.at(7, lambda: go(20))
            clock.at(7, lambda: go(1))
            assert made.run(session).result(WITHIN).error is None
            assert made.said(session) == [{"path": [0, 0, 0, 5, 5, 5, 5, 26, 26, 26]}]
        assert frames == [3, 7, 7]
        assert clock.time() >= 10 * 0.5 + 60


def test_what_is_late_for_its_frame_is_done_at_the_next_end_of_a_step() -> None:
    clock, done = FreeClock(), list[int]()
    clock.end_step(5)
    clock.at(2, lambda: done.append(2))
    assert done == []
    clock.end_step(6)
    assert done == [2]
