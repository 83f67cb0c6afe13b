"""Deadlines by kind and owner. One that was moved or cancelled is passed over when its old time comes."""

from __future__ import annotations

import heapq
from collections.abc import Iterator


class Deadlines:
    """A heap with lazy removal: setting costs a logarithm, however many owners there are."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, str, str]] = []
        self._at: dict[tuple[str, str], float] = {}

    def set(self, kind: str, owner: str, at: float) -> None:
        if self._at.get((kind, owner)) != at:
            self._at[kind, owner] = at
            heapq.heappush(self._heap, (at, kind, owner))

    def cancel(self, kind: str, owner: str) -> None:
        self._at.pop((kind, owner), None)

    def has(self, kind: str, owner: str) -> bool:
        return (kind, owner) in self._at

    def next(self) -> float | None:
        """When something is due; None when nothing is."""
        self._clean()
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> Iterator[tuple[str, str]]:
        """Kinds and owners whose time has come, earliest first. Each is given once."""
        while True:
            self._clean()
            if not self._heap or self._heap[0][0] > now:
                return
            _, kind, owner = heapq.heappop(self._heap)
            del self._at[kind, owner]
            yield kind, owner

    def _clean(self) -> None:
        while self._heap and self._at.get(self._heap[0][1:]) != self._heap[0][0]:
            heapq.heappop(self._heap)
