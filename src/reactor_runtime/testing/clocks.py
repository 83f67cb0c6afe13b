"""What every clock does, as a suite.

::

    @pytest.mark.parametrize("case", CLOCK_CASES, ids=lambda case: case.__name__)
    def test_my_clock(case):
        asyncio.run(check_clock(case, MyRig))
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from reactor_runtime.clock import Clock, pause, timeout

from .cases import WITHIN_S, beside, repeating

GRAIN_S = 0.001
"""Event loops' own clocks have grains: so much earlier a timer may come."""
READINGS = 1000


class ClockRig(Protocol):
    """One clock, for one case."""

    @property
    def clock(self) -> Clock: ...

    def move(self) -> None:
        """Called over and over while time is to pass, on a thread of its own: moves a clock on that does not
        go by itself. Others have nothing to do."""


def own_condition() -> threading.Condition:
    """Of one case, which guards its own list with it; no lock of the runtime is taken meanwhile."""
    return threading.Condition()


@contextmanager
def passing(rig: ClockRig) -> Iterator[None]:
    """Time passes meanwhile: it is moved, and somebody sleeps, who makes time that nobody waits for."""
    with repeating(rig.move), repeating(lambda: rig.clock.sleep(0.005)):
        yield


async def time_passes_as_long_as_was_asked_for_and_never_goes_back(rig: ClockRig) -> None:
    clock = rig.clock
    before, date = clock.time(), clock.unix()
    with repeating(rig.move):
        await beside(lambda: clock.sleep(0.02))
        await beside(lambda: clock.sleep(-1))
        readings = [clock.time() for _ in range(READINGS)]
    assert readings[0] - before >= 0.02
    assert readings == sorted(readings)
    assert clock.unix() >= date


async def a_wait_ends_when_its_time_has_come(rig: ClockRig) -> None:
    clock, condition, until = rig.clock, own_condition(), rig.clock.time() + 0.02

    def wait() -> None:
        with condition:
            while clock.time() < until:
                clock.wait(condition, until - clock.time())

    with repeating(rig.move):
        await beside(wait)
    assert clock.time() >= until


async def a_wait_ends_when_it_is_notified(rig: ClockRig) -> None:
    condition, there = own_condition(), list[str]()

    def wait() -> None:
        with condition:
            while not there:
                rig.clock.wait(condition, 3600)

    waiting = asyncio.ensure_future(beside(wait))
    await asyncio.sleep(0)
    with condition:
        there.append("now")
        condition.notify_all()
    await waiting


async def a_wait_gives_up_its_lock_meanwhile(rig: ClockRig) -> None:
    condition, there = own_condition(), list[str]()

    def wait(timeout: float | None) -> None:
        with condition:
            while not there:
                rig.clock.wait(condition, timeout)

    def notify() -> None:
        with condition:
            there.append("now")
            condition.notify_all()

    for timeout_s in (3600, None):
        there.clear()
        waiting = asyncio.ensure_future(beside(partial(wait, timeout_s)))
        await asyncio.sleep(0)
        await beside(notify)
        await waiting


async def an_event_that_is_set_is_not_waited_for(rig: ClockRig) -> None:
    event, before = threading.Event(), rig.clock.time()
    event.set()
    assert await beside(lambda: rig.clock.wait_event(event, 3600))
    assert rig.clock.time() - before < WITHIN_S


async def an_event_that_is_not_set_costs_the_whole_time(rig: ClockRig) -> None:
    before = rig.clock.time()
    with repeating(rig.move):
        assert not await beside(lambda: rig.clock.wait_event(threading.Event(), 0.02))
    assert rig.clock.time() - before >= 0.02


async def the_end_of_a_step_holds_nobody_who_has_nothing_to_do(rig: ClockRig) -> None:
    before = rig.clock.time()
    for frame in range(1, 4):
        await beside(partial(rig.clock.end_step, frame))
    assert rig.clock.time() >= before


async def what_is_called_later_comes_on_the_loop_in_its_order(rig: ClockRig) -> None:
    clock, calls = rig.clock, list[tuple[str, float, int]]()
    done, here, before = asyncio.Event(), threading.get_ident(), rig.clock.time()

    def call(name: str) -> None:
        calls.append((name, clock.time() - before, threading.get_ident()))
        if name == "last":
            done.set()

    clock.call_later(0.3, call, "last")
    clock.call_later(0.01, call, "first")
    clock.call_later(0.02, call, "never").cancel()
    assert calls == []
    with passing(rig):
        async with asyncio.timeout(WITHIN_S):
            await done.wait()
    assert [name for name, _, _ in calls] == ["first", "last"]
    assert [at >= due - GRAIN_S for (_, at, _), due in zip(calls, (0.01, 0.3), strict=True)] == [True, True]
    assert {thread for _, _, thread in calls} == {here}


async def what_is_due_at_once_comes_with_the_next_turn(rig: ClockRig) -> None:
    called: list[str] = []
    rig.clock.call_later(0, called.append, "now")
    assert called == []
    async with asyncio.timeout(WITHIN_S):
        while not called:  # noqa: ASYNC110 - its turn is what is tested
            await asyncio.sleep(0)


async def a_timeout_ends_what_takes_longer(rig: ClockRig) -> None:
    before = rig.clock.time()
    ended = False
    with passing(rig):
        async with asyncio.timeout(WITHIN_S):
            try:
                async with timeout(rig.clock, 0.02):
                    await asyncio.Event().wait()
            except TimeoutError:
                ended = True
    assert ended
    assert rig.clock.time() - before >= 0.02 - GRAIN_S


async def a_timeout_leaves_alone_what_is_done_before(rig: ClockRig) -> None:
    async with timeout(rig.clock, 0.01):
        pass
    with passing(rig):
        async with asyncio.timeout(WITHIN_S):
            await pause(rig.clock, 0.03)  # long over, and nobody is cancelled


async def who_waits_may_be_cancelled(rig: ClockRig) -> None:
    task = asyncio.ensure_future(pause(rig.clock, 0.01))
    await asyncio.sleep(0)
    task.cancel()
    with passing(rig):
        async with asyncio.timeout(WITHIN_S):
            await pause(rig.clock, 0.03)
    assert task.cancelled()


ClockCase = Callable[[ClockRig], Awaitable[None]]
CLOCK_CASES: tuple[ClockCase, ...] = (
    time_passes_as_long_as_was_asked_for_and_never_goes_back,
    a_wait_ends_when_its_time_has_come,
    a_wait_ends_when_it_is_notified,
    a_wait_gives_up_its_lock_meanwhile,
    an_event_that_is_set_is_not_waited_for,
    an_event_that_is_not_set_costs_the_whole_time,
    the_end_of_a_step_holds_nobody_who_has_nothing_to_do,
    what_is_called_later_comes_on_the_loop_in_its_order,
    what_is_due_at_once_comes_with_the_next_turn,
    a_timeout_ends_what_takes_longer,
    a_timeout_leaves_alone_what_is_done_before,
    who_waits_may_be_cancelled,
)


async def check_clock(case: ClockCase, make: Callable[[], ClockRig]) -> None:
    """Run one case of the suite against a new clock."""
    await case(make())
