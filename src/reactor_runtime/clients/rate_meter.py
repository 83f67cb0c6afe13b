"""Bits a second of a counter of bytes. Sans-IO."""

from __future__ import annotations

WINDOW_S = 1.0
"""The shortest time that a rate is told over, once a stream is that old."""


class RateMeter:
    """Nothing is done between two looks: a rate is what has gone since an earlier look, at least `WINDOW_S`
    before, or since the beginning."""

    def __init__(self, now: float) -> None:
        self._from = self._last = (now, 0)

    def look(self, now: float, total: int) -> int:
        """`total` bytes have gone by `now` seconds."""
        if now - self._last[0] >= WINDOW_S:
            self._from, self._last = self._last, (now, total)
        began, before = self._from
        return round(8 * (total - before) / (now - began)) if now > began else 0
