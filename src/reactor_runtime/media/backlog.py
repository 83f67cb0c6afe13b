"""Frames in front of one encoder, and which of them are not worth its time. Sans-IO."""

from __future__ import annotations

from collections import deque
from statistics import median_low

from .rgb import Frame

QUEUE_FRAMES = 4
"""Frames in front of the encoder; one more drops the oldest."""
STALE_S = 0.05
"""A frame that waited longer than this is skipped when a newer one is there."""
COSTS = 5
"""Pictures that the forecast of the next one's time looks back on,"""
COSTS_LEAST = 3
"""and how many it needs: the first one opens the encoder."""
OVERLOAD_S = 0.5
"""An encoder that never caught up for this long cannot keep up: then it takes the newest frame only, because
a queue in front of it would be nothing but delay."""


class Backlog:
    """`now` and the times of frames are in seconds of one monotonic clock. Not thread-safe."""

    def __init__(self) -> None:
        self.draining = False
        """At the end of a session a late picture is better than none: nothing is skipped for its age."""
        self._frames: deque[tuple[Frame, float]] = deque()
        self._behind_since: float | None = None
        """Since when there has been a frame to encode without a break."""
        self._told = False
        self._costs: deque[float] = deque(maxlen=COSTS)

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: Frame, at: float, now: float) -> int:
        """Queue a picture that is due at `at`; returns how many made room for it."""
        if self._frames and self._behind_since is None:
            self._behind_since = now
        dropped = 0
        if len(self._frames) >= QUEUE_FRAMES:
            self._frames.popleft()
            dropped = 1
        self._frames.append((frame, at))
        return dropped

    def take(self, now: float) -> tuple[tuple[Frame, float], int]:
        """The next picture, when it is due, and how many in front of it were not worth beginning."""
        skipped = 0
        while len(self._frames) > 1 and not self.draining and self._in_the_way(now):
            self._frames.popleft()
            skipped += 1
        return self._frames.popleft(), skipped

    def _in_the_way(self, now: float) -> bool:
        """Whether the oldest is seen too late, or makes the one behind it too late."""
        (_, at), (_, next_at) = self._frames[0], self._frames[1]
        return now - at > STALE_S or now + self._forecast() - next_at > STALE_S or self.overloaded(now)

    def took(self, seconds: float) -> None:
        """A picture was encoded: how long that took, waiting for a processor included."""
        self._costs.append(seconds)

    def _forecast(self) -> float:
        return median_low(self._costs) if len(self._costs) >= COSTS_LEAST else 0.0

    def caught_up(self) -> None:
        """The encoder has nothing to do."""
        self._behind_since = None

    def overloaded(self, now: float) -> bool:
        since = self._behind_since
        return since is not None and now - since > OVERLOAD_S

    def tells_overload(self, now: float) -> bool:
        """Whether it is overloaded and nobody has heard of it: true once."""
        if self._told or not self.overloaded(now):
            return False
        self._told = True
        return True

    def clear(self) -> int:
        """Drop everything; returns how many that were."""
        gone = len(self._frames)
        self._frames.clear()
        return gone
