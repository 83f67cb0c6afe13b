"""Who asks, for limits that count by address."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import Request

V6_PREFIX = 64
"""Bits of an IPv6 address that tell one network from another; the rest a host chooses itself."""


def address_of(request: Request) -> str:
    """The address that a request came from; of an IPv6 one, its network."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, V6_PREFIX), strict=False))
