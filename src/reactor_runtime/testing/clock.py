"""A clock that stands still until a test moves it."""

from __future__ import annotations


class VirtualClock:
    """Call it for the time in seconds, as `time.monotonic`."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        """Move on and return the new time."""
        if seconds < 0:
            raise ValueError(f"time does not go back by {-seconds:g} s")
        self.now += seconds
        return self.now
