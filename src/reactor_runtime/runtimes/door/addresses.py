"""Whose request this is: the peer's, or what a trusted proxy says. Every limit per address asks here."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

HOPS_LIMIT = 32
"""Entries of `X-Forwarded-For` that are looked at, from the last one on."""

V6_PREFIX = 64
"""Bits of an IPv6 address that tell one network from another; the rest a host chooses itself."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """The proxies whose word is taken. Everybody else's `X-Forwarded-*` is ignored."""

    def __init__(self, trusted: Iterable[str]) -> None:
        """`trusted` are addresses and networks in CIDR notation. Raises `ValueError`."""
        self._networks = tuple(ipaddress.ip_network(each, strict=False) for each in trusted)

    def trust(self, peer: str) -> bool:
        address = parse(peer)
        return address is not None and self._trusted(address)

    def client(self, peer: str, forwarded: str = "") -> str:
        """The last hop that is none of our proxies; `forwarded` is the value of `X-Forwarded-For`.

        Each proxy appends the address it was asked from, so only entries right of the last stranger are true.
        """
        address = parse(peer)
        if address is None:
            return peer
        for entry in reversed(forwarded.rsplit(",", HOPS_LIMIT)[-HOPS_LIMIT:]):
            if not self._trusted(address):
                break
            hop = parse(entry.strip())
            if hop is None:
                break
            address = hop
        return str(address)

    def _trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def parse(text: str) -> Address | None:
    """An address as proxies write it: bare, in brackets, or with a port. IPv4 in IPv6 is IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_loopback(address: str) -> bool:
    found = parse(address)
    return found is not None and found.is_loopback


def network_of(address: str) -> str:
    """What limits count by: an IPv4 address, the network of an IPv6 one, anything else as it is."""
    found = parse(address.partition("%")[0])
    if found is None or isinstance(found, ipaddress.IPv4Address):
        return address if found is None else str(found)
    return str(ipaddress.ip_network((found, V6_PREFIX), strict=False))
