"""What a worker has said of itself, kept for a reader who comes later. Without a loop or a clock."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from .engine import Announced, Event, Freed, Refused, Started, Taken
from .records import Lease


@dataclass
class Known:
    name: str
    pid: int = 0
    lost: bool = False
    """Nothing more is said of it."""
    _announced: Announced | None = None
    _granted: dict[int, Lease] = field(default_factory=dict)
    """By epoch, those whose answer has not come."""
    _lease: Lease | None = None
    """The one that is served, while `_session` is set."""
    _session: str = ""
    _taken_at: float = 0.0
    _epoch: int = 0

    def granted(self, lease: Lease) -> None:
        self._granted[lease.epoch] = lease

    def hear(self, event: Event, now: float) -> None:
        match event:
            case Announced():
                self._announced, self._epoch = event, max(self._epoch, event.epoch)
            case Taken():
                self._lease = self._granted.pop(event.epoch, None)
                self._epoch, self._session, self._taken_at = event.epoch, event.session, now
            case Refused():
                self._granted.pop(event.epoch, None)
            case Freed():
                self._session = ""

    def present(self, now: float) -> Event:
        """What a new reader hears of it."""
        if self._announced is None:
            return Started(self.name, self.pid)
        found = dataclasses.replace(self._announced, epoch=self._epoch, pid=self.pid)
        lease = self._lease
        if lease is None or not self._session:
            return found
        left = max(0.1, lease.seconds - (now - self._taken_at)) if lease.seconds else 0.0
        return dataclasses.replace(
            found, ticket=lease.ticket, session=self._session, address=lease.address, left=left
        )
