"""Conditions of a server that tell nobody when they come about, and time that does not pass."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from reactor_runtime.clients.ratelimit import TokenBucket
from reactor_runtime.testing import MemoryServer

WITHIN = 5.0


async def until(condition: Callable[[], object]) -> None:
    """Looked at with every turn of the loop. Raises `TimeoutError`."""
    async with asyncio.timeout(WITHIN):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


def in_one_moment(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """However long the requests of a test take: no limit gives anything back meanwhile.

    Returns what lets so many seconds pass.
    """
    take, now = TokenBucket.take, 0.0

    def passes(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(TokenBucket, "take", lambda bucket, _: take(bucket, now))
    return passes


async def for_a_seat(server: MemoryServer) -> None:
    """Return when an offer waits for a seat: it is the only one that sees every change."""
    places = server.worker.signalling.seats
    await until(lambda: places._changed._waiters)  # type: ignore[attr-defined] # asyncio's own list
