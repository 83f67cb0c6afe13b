"""What every clock does; a new one is one more line here. What sets them apart is below."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import numpy as np
import pytest
from tests.executors.rig import WITHIN, rig

from reactor_runtime import VideoModel, VideoOut, command, get_ctx, model
from reactor_runtime.clock import Clock, FreeClock, Timers, WallClock, pause, timeout
from reactor_runtime.testing import LeapingClock, VirtualClock

Move = Callable[[], None]


@contextmanager
def moved(clock: Clock) -> Iterator[None]:
    """A clock that does not go by itself is moved by somebody else."""
    if not isinstance(clock, VirtualClock) or isinstance(clock, LeapingClock):
        yield
        return
    over = threading.Event()

    def move() -> None:
        while not over.wait(0.001):
            clock.advance(0.01)

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture(params=[WallClock, VirtualClock, LeapingClock, FreeClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_time_passes_as_long_as_was_asked_for_and_never_goes_back(clock: Clock) -> None:
    before, date = clock.time(), clock.unix()
    with moved(clock):
        clock.sleep(0.02)
        clock.sleep(-1)
    assert clock.time() - before >= 0.02
    assert clock.unix() >= date


def test_a_wait_ends_when_its_time_has_come(clock: Clock) -> None:
    condition, until = threading.Condition(), clock.time() + 0.02
    with moved(clock), condition:
        while clock.time() < until:
            clock.wait(condition, until - clock.time())
    assert clock.time() >= until


def test_a_wait_ends_when_it_is_notified(clock: Clock) -> None:
    condition, done = threading.Condition(), threading.Event()
    there: list[str] = []

    def wait() -> None:
        with condition:
            while not there:
                clock.wait(condition, 3600)
        done.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    with condition:
        there.append("now")
        condition.notify_all()
    assert done.wait(WITHIN)
    thread.join(WITHIN)


def test_an_event_that_is_set_is_not_waited_for(clock: Clock) -> None:
    event, before = threading.Event(), clock.time()
    event.set()
    assert clock.wait_event(event, 3600)
    assert clock.time() - before < WITHIN


def test_an_event_that_is_not_set_costs_the_whole_time(clock: Clock) -> None:
    before = clock.time()
    with moved(clock):
        assert not clock.wait_event(threading.Event(), 0.02)
    assert clock.time() - before >= 0.02


def test_the_end_of_a_step_holds_nobody_who_has_nothing_to_do(clock: Clock) -> None:
    before = clock.time()
    for frame in range(1, 4):
        clock.end_step(frame)
    assert clock.time() >= before


# --- on an event loop ---


@asynccontextmanager
async def passing(clock: Clock) -> AsyncIterator[None]:
    """Time passes meanwhile, whatever moves it."""

    def sleep() -> None:
        while not over.is_set():
            clock.sleep(0.005)

    over = threading.Event()
    with moved(clock):
        task = asyncio.create_task(asyncio.to_thread(sleep))
        try:
            yield
        finally:
            over.set()
            await task


async def test_what_is_called_later_comes_on_the_loop_in_its_order(clock: Clock) -> None:
    calls: list[tuple[str, float, object]] = []
    done, loop, before = asyncio.Event(), threading.get_ident(), clock.time()

    def call(name: str) -> None:
        calls.append((name, clock.time() - before, threading.get_ident()))
        if name == "last":
            done.set()

    clock.call_later(0.04, call, "last")
    clock.call_later(0.01, call, "first")
    clock.call_later(0.02, call, "never").cancel()
    assert calls == []
    async with asyncio.timeout(WITHIN), passing(clock):
        await done.wait()
    assert [name for name, _, _ in calls] == ["first", "last"]
    # The loop's own clock has grains.
    assert [at >= due - 0.001 for (_, at, _), due in zip(calls, (0.01, 0.04), strict=True)] == [True, True]
    assert {thread for _, _, thread in calls} == {loop}


async def test_what_is_due_at_once_comes_with_the_next_turn(clock: Clock) -> None:
    called: list[str] = []
    clock.call_later(0, called.append, "now")
    assert called == []
    async with asyncio.timeout(WITHIN):
        while not called:  # noqa: ASYNC110 - its turn is what is tested
            await asyncio.sleep(0)


async def test_a_timeout_ends_what_takes_longer(clock: Clock) -> None:
    before = clock.time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(WITHIN), passing(clock), timeout(clock, 0.02):
            await asyncio.Event().wait()
    assert clock.time() - before >= 0.019


async def test_a_timeout_leaves_alone_what_is_done_before(clock: Clock) -> None:
    async with timeout(clock, 0.01):
        pass
    with pytest.raises(ValueError, match="of its own"):
        async with timeout(clock, 0.01):
            raise ValueError("of its own")
    async with passing(clock):
        await pause(clock, 0.03)  # long over, and nobody is cancelled


async def test_who_waits_may_be_cancelled(clock: Clock) -> None:
    task = asyncio.ensure_future(pause(clock, 0.01))
    await asyncio.sleep(0)
    task.cancel()
    async with passing(clock):
        await pause(clock, 0.03)
    assert task.cancelled()


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
