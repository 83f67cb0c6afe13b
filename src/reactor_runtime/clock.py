"""Time as a port. Nothing else asks the operating system for it, besides the CLI's progress bars.

Playout, encoders, sound, sessions and clients are given a `Clock`; whoever has no other takes `WALL`.
`reactor_runtime.testing.VirtualClock` stands still until a test moves it.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio


class Timer(Protocol):
    """What `call_later` gives."""

    def cancel(self) -> None:
        """It is not called any more. Event loop only."""


class Clock(Protocol):
    """Seconds, and waiting for some to pass. Any thread."""

    def time(self) -> float:
        """Never goes back. Says nothing about the date."""

    def unix(self) -> float:
        """The date, as seconds since 1970."""

    def wait(self, condition: threading.Condition, timeout: float | None) -> None:
        """`condition.wait(timeout)` on this clock, with its lock held; may return early, as that may."""

    def wait_event(self, event: threading.Event, timeout: float) -> bool:
        """`event.wait(timeout)` on this clock."""

    def sleep(self, seconds: float) -> None:
        """Not at all for less than nothing."""

    def call_later(self, seconds: float, function: Callable[..., object], *args: object) -> Timer:
        """`call_later` of the running event loop, on this clock. Event loop only."""

    def end_step(self, frame: int) -> None:
        """The model has emitted on its default track; `frame` is the index of the next frame.

        Called on the thread that emits; the model goes on when this returns.
        """


class WallClock:
    """The clock of live sessions."""

    unix = staticmethod(time.time)
    _sleep = staticmethod(time.sleep)
    time = staticmethod(time.monotonic)  # last: in this body, the module's name ends here

    def wait(self, condition: threading.Condition, timeout: float | None) -> None:
        condition.wait(timeout)

    def wait_event(self, event: threading.Event, timeout: float) -> bool:
        return event.wait(timeout)

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)

    def call_later(self, seconds: float, function: Callable[..., object], *args: object) -> Timer:
        return _running_loop().call_later(seconds, function, *args)

    def end_step(self, frame: int) -> None:
        """Nobody holds a live model."""


WALL = WallClock()


@asynccontextmanager
async def timeout(clock: Clock, seconds: float) -> AsyncIterator[None]:
    """`asyncio.timeout` on a clock: raises `TimeoutError`. Event loop only."""
    import asyncio

    async with asyncio.timeout(None) as scope:
        timer = clock.call_later(seconds, scope.reschedule, 0.0)
        try:
            yield
        finally:
            timer.cancel()


async def pause(clock: Clock, seconds: float) -> None:
    """`asyncio.sleep` on a clock. Event loop only."""
    over = _running_loop().create_future()
    timer = clock.call_later(seconds, over.set_result, None)
    try:
        await over
    finally:
        timer.cancel()


class Timers:
    """What event loops wait for on a clock that somebody moves. Any thread, but for `add`."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        """Guards what waits. Nothing is called while it is held."""

    def add(
        self, now: float, seconds: float, function: Callable[..., object], args: tuple[object, ...]
    ) -> Timer:
        """Call a function on the running event loop when so much time has passed."""
        timer = _Timer(_running_loop(), function, args)
        with self._lock:
            heapq.heappush(self._waiting, (now + seconds, next(self._order), timer))
        self.fire(now)
        return timer

    def fire(self, now: float) -> None:
        """It is `now`: hand on what is due, in order."""
        while (timer := self._next(now)) is not None:
            timer.fire()

    def _next(self, now: float) -> _Timer | None:
        with self._lock:
            return heapq.heappop(self._waiting)[2] if self._waiting and self._waiting[0][0] <= now else None


class _Timer:
    def __init__(
        self, loop: asyncio.AbstractEventLoop, function: Callable[..., object], args: tuple[object, ...]
    ) -> None:
        self._loop = loop
        self._function = function
        self._args = args
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True

    def fire(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._call)

    def _call(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._function(*self._args)


def _running_loop() -> asyncio.AbstractEventLoop:
    from asyncio import get_running_loop  # commands that need no loop begin without it

    return get_running_loop()


class FreeClock:
    """Virtual time for runs without an audience: waits cost nothing, and things happen at frame indices.

    A step takes `step_s` of virtual time. What `at` was given is done between two steps, in order, in the
    thread that emits: each frame knows exactly what came before it.
    """

    def __init__(self, step_s: float = 1 / 30, began: float = 0.0) -> None:
        self._step_s = step_s
        self._began = began
        self._now = 0.0
        self._frame = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._timers = Timers()
        self._lock = threading.Lock()
        """Guards all of the above but the timers. No action runs while it is held."""

    def time(self) -> float:
        return self._now

    def unix(self) -> float:
        return self._began + self._now

    def wait(self, condition: threading.Condition, timeout: float | None) -> None:
        if timeout is None:
            condition.wait()
            return
        self.sleep(timeout)
        condition.wait(0)  # gives the lock up for a moment: somebody may have what is waited for

    def wait_event(self, event: threading.Event, timeout: float) -> bool:
        if not event.is_set():
            self.sleep(timeout)
        return event.is_set()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += max(0.0, seconds)
        self._timers.fire(self._now)

    def call_later(self, seconds: float, function: Callable[..., object], *args: object) -> Timer:
        return self._timers.add(self._now, seconds, function, args)

    def at(self, frame: int, action: Callable[[], None]) -> None:
        """Do something before frame `frame` is made; at the next end of a step when that is made already."""
        with self._lock:
            heapq.heappush(self._due, (frame, next(self._order), action))

    def end_step(self, frame: int) -> None:
        with self._lock:
            self._now += self._step_s * max(0, frame - self._frame)
            self._frame = max(self._frame, frame)
        self._timers.fire(self._now)
        while (action := self._next(frame)) is not None:
            action()

    def _next(self, frame: int) -> Callable[[], None] | None:
        with self._lock:
            return heapq.heappop(self._due)[2] if self._due and self._due[0][0] <= frame else None
