"""Connections that have been announced and have no offer yet: an id, and the candidates that came early."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reactor_runtime.transports.port import IceCandidate

FIRST_ID, LAST_ID = 2**31, 2**32 - 1
"""What SDKs take for a connection id. It is the connection's secret: who knows it may take the place."""
PENDING_LIMIT = 64
"""Announced connections; one more forgets the oldest of the address that has announced most."""
PENDING_S = 30.0
CANDIDATES_LIMIT = 64
"""Candidates kept for one connection; what comes after is ignored."""


def new_id(taken: Container[int] = ()) -> int:
    """An id that cannot be guessed."""
    while True:
        connection_id = FIRST_ID + secrets.randbelow(LAST_ID - FIRST_ID + 1)
        if connection_id not in taken:
            return connection_id


@dataclass
class Pending:
    number: int
    expires: float
    address: str = ""
    candidates: list[IceCandidate] = field(default_factory=list)


class PendingConnections:
    """Event loop only. `now` in seconds."""

    def __init__(self) -> None:
        self._pending: dict[int, Pending] = {}

    def announce(self, number: int, now: float, taken: Container[int], address: str = "") -> int:
        """A new id for session `number`."""
        connection_id = new_id(taken)
        self.open(connection_id, number, now, address)
        return connection_id

    def open(self, connection_id: int, number: int, now: float, address: str = "") -> Pending:
        """The pending connection of this id, made if it is not there."""
        self._expire(now)
        pending = self._pending.get(connection_id)
        if pending is None or pending.number != number:
            while len(self._pending) >= PENDING_LIMIT:
                del self._pending[self._least_missed(address)]
            pending = self._pending[connection_id] = Pending(number, now + PENDING_S, address)
        return pending

    def known(self, connection_id: int, number: int, now: float) -> bool:
        self._expire(now)
        pending = self._pending.get(connection_id)
        return pending is not None and pending.number == number

    def address(self, connection_id: int) -> str | None:
        """Who announced this connection."""
        pending = self._pending.get(connection_id)
        return None if pending is None else pending.address

    def take(self, connection_id: int, number: int) -> list[IceCandidate]:
        """The offer is here: the candidates that came before it."""
        pending = self._pending.pop(connection_id, None)
        return pending.candidates if pending is not None and pending.number == number else []

    def add(
        self, connection_id: int, number: int, now: float, candidate: IceCandidate, address: str = ""
    ) -> None:
        candidates = self.open(connection_id, number, now, address).candidates
        if len(candidates) < CANDIDATES_LIMIT:
            candidates.append(candidate)

    def clear(self) -> None:
        self._pending.clear()

    def _least_missed(self, address: str) -> int:
        """The oldest of the address that has most; of the one that asks, where it is among those."""
        counts = Counter(pending.address for pending in self._pending.values())
        most = max(counts.values())
        loudest = address if counts[address] == most else next(a for a, n in counts.items() if n == most)
        return next(i for i, pending in self._pending.items() if pending.address == loudest)

    def _expire(self, now: float) -> None:
        self._pending = {i: p for i, p in self._pending.items() if p.expires > now}
