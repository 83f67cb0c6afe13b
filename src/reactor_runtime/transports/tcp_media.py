"""Any engine that takes media over TCP, with its own addresses for that kept inside.

The engine listens on a port of its own for each peer. Clients never hear of it: they connect to the HTTP
port, and whoever accepts them there asks `TcpPeers` where their bytes belong.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from . import sdp
from .port import CandidateFound, Engine, IceCandidate, Peer, PeerConfig, PeerEvent, Section
from .wire import Handle

Address = tuple[str, int]
_ADDRESS = 4
"""The place of the address among the words of a candidate; its port follows."""
JOINED_DESCRIPTORS = 3
"""Of one client's connection that is joined with the engine's: its own, a copy of it, and the engine's."""


class Place:
    """Where the engine takes one peer's media over TCP."""

    def __init__(self) -> None:
        self._address: Address | None = None
        self._known = asyncio.Event()

    def found(self, address: Address) -> None:
        """The engine listens on each of its networks; any of them does."""
        self._address = self._address or address
        self._known.set()

    async def address(self) -> Address:
        """The engine finds it a tenth of a second after the answer. Waits without a limit."""
        await self._known.wait()
        assert self._address is not None
        return self._address


class TcpPeers:
    """All places, by the ufrags of our answers. Event loop only."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def expect(self, users: frozenset[str]) -> None:
        """An answer has these ufrags."""
        for user in users:
            self._places.setdefault(user, Place())

    def forget(self, users: frozenset[str]) -> None:
        for user in users:
            self._places.pop(user, None)

    def find(self, user: str) -> Place | None:
        return self._places.get(user)

    def serve(self, answer: str) -> bool:
        """Whether the peer of this answer takes media over TCP."""
        return any(user in self._places for user in sdp.ice_users(answer))


class TcpMediaEngine:
    """Implements `transports.port.Engine`. Peers beyond the ports of `--webrtc-port-range` get others, which
    UDP does not reach from outside, and TCP does."""

    def __init__(self, engine: Engine, peers: TcpPeers, *, only: bool = False) -> None:
        """`only`: nothing goes over UDP."""
        self.name = engine.name
        self.descriptors_per_peer = engine.descriptors_per_peer + JOINED_DESCRIPTORS
        self._engine = engine
        self._peers = peers
        self._only = only
        self._ranged: set[_TcpPeer] = set()
        """Peers that have ports of the range."""

    async def create_peer(self, config: PeerConfig, handle: Handle) -> Peer:
        if config.relay_only:
            return await self._engine.create_peer(config, handle)
        if config.port_range is not None and len(self._ranged) > config.port_range[1] - config.port_range[0]:
            config = dataclasses.replace(config, port_range=None)
        places = _Places(self._peers, handle)
        peer = await self._engine.create_peer(dataclasses.replace(config, tcp=True), places.handle)
        wrapped = _TcpPeer(peer, places, self._ranged, only=self._only)
        if config.port_range is not None:
            self._ranged.add(wrapped)
        return wrapped

    def close(self) -> None:
        self._engine.close()


class _Places:
    """Takes the engine's candidates for TCP out of what one peer reports, and keeps where they lead."""

    def __init__(self, peers: TcpPeers, outer: Handle) -> None:
        self._peers = peers
        self._outer = outer
        self._users: frozenset[str] = frozenset()
        self._early: list[str] = []

    def handle(self, event: PeerEvent) -> None:
        if isinstance(event, CandidateFound) and is_tcp(event.candidate.candidate):
            self._found(event.candidate.candidate)
        else:
            self._outer(event)

    def answered(self, answer: str) -> str:
        users = sdp.ice_users(answer)
        self._peers.forget(self._users - users)
        self._peers.expect(users)
        self._users = users
        early, self._early = self._early, []
        for candidate in early:
            self._found(candidate)
        self._early.clear()  # of an attempt that came before this answer
        return answer

    def forget(self) -> None:
        self._peers.forget(self._users)

    def _found(self, candidate: str) -> None:
        """The engine listens for this peer."""
        place = self._peers.find(sdp.candidate_user(candidate))
        words = candidate.split()
        if place is not None:
            place.found((words[_ADDRESS], int(words[_ADDRESS + 1])))
        else:
            self._early.append(candidate)


class _TcpPeer:
    def __init__(self, peer: Peer, places: _Places, ranged: set[_TcpPeer], *, only: bool) -> None:
        self._peer = peer
        self._places = places
        self._only = only
        self._ranged = ranged

    def __getattr__(self, name: str) -> Any:
        return getattr(self._peer, name)

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        return self._places.answered(await self._peer.answer(self._offer(offer), sections))

    async def restart(self, offer: str, sections: Sequence[Section]) -> str:
        return self._places.answered(await self._peer.restart(self._offer(offer), sections))

    async def add_candidate(self, candidate: IceCandidate) -> None:
        if not self._only:
            await self._peer.add_candidate(candidate)

    async def gathered(self, within: float) -> str:
        lines = (await self._peer.gathered(within)).split("\r\n")
        return "\r\n".join(line for line in lines if not self._hidden(line))

    async def close(self) -> None:
        self._ranged.discard(self)
        self._places.forget()
        await self._peer.close()

    def _offer(self, offer: str) -> str:
        return without_candidates(offer) if self._only else offer

    def _hidden(self, line: str) -> bool:
        return line.startswith("a=candidate:") and (self._only or is_tcp(line))


def is_tcp(candidate: str) -> bool:
    return candidate.split(" ", 3)[2:3] in (["tcp"], ["TCP"])


def without_candidates(offer: str) -> str:
    """So that the engine does not find the client by itself."""
    return "\r\n".join(line for line in offer.splitlines() if not line.startswith("a=candidate:")) + "\r\n"


PASSIVE_PRIORITY = 1518280447
"""Of a host candidate over TCP that listens (RFC 8421): below everything over UDP."""

_COST = re.compile(r"^(a=candidate:[^\r\n]*?) network-cost [0-9]+", re.M)


def with_passive(answer: str, address: str, port: int) -> str:
    """The answer with a candidate for TCP at this address in every section that has candidates' end.

    What our networks are thought to cost is left out: libwebrtc compares that before it compares priorities,
    so TCP, of which no network is known, would go before UDP whenever it came first.
    """
    line = f"a=candidate:1 1 tcp {PASSIVE_PRIORITY} {address} {port} typ host tcptype passive generation 0"
    return _COST.sub(r"\1", answer).replace("a=end-of-candidates", f"{line}\r\na=end-of-candidates")
