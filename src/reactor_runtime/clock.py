"""Time as a port. Nothing else asks the operating system for it, besides the CLI's progress bars.

Playout, encoders, sound, sessions and clients are given a `Clock`; whoever has no other takes `WALL`.
`reactor_runtime.testing.VirtualClock` stands still until a test moves it.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Protocol


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

    def end_step(self, frame: int) -> None:
        """Nobody holds a live model."""


WALL = WallClock()


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
        self._lock = threading.Lock()
        """Guards all of the above. No action runs while it is held."""

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

    def at(self, frame: int, action: Callable[[], None]) -> None:
        """Do something before frame `frame` is made; at the next end of a step when that is made already."""
        with self._lock:
            heapq.heappush(self._due, (frame, next(self._order), action))

    def end_step(self, frame: int) -> None:
        with self._lock:
            self._now += self._step_s * max(0, frame - self._frame)
            self._frame = max(self._frame, frame)
        while (action := self._next(frame)) is not None:
            action()

    def _next(self, frame: int) -> Callable[[], None] | None:
        with self._lock:
            return heapq.heappop(self._due)[2] if self._due and self._due[0][0] <= frame else None
