"""Media over TCP on the HTTP port: a client's connection, and the engine's for the same peer, joined.

Event loop only. Nothing is read into what passes, beyond the first frame: the engine checks it all.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol, cast

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from reactor_runtime.runtimes.door.connections import Slot
from reactor_runtime.transports.stun import NotStunError, first_frame, server_user

log = logging.getLogger(__name__)

BACKLOG_LIMIT = 2**20
"""Bytes that wait for one side. More is a network that does not carry it: the connection ends, and the client
makes another one."""
OPEN_S = 5.0
"""How long the engine may take to listen, and to accept."""


class Place(Protocol):
    async def address(self) -> tuple[str, int]:
        """Where a peer's media is taken. Waits without a limit."""
        ...


class Places(Protocol):
    def find(self, user: str) -> Place | None:
        """By the ufrag that a client names us by."""
        ...


class MediaPort:
    """What is counted of all of them, and where their peers are."""

    def __init__(self, peers: Places) -> None:
        self.peers = peers
        self.joined = 0
        """Connections that carry media now."""
        self.opened = 0
        self.bytes: Counter[str] = Counter()
        """By direction, `in` and `out`."""
        self.closed: Counter[str] = Counter()
        """How many the server ended: `malformed`, `unknown_peer`, `no_engine`, `backlog`."""

    def collect(self) -> Iterable[Metric]:
        """For a registry of Prometheus."""
        yield GaugeMetricFamily(
            "reactor_tcp_media_connections", "Connections to the HTTP port that carry media", self.joined
        )
        yield CounterMetricFamily("reactor_tcp_media_opened", "Connections that carried media", self.opened)
        passed = CounterMetricFamily("reactor_tcp_media_bytes", "Media over TCP", labels=["direction"])
        for direction in ("in", "out"):
            passed.add_metric([direction], self.bytes[direction])
        yield passed
        closed = CounterMetricFamily("reactor_tcp_media_closed", "Ended by the server", labels=["reason"])
        for reason, number in self.closed.items():
            closed.add_metric([reason], number)
        yield closed


class Splice(asyncio.Protocol):
    """The client's side. Holds what comes until the engine's side is open."""

    def __init__(self, media: MediaPort, slot: Slot, loop: asyncio.AbstractEventLoop) -> None:
        self._media = media
        self._slot = slot
        self._loop = loop
        self._first = bytearray()
        self._opening: asyncio.Task[None] | None = None
        self._engine: _EngineSide | None = None
        self._over = False
        self.left: Callable[[], None] = lambda: None
        """Called when the connection is gone."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=BACKLOG_LIMIT)

    def data_received(self, data: bytes) -> None:
        if self._engine is not None:
            self._media.bytes["in"] += len(data)
            self._engine.transport.write(data)
            return
        self._first += data
        if self._opening is not None:
            return
        try:
            message = first_frame(self._first)
            user = None if message is None else server_user(message)
        except NotStunError as error:
            self.end("malformed", str(error))
            return
        if user is not None:
            self._find(user)

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True
        self._slot.leave()
        self.left()
        if self._opening is not None:
            self._opening.cancel()
        if self._engine is not None:
            self._media.joined -= 1
            self._engine.transport.close()

    def pause_writing(self) -> None:
        self.end("backlog", "The client does not take what it is sent.")

    def expire(self) -> None:
        """The first frame did not come in time."""
        self.transport.close()

    def shutdown(self) -> None:
        """uvicorn's word for: the server leaves."""
        self.transport.close()

    def end(self, reason: str, why: str) -> None:
        if self._over:
            return
        self._over = True
        self._media.closed[reason] += 1
        log.debug("A connection for media over TCP ends: %s", why)
        self.transport.abort()

    def _find(self, user: str) -> None:
        place = self._media.peers.find(user)
        if place is None:
            self.end("unknown_peer", f"No peer has the ufrag {user[:20]!r}.")
            return
        # Nothing more is read until there is somewhere to put it.
        self.transport.pause_reading()
        self._opening = self._loop.create_task(self._open(place))

    async def _open(self, place: Place) -> None:
        try:
            async with asyncio.timeout(OPEN_S):
                host, port = await place.address()
                _, engine = await self._loop.create_connection(lambda: _EngineSide(self), host, port)
        except (OSError, TimeoutError) as error:
            self.end("no_engine", f"The engine does not take it: {type(error).__name__}.")
            return
        if self._over:
            engine.transport.abort()
            return
        self._engine = engine
        # It is at work from now on: not one that may be ended because it is idle.
        self._slot.idle_since = None
        self._media.joined += 1
        self._media.opened += 1
        self._media.bytes["in"] += len(self._first)
        engine.transport.write(bytes(self._first))
        self._first.clear()
        self.transport.resume_reading()

    def from_engine(self, data: bytes) -> None:
        self._media.bytes["out"] += len(data)
        self.transport.write(data)


class _EngineSide(asyncio.Protocol):
    def __init__(self, client: Splice) -> None:
        self._client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=BACKLOG_LIMIT)

    def data_received(self, data: bytes) -> None:
        self._client.from_engine(data)

    def pause_writing(self) -> None:
        self._client.end("backlog", "The engine does not take what it is sent.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.transport.close()
