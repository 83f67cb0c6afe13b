"""Whatever holds the event loop is named in the log."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections.abc import Callable
from types import FrameType

import pytest

from reactor_runtime.process import watchdog
from reactor_runtime.process.watchdog import HELD_S, watched
from reactor_runtime.testing import LeapingClock, VirtualClock


class CountingClock(LeapingClock):
    """Asked once for each look."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = threading.Semaphore(0)

    def time(self) -> float:
        self._asked.release()
        return super().time()

    def wait_for(self, looks: int) -> None:
        for _ in range(looks):
            assert self._asked.acquire(timeout=10)


def hold(seconds: float) -> None:
    time.sleep(seconds)


def hold_until(condition: Callable[[], bool]) -> None:
    """For as long as the watchdog needs to see it, also on a busy machine."""
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        hold(0.01)


def hold_the_interpreter(seconds: float) -> None:
    """One call of C that lets no other thread run, for half as much of the processor's time at least.

    What a busy machine adds to it is nobody's, for the watchdog too.
    """
    text, took = "a" * 18, 0.0
    while took < seconds / 2:
        text += "a"
        began = time.thread_time()
        re.match(r"(a+)+b", text)
        took = time.thread_time() - began


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


async def run(callback: Callable[[], None]) -> None:
    """As a callback of its own, as a request would."""
    done = asyncio.Event()
    asyncio.get_running_loop().call_soon(lambda: (callback(), done.set()))
    await done.wait()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 # the watchdog's thread tells nobody
            await asyncio.sleep(0.01)


def test_the_number_of_the_table() -> None:
    assert (HELD_S, watchdog.TELL_EVERY_S) == (0.1, 10)


@pytest.mark.parametrize("holder", [hold, hold_the_interpreter])
async def test_a_callback_that_holds_the_loop_is_told_with_its_stack(
    holder: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    with watched():
        await run(lambda: holder(0.4))
        await until(lambda: bool(told(caplog)))
    [line] = told(caplog)
    assert f"in {holder.__name__}" in line
    assert "held by one callback" in line


async def test_it_is_told_while_it_runs(caplog: pytest.LogCaptureFixture) -> None:
    def wait_for_the_line() -> None:
        hold_until(lambda: bool(told(caplog)))

    with watched():
        await run(wait_for_the_line)
    assert "in wait_for_the_line" in told(caplog)[0]


async def test_many_short_ones_are_nothing_to_tell(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()

    def pass_time() -> None:
        hold(0.005)
        clock.advance(0.005)

    def linger() -> None:
        hold_until(lambda: pass_time() or bool(told(caplog)))

    with watched(clock):
        for _ in range(40):
            await run(pass_time)
        await run(linger)  # it has looked when it tells of this one
    [line] = told(caplog)
    assert "in linger" in line


async def test_a_holder_is_told_once_and_others_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    clock = LeapingClock()
    with watched(clock) as dog:
        await run(lambda: hold_until(lambda: bool(told(caplog))))
        await run(lambda: hold_until(lambda: dog._untold == 1))
        clock.advance(watchdog.TELL_EVERY_S)
        await run(lambda: hold_until(lambda: len(told(caplog)) == 2))
    assert "(1 more since the last such line)" in told(caplog)[1]


async def test_a_loop_that_waits_is_left_alone_and_seen_when_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A walk through its stack costs as much as waking up for it."""
    walks = 0
    callback = watchdog._callback

    def walk(frame: FrameType | None) -> FrameType | None:
        nonlocal walks
        walks += 1
        return callback(frame)

    def walks_of_looks(count: int) -> int:
        """In another thread: the loop only waits meanwhile."""
        clock.wait_for(10)  # the first may see it go to sleep, later on a busy machine
        before = walks
        clock.wait_for(count)
        return walks - before

    monkeypatch.setattr(watchdog, "_callback", walk)
    clock = CountingClock()
    with watched(clock):
        assert await asyncio.to_thread(walks_of_looks, 6) == 0
        await run(lambda: hold_until(lambda: bool(told(caplog))))
    assert "in hold_until" in told(caplog)[0]


async def test_where_the_system_does_not_tell_a_threads_time_a_holder_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(time, "pthread_getcpuclockid")
    clock = CountingClock()
    with watched(clock):
        await asyncio.to_thread(clock.wait_for, 3)
        await run(lambda: hold_until(lambda: bool(told(caplog))))
    assert "in hold_until" in told(caplog)[0]
