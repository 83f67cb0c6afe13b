"""Frames in front of one encoder, and which of them are not worth its time. Sans-IO."""

from __future__ import annotations

from collections import deque

from .rgb import Frame

QUEUE_FRAMES = 4
"""Frames in front of the encoder; one more drops the oldest."""
STALE_S = 0.05
"""A frame that waited longer than this is skipped when a newer one is there."""
OVERLOAD_S = 0.5
"""An encoder that never caught up for this long cannot keep up: then it takes the newest frame only, because
a queue in front of it would be nothing but delay."""


class Backlog:
    """`now` and the times of frames are in seconds of one monotonic clock. Not thread-safe."""

    def __init__(self) -> None:
        self.patient = False
        """At the end of a session a late picture is better than none: nothing is skipped for its age."""
        self._frames: deque[tuple[Frame, float]] = deque()
        self._behind_since: float | None = None
        """Since when there has been a frame to encode without a break."""
        self._told = False

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
        """The next picture, when it is due, and how many in front of it were skipped as too late."""
        frame, at = self._frames.popleft()
        skipped = 0
        while self._frames and not self.patient and (now - at > STALE_S or self.overloaded(now)):
            skipped += 1
            frame, at = self._frames.popleft()
        return (frame, at), skipped

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
