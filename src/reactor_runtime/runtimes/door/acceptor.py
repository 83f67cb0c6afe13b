"""What a connection is, seen from its first bytes, before HTTP sees it. It is counted, and ended in time.

This is the one place that knows every connection of the TCP port: HTTP, and media over TCP.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from enum import Enum
from typing import Any, cast

import uvicorn
from uvicorn.server import ServerState

from .connections import Connections, Slot
from .http1 import READ_LIMIT, HttpConnection
from .splice import MediaPort, Splice
from .tls import Shaking, Tls

FIRST_BYTES = 4
"""As many tell what it is: a letter begins HTTP, 16 03 TLS, two bytes of length and 00 01 framed STUN."""
LINGER_S = 1.0
"""A client that is refused has so long to read it."""


class First(Enum):
    HTTP = "http"
    TLS = "tls"
    MEDIA = "media"
    UNKNOWN = "unknown"


def first(data: bytes) -> First | None:
    """None until there are enough bytes to tell; they may come one by one."""
    if data[:1].isalpha() or data[:1] in (b"\r", b"\n"):
        return First.HTTP
    if data[:2] == b"\x16\x03":
        return First.TLS
    if len(data) < FIRST_BYTES:
        return None
    return First.MEDIA if data[2:4] == b"\x00\x01" else First.UNKNOWN


class FirstBytes(asyncio.Protocol):
    """Holds a connection until its first bytes are there, and hands it over with them."""

    connections: Connections
    """Of the server; set in a subclass for each."""
    media: MediaPort | None = None
    """None where no media is taken here."""
    tls: ssl.SSLContext | None = None
    """With it, HTTP is spoken inside TLS alone. Media is encrypted by itself, and comes as it is."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config = config
        self._state = server_state
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._data = bytearray()
        self._slot: Slot | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = self._transport = cast("asyncio.Transport", transport)
        # uvicorn ends what is in its set when the server leaves.
        self._state.connections.add(cast("Any", self))
        if hasattr(transport, "max_size"):
            # How much of a client's one reading takes: what HTTP parses in one piece.
            transport.max_size = READ_LIMIT
        peer = transport.get_extra_info("peername")
        slot = Slot(self.connections, transport, self, peer[0] if peer else "")
        if self.connections.admit(slot):
            self._slot = slot
        else:
            self._refuse()

    def data_received(self, data: bytes) -> None:
        if self._slot is None:
            return
        self._data += data
        kind = first(bytes(self._data[:FIRST_BYTES]))
        if kind is First.HTTP and self.tls is None:
            self._hand_over(self._slot)
        elif kind is First.TLS and self.tls is not None:
            self._shake_hands(self._slot, self.tls)
        elif kind is First.HTTP:
            self._transport.write(_HTTPS)
            self._transport.close()
        elif kind is First.MEDIA and self.media is not None:
            self._splice(self._slot, self.media)
        elif kind is not None:
            self.connections.closed["no_http"] += 1
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(cast("Any", self))
        if self._slot is not None:
            self._slot.leave()
        if self._refused:
            self.connections.lingering -= 1

    def expire(self) -> None:
        self._transport.close()

    def shutdown(self) -> None:
        """uvicorn's word for: the server leaves."""
        self._transport.close()

    def _hand_over(self, slot: Slot) -> None:
        http = HttpConnection(self._config, self._state, self._app_state, self._loop, slot)
        slot.holder = http
        self._state.connections.discard(cast("Any", self))
        self._transport.set_protocol(http)
        http.connection_made(self._transport)
        http.data_received(bytes(self._data))

    def _shake_hands(self, slot: Slot, tls: ssl.SSLContext) -> None:
        http = HttpConnection(self._config, self._state, self._app_state, self._loop, slot)
        slot.holder = Shaking(self._transport.abort)
        inside = Tls(self._loop, http, tls, slot)
        self._state.connections.discard(cast("Any", self))
        self._transport.set_protocol(inside)
        inside.connection_made(self._transport)
        inside.feed(bytes(self._data))

    def _splice(self, slot: Slot, media: MediaPort) -> None:
        splice = Splice(media, slot, self._loop)
        slot.holder = splice
        connections = cast("set[Any]", self._state.connections)
        connections.discard(self)
        connections.add(splice)
        splice.left = lambda: connections.discard(splice)
        self._transport.set_protocol(splice)
        splice.connection_made(self._transport)
        splice.data_received(bytes(self._data))

    def _refuse(self) -> None:
        if self.connections.lingering >= self.connections.lingering_limit:
            self._transport.abort()
            return
        self.connections.lingering += 1
        self._refused = True
        self._transport.write(_BUSY)
        # Closed at once, with its request unread, the client would see a reset and not the answer.
        self.connections.clock.call_later(LINGER_S, self._transport.abort)


def acceptor(
    connections: Connections, media: MediaPort | None = None, tls: ssl.SSLContext | None = None
) -> type[FirstBytes]:
    """The protocol of one server, for ``uvicorn.Config(http=…)``."""
    return type("Acceptor", (FirstBytes,), {"connections": connections, "media": media, "tls": tls})


def plain_answer(status: str, code: str, detail: str) -> bytes:
    """A whole response, for where there is no request to answer."""
    body = json.dumps({"detail": detail, "code": code}).encode()
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-content-type-options: nosniff\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\nretry-after: 1\r\n\r\n"
    )
    return head.encode() + body


_BUSY = plain_answer(
    "503 Service Unavailable", "too_many_connections", "All connections of this server are busy; try again."
)
_HTTPS = plain_answer("400 Bad Request", "https_required", "This port speaks https: open https:// instead.")
