"""When one encode makes a keyframe. Sans-IO."""

from __future__ import annotations

REQUEST_INTERVAL_S = 0.5
"""Keyframes on request come no more often than this, whatever receivers ask."""


class Keyframes:
    """`now` is in seconds of any monotonic clock. Not thread-safe."""

    def __init__(self, interval: float = 0.0) -> None:
        """`interval` is what the author wants at most between two, in seconds; 0 for on request only."""
        self._interval = interval
        self._wanted = False
        self._sent = float("-inf")

    def request(self) -> None:
        """A receiver cannot go on without one."""
        self._wanted = True

    def welcome(self) -> None:
        """A newcomer sees nothing before it: it is not held up by the throttle."""
        self._sent = float("-inf")
        self._wanted = True

    def due(self, now: float) -> float | None:
        """When the one that was asked for may be made; None when nobody has asked."""
        return max(now, self._sent + REQUEST_INTERVAL_S) if self._wanted else None

    def take(self, now: float) -> bool:
        """Whether the picture that is encoded now is to be one."""
        due = self.due(now)
        if (due is None or due > now) and not (self._interval and now - self._sent >= self._interval):
            return False
        self._wanted = False
        self._sent = now
        return True
