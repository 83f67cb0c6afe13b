"""When sound leaves for the wire. Sans-IO: no threads, no clock of its own.

Sound has no "late": a receiver plays 10 ms every 10 ms. So the wire gets one frame for each tick of the wall
clock, whatever the model does, and a frame of silence where there is nothing to play.
"""

from __future__ import annotations

WIRE_RATE = 48_000
"""Opus runs at 48 kHz, whatever the model does."""
TICK_S = 0.01
"""The frame of the media engine."""
TICK_SAMPLES = 480
CATCH_UP_TICKS = 5
"""A sender that was held up makes up for 50 ms; receivers have long played silence for the rest."""


class AudioClock:
    """Counts the ticks of a wall clock, `now`, in seconds. Paused until `start`. Not thread-safe."""

    def __init__(self) -> None:
        self.skipped = 0
        """Ticks that were never sent, because the sender was held up for longer than it may catch up."""
        self._base: float | None = None
        self._count = 0

    @property
    def running(self) -> bool:
        return self._base is not None

    def start(self, now: float) -> None:
        """Run from `now` on. What was not sent during a pause is no debt."""
        if self._base is None:
            self._base, self._count = now, 0

    def pause(self) -> None:
        self._base = None

    def next_tick(self) -> float | None:
        """When the next tick is due; None while paused."""
        # Counted, not added up: a sum of hundredths would drift.
        return None if self._base is None else self._base + self._count * TICK_S

    def take(self, now: float) -> list[float]:
        """The times of the ticks that are due, oldest first; at most `CATCH_UP_TICKS`."""
        if self._base is None:
            return []
        due = int((now - self._base) / TICK_S + 1e-6) + 1 - self._count
        if due <= 0:
            return []
        late = max(0, due - CATCH_UP_TICKS)
        self.skipped += late
        first = self._count + late
        self._count += due
        return [self._base + number * TICK_S for number in range(first, self._count)]
