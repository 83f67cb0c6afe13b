"""When each frame leaves for the wire. Sans-IO: no threads, no clock of its own.

Rules, from the author's contract:

* A frame that finds nothing in front of it leaves at once, however late it is: a stall costs its own
  length and nothing after it.
* With a declared rate, frames leave on a grid of that rate; the model is held back, never its frames dropped.
* Without one, the frames of a batch are spread over the time the model needed for it, and no faster than the
  ceiling. That time is the median of the last few batches, so one slow step does not turn into slow motion.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from statistics import median_low
from typing import Generic, TypeVar

Item = TypeVar("Item")

CEILING_FPS = 60.0
"""The display's rate: a model that is faster is held back to it."""
QUEUE_S = 0.1
"""The queue in front of the wire holds one batch or this much, whichever is more."""
ESTIMATES = 5
"""Batches the estimate of the model's speed looks back on."""
STEPS = 8
"""Steps that the forecast of the next one looks back on."""
MARGIN = 1.5
"""A step is begun so early that it may take this many times the longest of those,"""
MARGIN_S = 0.003
"""and this much: a frame that comes too late is seen, one that waits is only older."""
CATCH_UP = 0.97
"""A batch is played this much faster than the model makes it, so that the next one finds the queue empty,"""
CATCH_UP_FRAMES = 0.5
"""but it ends at most this many frames early: more would be seen as a hitch after each long batch."""
GRID_SLACK = 1.0
"""Grid ticks a frame may be late and still belong to the old grid, so that jitter does not slow a fixed rate.
"""
WAKE_SLACK = 0.1
"""The same without a declared rate: as much as a thread wakes up late. More would bunch the next two frames.
"""


class Pacer(Generic[Item]):
    """The queue in front of the wire. `now` is in seconds of any monotonic clock. Not thread-safe."""

    def __init__(self, rate: float = 0.0, ceiling: float = CEILING_FPS) -> None:
        self._fixed = rate > 0
        self._floor = 1.0 / rate if rate > 0 else 1.0 / ceiling
        self._queue: deque[tuple[Item, bool]] = deque()
        self._costs: deque[float] = deque(maxlen=ESTIMATES)
        self._steps: deque[float] = deque(maxlen=STEPS)
        self._last: float | None = None
        self._longest = math.inf

    def __len__(self) -> int:
        return len(self._queue)

    def note_cost(self, count: int, cost: float) -> None:
        """Say that the model needed `cost` seconds for `count` frames, the time it was held back not counted.

        Comes before `has_room` and `push`: it also re-times what still waits, so that a first batch that was
        slow because of compilation does not play in slow motion.
        """
        self._steps.append(cost)
        if count > 1 and cost > 0:
            self._costs.append(cost / count * max(CATCH_UP, 1 - CATCH_UP_FRAMES / count))

    def has_room(self, count: int) -> bool:
        """Whether a batch of `count` may enter without making the queue longer than its bound."""
        if not self._queue:
            return True
        if count == 1:
            # Single frames are even by themselves; one that waits would only be older when it is seen.
            return False
        interval = self._interval(batched=True)
        return (len(self._queue) + count) * interval <= max(QUEUE_S, count * interval)

    def push(self, items: Sequence[Item]) -> None:
        """Add one batch."""
        batched = len(items) > 1
        self._queue.extend((item, batched) for item in items)

    def due(self, now: float) -> float | None:
        """When the next frame leaves: `now` or earlier means at once, None means that nothing waits."""
        if not self._queue:
            return None
        if self._last is None:
            return now
        return self._last + self._interval(self._queue[0][1])

    def begin_next(self, count: int) -> float:
        """When the model should begin its next step, if that gives `count` frames as well; may have passed.

        Just early enough for its frames to be there when their turn comes: what is made earlier only gets
        older, and knows less of what the user does meanwhile.
        """
        if self._last is None or len(self._steps) < 2:
            return -math.inf
        longest = max(self._steps)
        lead = longest * MARGIN + MARGIN_S
        if count == 1:
            interval = self._interval(batched=False)
            if longest > interval:
                return -math.inf
            # Steps that fit between two frames begin when the frame before has left at the latest.
            lead = min(lead, interval)
        return self.due_next(count) - lead

    def due_next(self, count: int) -> float:
        """When the first frame of a batch of `count` would leave that is pushed now; may have passed."""
        if self._last is None:
            return -math.inf
        return self._last + (len(self._queue) + 1) * self._interval(count > 1)

    def pop(self, now: float) -> Item | None:
        """The next frame if its time has come."""
        due = self.due(now)
        if due is None or due > now:
            return None
        item, batched = self._queue.popleft()
        slack = GRID_SLACK if self._fixed else WAKE_SLACK
        on_grid = self._last is not None and now - due <= slack * self._interval(batched)
        self._last = due if on_grid else now
        return item

    def pop_any(self) -> Item | None:
        """The next frame, whatever its time."""
        return self._queue.popleft()[0] if self._queue else None

    def drain(self, within: float) -> None:
        """Nothing comes after what waits now: let it out in `within` seconds if its own pace takes longer."""
        if self._queue:
            self._longest = within / len(self._queue)

    def clear(self) -> int:
        """Drop everything; returns how many that were."""
        dropped = len(self._queue)
        self._queue.clear()
        return dropped

    def _interval(self, batched: bool) -> float:
        interval = self._floor
        if batched and self._costs and not self._fixed:
            interval = max(interval, median_low(self._costs))
        return min(interval, self._longest)
