"""What the broker decides goes into the store, in batches, while nobody waits for it."""

from __future__ import annotations

import asyncio
import dataclasses
import logging

from .broker import Broker
from .records import Ticket
from .stores import Store

log = logging.getLogger(__name__)

SAVE_AGAIN_S = 5.0
"""After a write to the store failed."""


class Saving:
    """Event loop; the store itself is read and written on a thread."""

    def __init__(self, store: Store, broker: Broker) -> None:
        self._store = store
        self._broker = broker
        self._unsaved = asyncio.Event()

    async def load(self) -> tuple[int, list[Ticket]]:
        """The newest epoch and the tickets that the store remembers."""
        return await asyncio.to_thread(self._store.load)

    def look(self) -> None:
        """Something may have changed."""
        if self._broker.changed:
            self._unsaved.set()

    async def run(self) -> None:
        """Write whatever changes. Never ends."""
        while True:
            await self._unsaved.wait()
            self._unsaved.clear()
            batch = self._batch()
            try:
                await asyncio.to_thread(self._store.save, *batch)
            except Exception:  # a store that is lost costs places after a restart, and nothing now
                log.exception("The store of the fleet cannot be written; it is tried again")
                self._broker.changed.update([*(ticket.id for ticket in batch[1]), *batch[2]])
                await asyncio.sleep(SAVE_AGAIN_S)
                self._unsaved.set()

    async def close(self) -> None:
        """Write the rest."""
        await asyncio.to_thread(self._store.save, *self._batch())
        self._store.close()

    def _batch(self) -> tuple[int, list[Ticket], list[str]]:
        tickets = self._broker.tickets
        changed, gone = [], []
        for ticket_id in self._broker.changed:
            ticket = tickets.get(ticket_id)
            if ticket is None:
                gone.append(ticket_id)
            else:
                changed.append(dataclasses.replace(ticket))
        self._broker.changed.clear()
        return self._broker.epoch, changed, gone
