"""How many workers are wanted, and how long the line is in time. Sans-IO."""

from __future__ import annotations

from collections.abc import Collection

from .limits import FleetLimits
from .records import Ticket, Worker, WorkerState

_MEAN_WEIGHT = 0.2
"""How much the last session counts in the mean length."""


class Scaling:
    """What was asked of an engine and has not come yet."""

    def __init__(self) -> None:
        self._starting = 0
        """Starts that no worker stands for yet."""

    def came(self) -> None:
        """A start that was asked for became a worker, or failed."""
        self._starting = max(0, self._starting - 1)

    def ask(
        self,
        limits: FleetLimits,
        workers: Collection[Worker],
        head: Ticket | None,
        waiting: int,
        now: float,
    ) -> tuple[int, float | None]:
        """How many to start now: what is missing to the minimum, or one when the head has waited long enough;
        and when to ask again."""
        there = len(workers) + self._starting
        wanted, again = max(0, limits.workers_min - there), None
        on_their_way = self._starting + sum(w.state is WorkerState.STARTING for w in workers)
        if head is not None and wanted == 0 and there < limits.workers_max and on_their_way < waiting:
            due = head.joined + limits.scale_after
            if due <= now:
                wanted = 1
            again = due if due > now else now + limits.scale_after
        self._starting += wanted
        return wanted, again


class Lengths:
    """How long sessions last, and what that means for who waits."""

    def __init__(self) -> None:
        self.mean_s = 0.0

    def learn(self, seconds: float) -> None:
        before = self.mean_s
        self.mean_s = before + _MEAN_WEIGHT * (seconds - before) if before else seconds

    def eta(self, position: int, workers: Collection[Worker], cap: float) -> float | None:
        """When this place's turn comes; None while nothing is known."""
        serving = sum(not w.draining and w.state is not WorkerState.STARTING for w in workers)
        mean = self.mean_s or cap
        return round(position * mean / serving, 1) if position and serving and mean else None
