"""TLS on the port that carries media too: begun for connections whose first bytes ask for it."""

from __future__ import annotations

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reactor_runtime.errors import ReactorError
from reactor_runtime.runtimes.door.connections import Slot

HANDSHAKE_S = 10


class TlsError(ReactorError):
    """The certificate cannot be used."""

    code = "tls"


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Raises `TlsError`."""
    found = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    found.set_alpn_protocols(["http/1.1"])
    for what, path in (("--tls-cert", certificate), ("--tls-key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise TlsError(f"{what} {path} cannot be read: {error.strerror or error}.") from error
    try:
        # A key with a passphrase would ask for it on the terminal, and wait.
        found.load_cert_chain(certificate, key, password=_no_passphrase)
    except (ssl.SSLError, ValueError) as error:
        raise TlsError(
            f"--tls-cert {certificate} and --tls-key {key} cannot be used: both are PEM files, the key is"
            f" the certificate's and has no passphrase. ({getattr(error, 'reason', None) or error})"
        ) from error
    return found


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase")


class Tls(SSLProtocol):
    """Between a transport whose first bytes were read already, and what is spoken inside."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        inside: asyncio.Protocol,
        tls: ssl.SSLContext,
        slot: Slot,
    ) -> None:
        shaken: asyncio.Future[None] = loop.create_future()
        shaken.add_done_callback(_looked_at)
        super().__init__(loop, inside, tls, shaken, server_side=True, ssl_handshake_timeout=HANDSHAKE_S)
        self._slot = slot

    def feed(self, data: bytes) -> None:
        """As if the transport had just read it."""
        while data:
            buffer: Any = self.get_buffer(len(data))
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            self.buffer_updated(size)
            data = data[size:]

    def connection_lost(self, exc: BaseException | None) -> None:
        # What is inside hears of it only where the handshake was done.
        self._slot.leave()
        super().connection_lost(exc)


def _looked_at(shaken: asyncio.Future[None]) -> None:
    """A handshake that fails is the client's affair."""
    if not shaken.cancelled():
        shaken.exception()


class Shaking:
    """Holds the slot until the handshake is done."""

    def __init__(self, expire: Callable[[], None]) -> None:
        self.expire = expire
