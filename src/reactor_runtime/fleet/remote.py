"""An engine in another process, over a pair of sockets: lines of JSON both ways.

So the gateway may die and come back while the engine and its workers go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from .engine import Engine, Event, from_json, to_json
from .records import Lease

log = logging.getLogger(__name__)

LINE_LIMIT = 1024 * 1024
"""Bytes of one message: the last lines of a failing worker are the longest."""


async def serve(engine: Engine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the other side goes. The engine is opened and closed by whoever calls this."""
    telling = asyncio.get_running_loop().create_task(_tell(engine, writer))
    try:
        while line := await reader.readline():
            _do(engine, json.loads(line))
    except (OSError, ValueError) as error:
        log.warning("The gateway's connection to the engine broke: %s", error)
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await telling
        writer.close()


async def _tell(engine: Engine, writer: asyncio.StreamWriter) -> None:
    async with aclosing(engine.events()) as events:
        async for event in events:
            writer.write(json.dumps(to_json(event)).encode() + b"\n")
            await writer.drain()


def _do(engine: Engine, message: dict[str, Any]) -> None:
    match message:
        case {"do": "start"}:
            engine.start()
        case {"do": "stop", "worker": worker, "at_once": at_once}:
            engine.stop(worker, at_once=at_once)
        case {"do": "grant", "lease": lease}:
            engine.grant(Lease(**lease))
        case {"do": "revoke", "worker": worker, "epoch": epoch, "reason": reason}:
            engine.revoke(worker, epoch, reason)
        case _:
            raise ValueError(f"unknown message {str(message)[:80]}")


class RemoteEngine:
    """The same engine, seen from the other side. Event loop only."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def open(self) -> None:
        pass

    def start(self) -> None:
        self._send(do="start")

    def stop(self, worker: str, *, at_once: bool = False) -> None:
        self._send(do="stop", worker=worker, at_once=at_once)

    def grant(self, lease: Lease) -> None:
        self._send(do="grant", lease=dataclasses.asdict(lease))

    def revoke(self, worker: str, epoch: int, reason: str) -> None:
        self._send(do="revoke", worker=worker, epoch=epoch, reason=reason)

    async def events(self) -> AsyncGenerator[Event]:
        """Once: a connection tells from its beginning. It ends when the engine's process does."""
        while line := await self._reader.readline():
            yield from_json(json.loads(line))

    async def close(self) -> None:
        self._writer.close()

    def _send(self, **message: Any) -> None:
        # Not drained: messages are few and small, and a socket pair holds hundreds of them.
        self._writer.write(json.dumps(message).encode() + b"\n")
