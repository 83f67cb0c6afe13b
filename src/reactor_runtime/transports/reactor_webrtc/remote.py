"""A client's candidates on their way to the engine: which of them it may see, and when. Event loop only."""

from __future__ import annotations

from reactor_runtime.transports import sdp
from reactor_runtime.transports.candidates import CandidateGate
from reactor_runtime.transports.port import CandidatesRefused, IceCandidate
from reactor_runtime.transports.wire import Handle

Parsed = tuple[list[str], list[sdp.MediaSection]]


class RemoteCandidates:
    """Of one peer. What comes before the first answer is kept for it."""

    def __init__(self, handle: Handle, from_loopback: bool) -> None:
        self._handle = handle
        self._gate = CandidateGate(from_loopback)
        self._users: frozenset[str] = frozenset()
        self._early: list[IceCandidate] | None = []

    def read(self, offer: str) -> Parsed:
        """An offer without what the engine does not get."""
        head, media = sdp.parse(offer)
        users = sdp.ice_users(offer)
        if users != self._users:
            self._gate.begin()
            self._users = users
        refused = self._gate.refused
        head = self._gate.filter(head)
        for part in media:
            part.lines[:] = self._gate.filter(part.lines)
        if self._gate.refused > refused:
            self._handle(CandidatesRefused(self._gate.refused - refused))
        return head, media

    def keep(self, candidate: IceCandidate) -> bool:
        """Whether it is kept: no offer has been answered yet."""
        if self._early is None:
            return False
        self._early.append(candidate)
        return True

    def take_early(self) -> list[IceCandidate]:
        """The first offer was answered."""
        early, self._early = self._early or [], None
        return early

    def admit(self, candidate: IceCandidate) -> IceCandidate | None:
        """The candidate in the one form that the engine gets; None, and told, where it gets none."""
        text = self._gate.admit(candidate.candidate)
        if text is None:
            self._handle(CandidatesRefused(1))
            return None
        return IceCandidate(text, candidate.sdp_mid, candidate.sdp_mline_index)
