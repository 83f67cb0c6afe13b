"""A clock that stands still until a test moves it: a minute of playout passes in milliseconds."""

from __future__ import annotations

import threading

POLL_S = 0.001
"""How often, in real time, a thread that waits for an event looks whether the test has moved the clock."""


class VirtualClock:
    """Implements `reactor_runtime.clock.Clock`. Call it for the time in seconds, as `time.monotonic`."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        """Seconds; `advance` moves them and wakes who waits."""
        self._waiting: list[tuple[float, threading.Condition]] = []
        self._changed = threading.Condition()
        """Guards what waits, and tells of it. Never held while another condition is."""

    def __call__(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def unix(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        """Move on, wake whose time has come, and return the new time."""
        if seconds < 0:
            raise ValueError(f"time does not go back by {-seconds:g} s")
        with self._changed:
            self.now += seconds
            due = [condition for until, condition in self._waiting if until <= self.now]
        for condition in due:
            with condition:
                condition.notify_all()
        return self.now

    def wait(self, condition: threading.Condition, timeout: float | None) -> None:
        if timeout is None:
            condition.wait()
            return
        place = (self.now + timeout, condition)
        with self._changed:
            self._waiting.append(place)
            self._changed.notify_all()
        try:
            if self.now < place[0]:
                condition.wait()
        finally:
            with self._changed:
                self._waiting.remove(place)

    def wait_event(self, event: threading.Event, timeout: float) -> bool:
        until = self.now + timeout
        while not event.is_set() and self.now < until:
            event.wait(POLL_S)
        return event.is_set()

    def sleep(self, seconds: float) -> None:
        self.wait_event(threading.Event(), seconds)

    def end_step(self, frame: int) -> None:
        """Nobody is held: a test moves the clock itself."""

    def until_waiting(self, count: int = 1, within: float = 5.0) -> None:
        """Return when so many threads wait for this clock. `within` is real time. Raises `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._waiting) >= count, within):
                raise TimeoutError(f"{len(self._waiting)} of {count} threads wait for the clock")
