"""When one encode makes a keyframe. Sans-IO."""

from __future__ import annotations

REQUEST_INTERVAL_S = 0.5
"""Keyframes on request come no more often than this, whatever receivers ask."""
REPEAT_S = 4.0
"""Where a receiver has lost something and does not ask, this long after the last one comes another."""


class Keyframes:
    """`now` is in seconds of any monotonic clock. Not thread-safe."""

    def __init__(self, interval: float = 0.0) -> None:
        """`interval` is what the author wants at most between two, in seconds; 0 for on request only."""
        self.repeat = False
        """Somebody has lost something and does not ask."""
        self._interval = interval
        self._wanted = False
        self._sent = float("-inf")
        self._others_since = False
        """Whether other pictures came after the last one: without any, another would show nothing new."""

    def request(self) -> None:
        """A receiver cannot go on without one."""
        self._wanted = True

    def welcome(self) -> None:
        """A newcomer sees nothing before it: it is not held up by the throttle."""
        self._sent = float("-inf")
        self._wanted = True

    def due(self, now: float) -> float | None:
        """When the next one that somebody needs may be made; None when nobody does."""
        if self._wanted:
            return max(now, self._sent + REQUEST_INTERVAL_S)
        if self.repeat and self._others_since:
            return max(now, self._sent + REPEAT_S)
        return None

    def take(self, now: float) -> bool:
        """Whether the picture that is encoded now is to be one."""
        due = self.due(now)
        if (due is None or due > now) and not (self._interval and now - self._sent >= self._interval):
            self._others_since = True
            return False
        self._wanted = self._others_since = False
        self._sent = now
        return True
