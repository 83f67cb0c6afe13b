"""Whether the port of a server elsewhere takes media over TCP, found out without a session.

An ICE check that names no peer is all that is sent, in two pieces. Who takes media waits for the second, and
ends the connection after it without a word; who takes none ends it at the first; HTTP alone has an answer.
"""

from __future__ import annotations

import os
import socket
import struct
from enum import Enum
from urllib.parse import urlsplit

from reactor_runtime.transports.stun import BINDING_REQUEST, MAGIC_COOKIE

from .finding import Finding, note, ok, problem

FIRST_PIECE = 4
"""As many bytes tell what a connection is."""
FIRST_S = 0.5
"""How long a server may take to end the connection after them."""
SECOND_S = 5.0
_USERNAME = 0x0006
_PORTS = {"http": 80, "https": 443}
ELSE = (
    "media needs UDP to the server, its own TCP port (--advertise-ip and --advertise-port), or --turn-server."
)


class Taken(Enum):
    YES = "yes"
    NO = "no"
    """By a reactor that was told to take none."""
    HTTP_ALONE = "http"
    GONE = "gone"


def media(base: str, within: float = SECOND_S) -> Finding:
    """What can be said of the rungs without taking the session of whoever plays."""
    parts = urlsplit(base)
    if parts.path.strip("/"):
        return note("rungs", f"This looks like a proxy. A proxy passes the page and no media: {ELSE}")
    match taken(parts.hostname or "", parts.port or _PORTS[parts.scheme], within):
        case Taken.YES:
            return ok("rungs", "Media can take TCP on this port, and UDP where it is open.")
        case Taken.NO:
            return note(
                "rungs",
                "This port takes no media (--no-tcp-media, --wire udp or --impair): open UDP, or use TURN.",
            )
        case Taken.HTTP_ALONE:
            return note("rungs", f"What answers on this port speaks HTTP alone, as a proxy does: {ELSE}")
        case Taken.GONE:
            return problem("rungs", "The port answers no more: was the server ended meanwhile?")


def taken(host: str, port: int, within: float = SECOND_S) -> Taken:
    check = _check()
    try:
        with socket.create_connection((host, port), timeout=within) as sock:
            sock.sendall(check[:FIRST_PIECE])
            sock.settimeout(FIRST_S)
            try:
                return Taken.HTTP_ALONE if sock.recv(1) else Taken.NO
            except TimeoutError:
                pass  # it waits for more, as it should
            except ConnectionError:
                return Taken.NO
            sock.settimeout(within)
            try:
                sock.sendall(check[FIRST_PIECE:])
                return Taken.HTTP_ALONE if sock.recv(1) else Taken.YES
            except ConnectionError:
                return Taken.YES
            except TimeoutError:
                return Taken.HTTP_ALONE
    except OSError:
        return Taken.GONE


def _check() -> bytes:
    """A framed STUN request to a peer that there is not."""
    user = b"doctor" + os.urandom(4).hex().encode() + b":doctor"
    attribute = struct.pack("!HH", _USERNAME, len(user)) + user + bytes(-len(user) % 4)
    head = BINDING_REQUEST + struct.pack("!H", len(attribute)) + MAGIC_COOKIE + os.urandom(12)
    return struct.pack("!H", len(head) + len(attribute)) + head + attribute
