"""The addresses of this machine's own interfaces. Nobody is asked but the operating system."""

from __future__ import annotations

import ctypes
import ctypes.util
import ipaddress
import socket
import sys
from collections.abc import Iterator

MAX_SHOWN = 8
"""Addresses that are printed: a machine with containers has dozens."""
_NOWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses for documentation. Choosing a route to one sends nothing, and tells which interface leads out."""


class _Entry(ctypes.Structure):
    """`struct ifaddrs` up to the fields that are read; the same on Linux and macOS."""


_Entry._fields_ = [
    ("next", ctypes.POINTER(_Entry)),
    ("name", ctypes.c_char_p),
    ("flags", ctypes.c_uint),
    ("address", ctypes.c_void_p),
]


def others_open(host: str, advertised: str = "") -> list[str]:
    """Under which addresses others reach a server that is bound to `host`; first the likeliest.

    `advertised` is what the operator says clients reach this machine by.
    """
    bound = ipaddress.ip_address(host.partition("%")[0])
    if not bound.is_unspecified:
        return [host]
    family = socket.AF_INET if bound.version == 4 else socket.AF_INET6
    likely = [advertised, _towards_others(family)] if bound.version == 4 else [_towards_others(family)]
    found = dict.fromkeys([*likely, *sorted(_of_interfaces(family))])
    return [address for address in found if address and _is_useful(address)][:MAX_SHOWN]


def _is_useful(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified or parsed.is_multicast)


def _towards_others(family: socket.AddressFamily) -> str:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((_NOWHERE[family], 9))
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _of_interfaces(family: socket.AddressFamily) -> Iterator[str]:
    name = ctypes.util.find_library("c") if sys.platform == "darwin" else None
    try:
        libc = ctypes.CDLL(name, use_errno=True)
        getifaddrs, freeifaddrs = libc.getifaddrs, libc.freeifaddrs
    except (OSError, AttributeError):
        return
    first = ctypes.POINTER(_Entry)()
    if getifaddrs(ctypes.byref(first)) != 0:
        return
    try:
        entry = first
        while entry:
            if entry.contents.address:
                address = _address(entry.contents.address, family)
                if address:
                    yield address
            entry = entry.contents.next
    finally:
        freeifaddrs(first)


def _address(pointer: int, family: socket.AddressFamily) -> str:
    """The text of a `sockaddr`, where it is of this family."""
    head = ctypes.string_at(pointer, 2)
    # BSD keeps the length in the first byte and the family in the second.
    kind = head[1] if sys.platform == "darwin" else int.from_bytes(head, sys.byteorder)
    if kind != family:
        return ""
    offset, length = (4, 4) if family == socket.AF_INET else (8, 16)
    return socket.inet_ntop(family, ctypes.string_at(pointer + offset, length))
