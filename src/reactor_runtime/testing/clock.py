"""Clocks that a test moves: a minute of playout passes in milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reactor_runtime.clock import WALL, Timer, Timers

POLL_S = 0.001
"""How often, in real time, a thread that waits for an event looks whether the test has moved the clock."""


class VirtualClock:
    """Stands still until a test moves it. Implements `reactor_runtime.clock.Clock`; call it for the time in
    seconds, as `time.monotonic`."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        """Seconds; `advance` moves them and wakes who waits."""
        self._waiting: list[tuple[float, threading.Condition]] = []
        self._changed = threading.Condition()
        """Guards what waits, and tells of it. Never held while another condition is."""
        self._timers = Timers()

    def __call__(self) -> float:
        return self.time()

    def time(self) -> float:
        return self.now

    def unix(self) -> float:
        return self.time()

    def advance(self, seconds: float) -> float:
        """Move on, wake whose time has come, and return the new time."""
        if seconds < 0:
            raise ValueError(f"time does not go back by {-seconds:g} s")
        with self._changed:
            self.now += seconds
            now = self.time()
            due = [condition for until, condition in self._waiting if until <= now]
        for condition in due:
            with condition:
                condition.notify_all()
        self._timers.fire(now)
        return now

    def wait(self, condition: threading.Condition, timeout: float | None) -> None:
        if timeout is None:
            condition.wait()
            return
        place = (self.time() + timeout, condition)
        with self._changed:
            self._waiting.append(place)
            self._changed.notify_all()
        try:
            if self.time() < place[0]:
                self._wait(condition, timeout)
        finally:
            with self._changed:
                self._waiting.remove(place)

    def wait_event(self, event: threading.Event, timeout: float) -> bool:
        until = self.time() + timeout
        while not event.is_set() and self.time() < until:
            event.wait(POLL_S)
        return event.is_set()

    def sleep(self, seconds: float) -> None:
        self.wait_event(threading.Event(), seconds)

    def call_later(self, seconds: float, function: Callable[..., object], *args: object) -> Timer:
        return self._timers.add(self.time(), seconds, function, args)

    def end_step(self, frame: int) -> None:
        """Nobody is held: a test moves the clock itself."""

    def until_waiting(self, count: int = 1, within: float = 5.0) -> None:
        """Return when so many threads wait for a time to come; `TimeoutError` after `within` of real time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._held() >= count, within):
                raise TimeoutError(f"{self._held()} of {count} threads wait for the clock")

    def _held(self) -> int:
        """Who has been woken waits no more, even if it has not run yet. Called with the lock held."""
        return sum(until > self.time() for until, _ in self._waiting)

    def _wait(self, condition: threading.Condition, timeout: float) -> None:
        """Until `advance` notifies: time does not pass by itself."""
        condition.wait()


class LeapingClock(VirtualClock):
    """Goes as the wall's clock does, and leaps where a test advances it.

    For a whole server, whose model and encoders go on meanwhile: half a minute of silence passes at once.
    """

    def time(self) -> float:
        """`now` is how far it has leapt."""
        return WALL.time() + self.now

    def unix(self) -> float:
        return WALL.unix() + self.now

    def call_later(self, seconds: float, function: Callable[..., object], *args: object) -> Timer:
        timer = super().call_later(seconds, function, *args)
        WALL.call_later(seconds, lambda: self._timers.fire(self.time()))
        return timer

    def _wait(self, condition: threading.Condition, timeout: float) -> None:
        condition.wait(timeout)
