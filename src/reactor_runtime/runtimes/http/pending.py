"""Connections that have been announced and have no offer yet: an id, and the candidates that came early."""

from __future__ import annotations

import secrets
from collections.abc import Container
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reactor_runtime.errors import RequestError

if TYPE_CHECKING:
    from reactor_runtime.transports.port import IceCandidate

FIRST_ID, LAST_ID = 1002, 9999
"""What SDKs take for a connection id; 1001 is the one of clients that know of only one."""
PENDING_LIMIT = 64
"""Announced connections; one more forgets the oldest, which locks nobody out."""
PENDING_S = 30.0
CANDIDATES_LIMIT = 64
"""Candidates kept for one connection; what comes after is ignored."""


@dataclass
class Pending:
    number: int
    expires: float
    candidates: list[IceCandidate] = field(default_factory=list)


class PendingConnections:
    """Event loop only. `now` in seconds."""

    def __init__(self) -> None:
        self._pending: dict[int, Pending] = {}

    def announce(self, number: int, now: float, taken: Container[int]) -> int:
        """A new id for session `number`, hard to guess within what clients accept."""
        self._expire(now)
        for _ in range(1000):
            connection_id = FIRST_ID + secrets.randbelow(LAST_ID - FIRST_ID + 1)
            if connection_id not in self._pending and connection_id not in taken:
                self.open(connection_id, number, now)
                return connection_id
        raise RequestError(503, "no_connection_id", "No connection id is free; try again.", retry_after=1)

    def open(self, connection_id: int, number: int, now: float) -> Pending:
        """The pending connection of this id, made if it is not there."""
        self._expire(now)
        pending = self._pending.get(connection_id)
        if pending is None or pending.number != number:
            while len(self._pending) >= PENDING_LIMIT:
                del self._pending[next(iter(self._pending))]
            pending = self._pending[connection_id] = Pending(number, now + PENDING_S)
        return pending

    def known(self, connection_id: int, number: int, now: float) -> bool:
        self._expire(now)
        pending = self._pending.get(connection_id)
        return pending is not None and pending.number == number

    def take(self, connection_id: int, number: int) -> list[IceCandidate]:
        """The offer is here: the candidates that came before it."""
        pending = self._pending.pop(connection_id, None)
        return pending.candidates if pending is not None and pending.number == number else []

    def add(self, connection_id: int, number: int, now: float, candidate: IceCandidate) -> None:
        candidates = self.open(connection_id, number, now).candidates
        if len(candidates) < CANDIDATES_LIMIT:
            candidates.append(candidate)

    def clear(self) -> None:
        self._pending.clear()

    def _expire(self, now: float) -> None:
        self._pending = {i: p for i, p in self._pending.items() if p.expires > now}
