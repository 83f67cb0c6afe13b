"""Events on their way to the one who reads them. Event loop only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable

from .engine import Event, Present

log = logging.getLogger(__name__)

EVENTS_LIMIT = 10_000
"""Events that a reader may be behind: minutes of a hundred workers. One that is slower is cut off, and begins
again with what is then."""


class Readers:
    """There is one reader at a time: a new one takes the place of the one before."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event | None] | None = None

    def put(self, event: Event) -> None:
        """Nobody reads: it is dropped, since the next reader begins with what is then."""
        if self._queue is None:
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            # The trace would say nothing: whoever puts is not the one who is slow.
            log.error(  # noqa: TRY400  # as said above
                "The reader of the engine's events is %d behind and is cut off", EVENTS_LIMIT
            )
            self._end()

    def read(self, present: Iterable[Event]) -> AsyncGenerator[Event]:
        """What is there now, and from now on what happens."""
        self._end()
        queue: asyncio.Queue[Event | None] = asyncio.Queue(EVENTS_LIMIT)
        self._queue = queue
        return self._follow(queue, present)

    async def _follow(
        self, queue: asyncio.Queue[Event | None], present: Iterable[Event]
    ) -> AsyncGenerator[Event]:
        for event in (*present, Present()):
            yield event
        try:
            while (following := await queue.get()) is not None:
                yield following
        finally:
            if self._queue is queue:
                self._queue = None

    def _end(self) -> None:
        """The reader gets what waits, where there is room for the end; else the oldest gives way to it."""
        queue, self._queue = self._queue, None
        if queue is not None:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)
