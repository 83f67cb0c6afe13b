"""What happened, numbered: the events that `/events` streams. Event loop only; the clock is injected."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, replace
from typing import Any

from reactor_runtime.clock import Clock, timeout
from reactor_runtime.errors import Refusal, RefusedError

HISTORY = 4096
"""Events kept for clients that resume."""
FOLLOWERS_LIMIT = 64
"""Streams at a time."""
FOLLOWERS_PER_ADDRESS = 16
"""Those of one address, so that one reader that opens stream after stream leaves some to others."""
OF_A_SESSION = frozenset({"connection", "command"})
"""What an event tells about the people of a session: kept until that ends."""
BATCH = 256
"""Events that a stream is given at once."""
BATCH_EVERY_S = 0.1
"""A stream that was given events waits so long for more: many events are few writes."""


@dataclass(frozen=True)
class JournalEvent:
    """`seq` grows by one; a gap tells a reader that it has missed something. `at` is Unix time in seconds."""

    seq: int
    at: float
    kind: str
    data: dict[str, Any]


class Journal:
    def __init__(self, clock: Clock, history: int = HISTORY) -> None:
        self._clock = clock
        self._events: deque[JournalEvent] = deque(maxlen=history)
        self._seq = 0
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self.followers = 0
        self._by_address: Counter[str] = Counter()

    @property
    def last(self) -> int:
        return self._seq

    @property
    def oldest(self) -> int:
        """The number of the oldest event that is kept; that of the next one when there is none."""
        return self._events[0].seq if self._events else self._seq + 1

    def add(self, kind: str, **data: Any) -> None:
        self._seq += 1
        self._events.append(JournalEvent(self._seq, self._clock.unix(), kind, data))
        self._wake()

    def forget(self, session: int) -> None:
        """The session of this number has ended: what comes after shall not tell who did what in it."""
        for index, event in enumerate(self._events):
            if event.data.get("session") == session and not OF_A_SESSION.isdisjoint(event.data):
                kept = {name: value for name, value in event.data.items() if name not in OF_A_SESSION}
                self._events[index] = replace(event, data=kept)

    def close(self) -> None:
        """End every stream, so that a shutdown waits for none of them."""
        self._closing.set()
        self._wake()

    def since(self, seq: int, limit: int = BATCH) -> list[JournalEvent]:
        """The `limit` oldest events after `seq`; the numbers have no holes, so none is looked for."""
        kept = len(self._events)
        first = max(0, kept - (self._seq - seq))
        # By index, and not from the front: readers that keep up want the last few of thousands.
        return [self._events[index] for index in range(first, min(kept, first + limit))]

    @contextlib.contextmanager
    def place(self, address: str = "") -> Iterator[None]:
        """Count a stream before it is given. Raises `RefusedError` when there are too many.

        Those without an `address`, such as those of this machine, count only together.
        """
        if self.followers >= FOLLOWERS_LIMIT:
            raise _too_many(f"{FOLLOWERS_LIMIT} streams are open already.")
        if address and self._by_address[address] >= FOLLOWERS_PER_ADDRESS:
            raise _too_many(f"{FOLLOWERS_PER_ADDRESS} streams from your address are open already.")
        self.followers += 1
        self._by_address[address] += 1
        try:
            yield
        finally:
            self.followers -= 1
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    async def follow(self, seq: int, heartbeat: float) -> AsyncGenerator[list[JournalEvent]]:
        """Events after `seq` as they happen; none of them every `heartbeat` seconds of silence.

        A reader that is slower than the history misses the oldest; the numbers tell it so.
        """
        while True:
            changed = self._changed
            events = self.since(seq)
            if events:
                seq = events[-1].seq
                yield events
                if len(events) < BATCH:
                    await self._pause()
                continue
            if self._closing.is_set():
                return
            try:
                # Not wait_for, which swallows a cancellation that comes with an event (Python 3.11).
                async with timeout(self._clock, heartbeat):
                    await changed.wait()
            except TimeoutError:
                yield []

    async def _pause(self) -> None:
        """Until more events are worth a write; a closed journal has no more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BATCH_EVERY_S):
                await self._closing.wait()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _too_many(detail: str) -> RefusedError:
    return RefusedError(Refusal.BUSY, "too_many_streams", detail, retry_after=10)
