"""Our own candidates, as the engine finds them. Event loop only."""

from __future__ import annotations

import asyncio
import contextlib

from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import CandidateFound, IceCandidate
from reactor_runtime.transports.wire import Handle

GATHERING_QUIET_S = 0.01
"""Without STUN and TURN, our candidates are all there when none has come for this long."""


class LocalCandidates:
    """Of one peer, for its newest answer."""

    def __init__(self, handle: Handle, asks_servers: bool) -> None:
        """`asks_servers`: some come from STUN and TURN, and take as long as those do."""
        self._handle = handle
        self._asks_servers = asks_servers
        self._found: list[IceCandidate] = []
        self._complete = asyncio.Event()

    def begin(self) -> None:
        """An answer with other ICE credentials: what was found before is of no use any more."""
        self._found.clear()
        self._complete.clear()

    def add(self, candidate: IceCandidate) -> None:
        self._found.append(candidate)
        self._handle(CandidateFound(candidate))

    def complete(self) -> None:
        """There are no more."""
        self._complete.set()

    async def wait(self, within: float) -> None:
        """Return when they are all there, after `within` seconds at the latest."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not self._complete.is_set() and loop.time() < deadline:
            if self._found and not self._asks_servers:
                # Host candidates come together; the engine then takes 100 ms to be sure that they were all.
                within = min(within, GATHERING_QUIET_S)
            known = len(self._found)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._complete.wait(), within)
            if known and known == len(self._found) and not self._asks_servers:
                break

    def in_answer(self, answer: str) -> str:
        """The answer with those that were found."""
        return sdp.with_candidates(answer, [(each.candidate, each.sdp_mid) for each in self._found])
