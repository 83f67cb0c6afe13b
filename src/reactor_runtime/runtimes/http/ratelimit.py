"""Token buckets. Sans-IO."""

from __future__ import annotations

COMMANDS_PER_S = 200.0
COMMAND_BURST = 400


class TokenBucket:
    """Lets `rate` events a second through on average, and `burst` at once."""

    def __init__(self, rate: float = COMMANDS_PER_S, burst: float = COMMAND_BURST) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Whether one more event is allowed at `now` seconds."""
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
