"""Token buckets. Sans-IO."""

from __future__ import annotations

from reactor_runtime.errors import Refusal, RefusedError

COMMANDS_PER_S = 200.0
COMMAND_BURST = 400
ADDRESSES_LIMIT = 1024
"""Addresses that are counted; the least recent is forgotten."""


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


class AddressLimit:
    """So many events a minute from one address. `now` in seconds; 0 a minute means no limit."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, address: str, now: float) -> bool:
        """Count one event; False when it is one too many."""
        if self.per_minute <= 0:
            return True
        bucket = self._buckets.pop(address, None) or TokenBucket(self.per_minute / 60, self.per_minute)
        self._buckets[address] = bucket
        if len(self._buckets) > ADDRESSES_LIMIT:
            del self._buckets[next(iter(self._buckets))]
        return bucket.take(now)

    def check(self, address: str, now: float, what: str) -> None:
        """Count one event; `what` it is, for people. Raises `RefusedError` when it is one too many."""
        if not self.take(address, now):
            raise RefusedError(
                Refusal.RATE_LIMITED,
                "rate_limited",
                f"More than {self.per_minute} {what}; wait a moment.",
                retry_after=self.retry_after,
            )

    @property
    def retry_after(self) -> int:
        """Seconds until one more is let through."""
        return max(1, round(60 / self.per_minute)) if self.per_minute > 0 else 1
