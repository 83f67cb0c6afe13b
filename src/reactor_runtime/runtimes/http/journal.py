"""What happened, numbered: the events that `/events` streams. Event loop only; the clock is injected."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

HISTORY = 4096
"""Events kept for clients that resume."""


@dataclass(frozen=True)
class JournalEvent:
    """`seq` grows by one; a gap tells a reader that it has missed something. `at` is Unix time in seconds."""

    seq: int
    at: float
    kind: str
    data: dict[str, Any]


class Journal:
    def __init__(self, clock: Callable[[], float], history: int = HISTORY) -> None:
        self._clock = clock
        self._events: deque[JournalEvent] = deque(maxlen=history)
        self._seq = 0
        self._changed = asyncio.Condition()
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def last(self) -> int:
        return self._seq

    def add(self, kind: str, **data: Any) -> None:
        self._seq += 1
        self._events.append(JournalEvent(self._seq, self._clock(), kind, data))
        self._wake()

    def close(self) -> None:
        """End every stream, so that a shutdown waits for none of them."""
        self._closed = True
        self._wake()

    def since(self, seq: int) -> list[JournalEvent]:
        return [event for event in self._events if event.seq > seq]

    async def follow(self, seq: int, heartbeat: float) -> AsyncIterator[JournalEvent | None]:
        """Events after `seq` as they happen; None every `heartbeat` seconds of silence."""
        while not self._closed:
            events = self.since(seq)
            for event in events:
                seq = event.seq
                yield event
            if events:
                continue
            try:
                async with asyncio.timeout(heartbeat), self._changed:
                    await self._changed.wait()
            except TimeoutError:
                yield None

    def _wake(self) -> None:
        task = asyncio.ensure_future(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
