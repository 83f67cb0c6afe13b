"""Under which address and port a client reaches us over TCP, as its request tells. Never a name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from .options import ClientOptions

Reached = tuple[str, int]
REACHED = b"x-reactor-reached"
"""A header in which a fleet's gateway says to a worker where the client reached it: an address and a port."""
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::([0-9]{1,5}))?")
_PORT = re.compile(r"[0-9]{1,5}")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PROXIED = frozenset(
    {
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-real-ip",
        b"forwarded",
        b"via",
        # jupyter-server-proxy
        b"x-forwarded-context",
        b"x-proxycontextpath",
    }
)
"""Who adds one of these speaks HTTP, and passes no media on."""


def reached(
    host: str, scheme: str, headers: Iterable[bytes], local: Reached | None, options: ClientOptions
) -> Reached | None:
    """Where media over TCP leads to us; None where nobody can tell.

    `host` is the request's, `headers` the names of all its headers, in lower case, and `local` is where its
    connection came in. What the operator advertises goes before everything.
    """
    address, port = _told(host, scheme)
    if not options.advertise_ip and not _PROXIED.isdisjoint(headers):
        return None
    if not address and local is not None and _leads_here(local[0]):
        # A name, which may be anybody's: the address that it led to is our own.
        address, port = local
    address, port = options.advertise_ip or address, options.advertise_port or port
    return (address, port) if address and port else None


def told_by_gateway(value: str) -> Reached | None:
    """What `REACHED` says; None where it says nothing."""
    address, _, port = value.partition(" ")
    if not address or not _PORT.fullmatch(port) or not 0 < int(port) < 2**16:
        return None
    return address, int(port)


def _told(host: str, scheme: str) -> Reached:
    """The address in a Host header, "" for a name, and its port."""
    found = _HOST.fullmatch(host.strip().lower())
    if found is None:
        return "", 0
    six, name, number = found.groups()
    port = int(number) if number else _DEFAULT_PORTS.get(scheme, 0)
    if not 0 < port < 2**16:
        return "", 0
    if name == "localhost":
        return "127.0.0.1", port
    try:
        address = ipaddress.ip_address(six or name)
    except ValueError:
        return "", port
    usable = not (address.is_unspecified or address.is_multicast)
    return (str(address), port) if usable else ("", port)


def _leads_here(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)
