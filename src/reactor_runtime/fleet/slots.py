"""The places for workers: what their workers are called, and which of them rest.

A worker that ends leaves its slot to the next one. A slot whose worker has ended by itself three times within
five minutes is failing, and rests until the oldest of these is five minutes ago.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

FAILURES, FAILURE_WINDOW_S = 3, 300.0
"""So many ends within so long make a slot failing."""


@dataclass
class Slot:
    number: int
    gpu: str | None = None
    """Which one its workers see, where the engine says so."""
    taken: bool = False
    starts: int = 0
    ends: deque[float] = field(default_factory=lambda: deque(maxlen=FAILURES))

    @property
    def name(self) -> str:
        return f"w{self.number}"

    def failing(self, now: float) -> bool:
        return len(self.ends) == FAILURES and now - self.ends[0] < FAILURE_WINDOW_S

    def next_name(self) -> str:
        self.starts += 1
        return self.name if self.starts == 1 else f"{self.name}-{self.starts}"


class Slots:
    """Event loop only."""

    def __init__(self, count: int, gpus: Sequence[str], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._slots = [Slot(n + 1, gpus[n % len(gpus)] if gpus else None) for n in range(count)]
        self.of: dict[str, Slot] = {}
        """By worker, while it has one."""
        self._changed = asyncio.Event()

    async def take(self, leaving: Callable[[], bool], within: float) -> str | None:
        """A free slot for a new worker, whose name this is; None when there is none.

        While a worker is leaving its slot is waited for: it is told to end, and does.
        """
        if self._free() is None and leaving():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self.until(lambda: self._free() is not None)
        slot = self._free()
        if slot is None:
            return None
        name = slot.next_name()
        slot.taken, self.of[name] = True, slot
        return name

    def give_back(self, worker: str, *, by_itself: bool = False) -> Slot | None:
        """The worker is gone. Returns the slot when that makes it a failing one."""
        slot = self.of.pop(worker)
        slot.taken = False
        self._changed.set()
        self._changed = asyncio.Event()
        if not by_itself:
            return None
        slot.ends.append(self._clock())
        if not slot.failing(self._clock()):
            return None
        log.error("Slot %d fails: its worker ended %d times within minutes", slot.number, FAILURES)
        return slot

    async def until(self, condition: Callable[[], bool]) -> None:
        """Looks again whenever a slot is given back."""
        while not condition():
            await self._changed.wait()

    def why_no_room(self) -> str:
        failing = sum(slot.failing(self._clock()) for slot in self._slots)
        return f"{failing} of {len(self._slots)} slots are failing" if failing else "every slot is taken"

    def _free(self) -> Slot | None:
        now = self._clock()
        return next((s for s in self._slots if not s.taken and not s.failing(now)), None)
