"""Any engine, behind relays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from reactor_runtime.transports.port import Engine, IceCandidate, Peer, PeerConfig, Section
from reactor_runtime.transports.wire import Handle

from .relay import Relay
from .shaper import Impairment

_HOST = re.compile(r"^a=candidate:(\S+) (\d+) udp (\d+) (\d+(?:\.\d+){3}) (\d+) typ host(.*)$", re.I)


RELAY_DESCRIPTORS = 16
"""Sockets of the relays of one peer."""


class ImpairedEngine:
    """Implements `transports.port.Engine`."""

    def __init__(self, engine: Engine, impairment: Impairment) -> None:
        self.name = f"{engine.name}, impaired"
        self.descriptors_per_peer = engine.descriptors_per_peer + RELAY_DESCRIPTORS
        self._engine = engine
        self._impairment = impairment

    async def create_peer(self, config: PeerConfig, handle: Handle) -> Peer:
        return _ImpairedPeer(await self._engine.create_peer(config, handle), self._impairment)

    def close(self) -> None:
        self._engine.close()


class _ImpairedPeer:
    """A peer that the client finds only through relays, and that does not find the client by itself."""

    def __init__(self, peer: Peer, impairment: Impairment) -> None:
        self._peer = peer
        self._impairment = impairment
        self._relays: dict[tuple[str, int], tuple[Relay, tuple[str, int]]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._peer, name)

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        return await self._peer.answer(_without_candidates(offer), sections)

    async def restart(self, offer: str, sections: Sequence[Section]) -> str:
        return await self._peer.restart(_without_candidates(offer), sections)

    async def add_candidate(self, candidate: IceCandidate) -> None:
        """Ignored: the engine would go around the relay."""

    async def gathered(self, within: float) -> str:
        lines = []
        for line in (await self._peer.gathered(within)).split("\r\n"):
            if line.startswith("a=candidate:"):
                relayed = await self._relayed(line)
                if relayed is not None:
                    lines.append(relayed)
            else:
                lines.append(line)
        return "\r\n".join(lines)

    async def close(self) -> None:
        for relay, _ in self._relays.values():
            relay.close()
        self._relays.clear()
        await self._peer.close()

    async def _relayed(self, line: str) -> str | None:
        """The same candidate at a relay's address; None for what cannot be relayed."""
        found = _HOST.match(line)
        if found is None:
            return None
        foundation, component, priority, host, port, rest = found.groups()
        target = (host, int(port))
        if target not in self._relays:
            relay = Relay(target, self._impairment)
            self._relays[target] = (relay, await relay.open())
        address = self._relays[target][1]
        return f"a=candidate:{foundation} {component} udp {priority} {address[0]} {address[1]} typ host{rest}"


def _without_candidates(offer: str) -> str:
    return "\r\n".join(line for line in offer.splitlines() if not line.startswith("a=candidate:")) + "\r\n"
