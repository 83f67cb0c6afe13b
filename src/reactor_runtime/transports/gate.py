"""Which frames one peer can still take. Sans-IO.

A peer whose network carries less than the shared encode makes would otherwise queue without end. The gate
counts what was sent against what the network is thought to carry; past its bound it drops up to the next
keyframe. The other peers and the model never notice.
"""

from __future__ import annotations

BACKLOG_S = 0.35
"""Seconds of the estimated rate that may be on their way before frames are dropped."""
START_BPS = 4_000_000
"""Taken for the rate until the first estimate."""
KEY_ALLOWANCE_S = 1.0
"""A keyframe may overdraw this much: without it there is no picture at all."""


class FrameGate:
    """Admits or drops the frames of one peer's track. Called by one thread at a time."""

    def __init__(self) -> None:
        self.dropped = 0
        self.needs_key = True
        self._rate = START_BPS
        self._backlog = 0.0
        self._at: float | None = None

    def set_rate(self, bits_per_second: int) -> None:
        if bits_per_second > 0:
            self._rate = bits_per_second

    def reset(self) -> None:
        """Begin again with a keyframe."""
        self.needs_key = True
        self._backlog = 0.0

    def wants_key(self) -> bool:
        """Whether a keyframe now would bring the picture back."""
        return self.needs_key and self._backlog <= BACKLOG_S * self._rate / 2

    def admits(self, key: bool, size: int, now: float) -> bool:
        """Whether a frame of `size` bytes may go out at `now` seconds."""
        if self._at is not None:
            self._backlog = max(0.0, self._backlog - (now - self._at) * self._rate)
        self._at = now
        limit = BACKLOG_S + (KEY_ALLOWANCE_S if key else 0.0)
        if (self.needs_key and not key) or self._backlog > limit * self._rate:
            self.needs_key = True
            self.dropped += 1
            return False
        self.needs_key = False
        self._backlog += size * 8
        return True
