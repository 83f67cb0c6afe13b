"""Conditions of a server that tell nobody when they come about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reactor_runtime.testing import MemoryServer

WITHIN = 5.0


async def until(condition: Callable[[], object]) -> None:
    """Looked at with every turn of the loop. Raises `TimeoutError`."""
    async with asyncio.timeout(WITHIN):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


async def for_a_seat(server: MemoryServer) -> None:
    """Return when an offer waits for a seat: it is the only one that sees every change."""
    places = server.worker.signalling.seats
    await until(lambda: places._changed._waiters)  # type: ignore[attr-defined] # asyncio's own list
