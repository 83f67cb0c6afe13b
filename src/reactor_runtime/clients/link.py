"""How one client's connection came about: its offers, our answer, its candidates. Event loop only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reactor_runtime.transports import sdp

if TYPE_CHECKING:
    from reactor_runtime.transports.port import IceCandidate, Peer

    from .negotiation import Offer

CANDIDATES_LIMIT = 128
"""Candidates of one offer; browsers find 2 to 20. What comes after is ignored."""


class Link:
    """WebRTC's part of a connection; the media and the messages go over its `wire`."""

    def __init__(self, peer: Peer, offer: Offer) -> None:
        self.wire = peer
        self.answer: asyncio.Task[str] | None = None
        """Ours with its candidates, from the time on that the engine has made one."""
        self._users = sdp.ice_users(offer.sdp)
        self._candidates = 0
        self._closed = False

    async def first(self, offer: Offer) -> None:
        """Answer the offer of a new peer. Raises `RefusedError`."""
        await self.wire.answer(offer.sdp, offer.sections)

    async def further(self, offer: Offer) -> None:
        """Answer a further offer of the same peer. Raises `RefusedError`; then all goes on as it was."""
        await self.wire.restart(offer.sdp, offer.sections)
        self._users = sdp.ice_users(offer.sdp)
        self._candidates = 0

    def gather(self, within: float) -> None:
        """Begin to find our candidates for the answer; a former answer is forgotten at once."""
        self.answer = asyncio.ensure_future(self.wire.gathered(within))

    def expects(self, candidate: IceCandidate) -> bool:
        """Whether a candidate belongs to the offer that was answered, not to one that is still to come."""
        user = sdp.candidate_user(candidate.candidate)
        return not user or not self._users or user in self._users

    async def add_candidate(self, candidate: IceCandidate) -> None:
        """Hand a candidate to the engine."""
        self._candidates += 1
        if not self._closed and self._candidates <= CANDIDATES_LIMIT:
            await self.wire.add_candidate(candidate)

    def close(self) -> None:
        """Who waits for the answer waits no more; the connection closes the wire."""
        self._closed = True
        if self.answer is not None:
            self.answer.cancel()
