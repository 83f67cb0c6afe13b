"""What outlives the gateway: the tickets and the number of the newest lease.

`Broker.changed` says which tickets a store has not seen as they are; `writing` writes them on a thread of its
own, one batch at a time, so that a slow disk holds nobody up. A store that is lost or broken costs places in
the line, never a running session: workers announce their leases themselves.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from reactor_runtime.errors import FleetError

from .records import Ticket, TicketState

SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
BUSY_S = 5.0
"""How long a write waits for somebody who reads the file, such as an operator with `sqlite3`."""
_FIELDS = frozenset(field.name for field in dataclasses.fields(Ticket))


class Store(Protocol):
    """Used by one thread at a time."""

    def load(self) -> tuple[int, list[Ticket]]:
        """The newest epoch, and the tickets in the order of the line."""
        ...

    def save(self, epoch: int, changed: Iterable[Ticket], gone: Iterable[str]) -> None:
        """All of it or nothing. The epoch never goes back."""
        ...

    def close(self) -> None: ...


class MemoryStore:
    """Remembers nothing after a restart."""

    def __init__(self) -> None:
        self._epoch = 0
        self._tickets: dict[str, Ticket] = {}

    def load(self) -> tuple[int, list[Ticket]]:
        kept = (dataclasses.replace(ticket) for ticket in self._tickets.values())
        return self._epoch, sorted(kept, key=lambda ticket: ticket.order)

    def save(self, epoch: int, changed: Iterable[Ticket], gone: Iterable[str]) -> None:
        self._epoch = max(self._epoch, epoch)
        for ticket_id in gone:
            self._tickets.pop(ticket_id, None)
        self._tickets.update((ticket.id, dataclasses.replace(ticket)) for ticket in changed)

    def close(self) -> None:
        pass


class SqliteStore:
    """One file, in WAL: a killed process loses at most the batch that was being written."""

    def __init__(self, path: Path) -> None:
        """Raises `FleetError` (`store`)."""
        try:
            self._db = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(SCHEMA)
        except sqlite3.Error as error:
            self._db.close()
            raise _unusable(path, error) from error

    def load(self) -> tuple[int, list[Ticket]]:
        found = self._db.execute("SELECT value FROM numbers WHERE name = 'epoch'").fetchone()
        rows = self._db.execute("SELECT body FROM tickets").fetchall()
        tickets = [ticket for (body,) in rows if (ticket := _read(body)) is not None]
        return (found[0] if found else 0), sorted(tickets, key=lambda ticket: ticket.order)

    def save(self, epoch: int, changed: Iterable[Ticket], gone: Iterable[str]) -> None:
        written = [(ticket.id, json.dumps(dataclasses.asdict(ticket))) for ticket in changed]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("DELETE FROM tickets WHERE id = ?", [(ticket_id,) for ticket_id in gone])
            self._db.executemany("INSERT OR REPLACE INTO tickets VALUES (?, ?)", written)
            self._db.execute(
                "INSERT INTO numbers VALUES ('epoch', ?) ON CONFLICT (name) DO UPDATE SET value = max(value, "
                "excluded.value)",
                (epoch,),
            )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


def _unusable(path: Path, error: Exception) -> FleetError:
    return FleetError("store", f"{path} cannot be the store of a fleet: {error}. Name another with --store.")


def _read(body: str) -> Ticket | None:
    """None for what no version of ours has written: one row costs no other ticket its place."""
    try:
        found: Any = json.loads(body)
        known = {name: value for name, value in found.items() if name in _FIELDS}
        return Ticket(**{**known, "state": TicketState(known["state"])})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
