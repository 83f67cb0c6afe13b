"""What an actor has to tell its engine, until the engine has read it. Event loop only, and without Ray.

Every piece has a number; whoever asks says which was the last that came. So an answer that got lost is given
again, and nothing is told twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Any

EVENTS_LIMIT = 1_000
"""Events that an engine may be behind: half an hour of heartbeats. The oldest gives way: by then the engine
has given the worker up, and begins with a new one."""
LINES_LIMIT = 2_000
"""Lines of a log; the oldest gives way, and is counted."""
WAIT_S = 5.0
"""How long a question waits for an answer: a worker that lives says something every two seconds."""
PART = 500
"""Pieces of one answer."""

Piece = tuple[int, dict[str, Any]]


class News:
    def __init__(self) -> None:
        self._number = 0
        self._events: deque[Piece] = deque(maxlen=EVENTS_LIMIT)
        self._lines: deque[Piece] = deque(maxlen=LINES_LIMIT)
        self._dropped = 0
        """Lines that were dropped since the last answer."""
        self._come = asyncio.Event()

    def put(self, **event: Any) -> None:
        self._events.append(self._numbered(event))
        self._come.set()

    def line(self, name: str, text: str) -> None:
        self._dropped += len(self._lines) == LINES_LIMIT
        self._lines.append(self._numbered({"line": text, "worker": name}))
        self._come.set()

    async def after(self, seen: int, within: float = WAIT_S) -> list[Piece]:
        """What has a higher number, in order; waits for so long when nothing has."""
        for kept in (self._events, self._lines):
            while kept and kept[0][0] <= seen:
                kept.popleft()
        if not self._events and not self._lines:
            self._come.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._come.wait()
        dropped, self._dropped = self._dropped, 0
        said: list[Piece] = [(0, {"dropped": dropped})] if dropped else []
        return said + sorted([*self._events, *self._lines], key=lambda piece: piece[0])[:PART]

    def _numbered(self, piece: dict[str, Any]) -> Piece:
        self._number += 1
        return self._number, piece
