"""Which of a client's ICE candidates an engine may see. Pure.

A candidate makes the engine send packets to an address of the client's choice. So a client names few, and
none that only this machine, or its own link, could be meant by.
"""

from __future__ import annotations

import ipaddress
import re

ADDRESSES_LIMIT = 32
"""Transport addresses that one peer may name between two ICE restarts; browsers name 2 to 20."""
CANDIDATE_CHARACTERS = 2048
_KINDS = frozenset({"host", "srflx", "prflx", "relay"})
_NUMBER = re.compile(r"[0-9]{1,10}")
_PORT_LIMIT = 65535
_PREFIXES = ("a=candidate:", "candidate:")
_WORDS = 8
"""Foundation, component, transport, priority, address, port, "typ", kind (RFC 8839 section 5.1)."""

_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(text: str) -> Address | None:
    """A literal address; None for a name, which nobody here looks up."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if isinstance(mapped, ipaddress.IPv4Address) else address


def is_loopback(host: str) -> bool:
    """Whether a client whose address is `host` runs on this machine."""
    address = address_of(host)
    return address is not None and address.is_loopback


class CandidateGate:
    """The candidates of one peer. Event loop only."""

    def __init__(self, from_loopback: bool) -> None:
        """`from_loopback`: the client itself is on this machine, so its loopback addresses may lead to it."""
        self.refused = 0
        self._from_loopback = from_loopback
        self._named: set[tuple[Address, str]] = set()

    def begin(self) -> None:
        """A further offer with other ICE credentials: what was named before is of no use any more."""
        self._named.clear()

    def admit(self, candidate: str) -> str | None:
        """The candidate in the one form that the engine gets; None, and counted, where it gets none."""
        words = candidate.split() if len(candidate) <= CANDIDATE_CHARACTERS else []
        address = self._address(words)
        if address is None or not self._allowed(address):
            self.refused += 1
            return None
        named = (address, words[5])
        if named not in self._named and len(self._named) >= ADDRESSES_LIMIT:
            self.refused += 1
            return None
        self._named.add(named)
        return " ".join(words)

    def filter(self, lines: list[str]) -> list[str]:
        """Lines of SDP, without those whose candidates the engine does not get."""
        kept = []
        for line in lines:
            if line.startswith("a=candidate:"):
                candidate = self.admit(line[2:])
                if candidate is None:
                    continue
                line = f"a={candidate}"
            kept.append(line)
        return kept

    def _address(self, words: list[str]) -> Address | None:
        """Where a candidate leads, if it is one for UDP that names nothing but addresses."""
        if len(words) < _WORDS or words[2].lower() != "udp" or words[6] != "typ" or words[7] not in _KINDS:
            return None
        numbers = [words[1], words[3], words[5]]
        if not words[0].startswith(_PREFIXES) or not all(_NUMBER.fullmatch(number) for number in numbers):
            return None
        if not 0 < int(words[5]) <= _PORT_LIMIT:
            return None
        # The pairs that follow: where a server-reflexive one comes from is an address as well.
        for name, value in zip(words[_WORDS::2], words[_WORDS + 1 :: 2], strict=False):
            if name == "raddr" and address_of(value) is None:
                return None
        return address_of(words[4])

    def _allowed(self, address: Address) -> bool:
        if address.is_loopback:
            return self._from_loopback
        unusable = address.is_link_local or address.is_multicast or address.is_unspecified
        # Reserved: broadcast and 0.0.0.0/8 of IPv4, and what wraps IPv4 addresses into IPv6 ones.
        return not (unusable or address.is_reserved or _this_network(address))


def _this_network(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv4Address) and address in _THIS_NETWORK
