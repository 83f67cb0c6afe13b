"""What happened, numbered: the events that `/events` streams. Event loop only; the clock is injected."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from typing import Any

HISTORY = 4096
"""Events kept for clients that resume."""
FOLLOWERS_LIMIT = 64
"""Streams at a time."""
OF_A_SESSION = frozenset({"connection", "command"})
"""What an event tells about the people of a session: kept until that ends."""


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
        self._changed = asyncio.Event()
        self._closed = False
        self.followers = 0

    @property
    def last(self) -> int:
        return self._seq

    @property
    def oldest(self) -> int:
        """The number of the oldest event that is kept; that of the next one when there is none."""
        return self._events[0].seq if self._events else self._seq + 1

    def add(self, kind: str, **data: Any) -> None:
        self._seq += 1
        self._events.append(JournalEvent(self._seq, self._clock(), kind, data))
        self._wake()

    def forget(self, session: int) -> None:
        """The session of this number has ended: what comes after shall not tell who did what in it."""
        for index, event in enumerate(self._events):
            if event.data.get("session") == session and not OF_A_SESSION.isdisjoint(event.data):
                kept = {name: value for name, value in event.data.items() if name not in OF_A_SESSION}
                self._events[index] = replace(event, data=kept)

    def close(self) -> None:
        """End every stream, so that a shutdown waits for none of them."""
        self._closed = True
        self._wake()

    def since(self, seq: int) -> list[JournalEvent]:
        return [event for event in self._events if event.seq > seq]

    async def follow(self, seq: int, heartbeat: float) -> AsyncGenerator[JournalEvent | None]:
        """Events after `seq` as they happen; None every `heartbeat` seconds of silence.

        A reader that is slower than the history misses the oldest; the numbers tell it so.
        """
        self.followers += 1
        try:
            while True:
                changed = self._changed
                events = self.since(seq)
                for event in events:
                    seq = event.seq
                    yield event
                if events:
                    continue
                if self._closed:
                    return
                try:
                    # Not wait_for, which swallows a cancellation that comes with an event (Python 3.11).
                    async with asyncio.timeout(heartbeat):
                        await changed.wait()
                except TimeoutError:
                    yield None
        finally:
            self.followers -= 1

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
