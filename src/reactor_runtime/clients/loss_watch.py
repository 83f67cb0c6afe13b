"""Which client loses parts of a video and does not ask for a keyframe. Sans-IO.

A browser asks (PLI, RFC 4585). A receiver that never does keeps a broken picture for ever, because keyframes
come on request only.
"""

from __future__ import annotations

PATIENCE_S = 1.0
"""What was lost may be sent again, or asked for, within this."""
MEMORY_S = 30.0
"""Without a further loss a client's picture is whole after this long, whatever it had missed."""


class LossWatch:
    """One video of one client; `now` is in seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._asks = False
        """It has sent a PLI or a FIR: it will again."""
        self._lost = 0
        self._first: float | None = None
        self._last = 0.0

    def silent(self, now: float, packets_lost: int, requests: int) -> bool:
        """Whether it has lost something and did not ask, by the totals that its reports come to now."""
        self._asks = self._asks or requests > 0
        if packets_lost > self._lost:
            self._lost = packets_lost
            self._last = now
            self._first = now if self._first is None else self._first
        if self._first is not None and now - self._last > MEMORY_S:
            self._first = None
        return not self._asks and self._first is not None and now - self._first >= PATIENCE_S
