"""Media over TCP on the HTTP port: a client's connection, and the engine's for the same peer, joined.

On the event loop until they are joined, then on the relay's thread. Nothing is read into what passes, beyond
the first frame: the engine checks it all.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol, cast

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from reactor_runtime.clock import timeout
from reactor_runtime.runtimes.door.connections import Slot
from reactor_runtime.runtimes.door.relay import Pair, Relay
from reactor_runtime.transports.stun import NotStunError, first_frame, server_user
from reactor_runtime.transports.tcp_media import Address

log = logging.getLogger(__name__)

FIRST_FRAME_S = 30.0
"""Within which the first frame must be whole, from the moment the connection was there."""
OPEN_S = 5.0
"""How long the engine may take to listen, and to accept."""


class Place(Protocol):
    async def address(self) -> Address:
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
        """By direction, `in` and `out`. The relay counts."""
        self.relay = Relay(self.bytes)
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
    """The client's side. Once the engine's is open both are the relay's, and this one keeps the slot."""

    def __init__(self, media: MediaPort, slot: Slot, loop: asyncio.AbstractEventLoop) -> None:
        self._media = media
        self._slot = slot
        slot.idle_s = FIRST_FRAME_S
        self._loop = loop
        self._first = bytearray()
        self._opening: asyncio.Task[None] | None = None
        self._pair: Pair | None = None
        self._over = False
        self.left: Callable[[], None] = lambda: None
        """Called when the connection is gone."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
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
        if self._pair is not None:
            self._media.joined -= 1
            self._media.relay.drop(self._pair)

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
        # Nothing more is read until there is somewhere to put it; and then by the relay.
        self.transport.pause_reading()
        self._opening = self._loop.create_task(self._open(place))

    async def _open(self, place: Place) -> None:
        try:
            async with timeout(self._slot.clock, OPEN_S):
                engine = await connected(await place.address())
        except (OSError, TimeoutError) as error:
            self.end("no_engine", f"The engine does not take it: {type(error).__name__}.")
            return
        if self._over:
            engine.close()
        else:
            self._join(engine)

    def _join(self, engine: socket.socket) -> None:
        sides = [engine]
        try:
            # The transport closes its own descriptor when it likes, the relay's thread this one.
            sides.append(self.transport.get_extra_info("socket").dup())
            self._pair = self._media.relay.join(sides[1], engine, bytes(self._first), self._parted)
        except OSError as error:
            for side in sides:
                side.close()
            self.end("no_engine", f"The connection cannot be handed on: {error}.")
            return
        # It is at work from now on: not one that may be ended because it is idle.
        self._slot.idle_since = None
        self._media.joined += 1
        self._media.opened += 1
        self._first.clear()

    def _parted(self, reason: str | None) -> None:
        if reason is not None:
            self.end(reason, "One side does not take what it is sent.")
        else:
            self.transport.close()


async def connected(address: Address) -> socket.socket:
    """A connection to the engine, which does not block. Raises OSError."""
    loop = asyncio.get_running_loop()
    [(family, kind, protocol, _, place), *_] = await loop.getaddrinfo(*address, type=socket.SOCK_STREAM)
    engine = socket.socket(family, kind, protocol)
    try:
        engine.setblocking(False)
        engine.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(engine, place)
    except BaseException:
        engine.close()
        raise
    return engine
