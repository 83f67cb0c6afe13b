"""Our own candidates, as the engine finds them. Event loop only."""

from __future__ import annotations

import asyncio

from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import CandidateFound, IceCandidate
from reactor_runtime.transports.tcp_media import is_tcp
from reactor_runtime.transports.wire import Handle

GATHERING_QUIET_S = 0.01
"""Without STUN and TURN, our candidates are all there when none has come for this long,"""
GATHERING_SURE_S = 0.001
"""or for this long where they are as many as the last time."""


class Gathered:
    """How many addresses this machine had for media the last time, of all peers of an engine."""

    count = 0


class LocalCandidates:
    """Of one peer, for its newest answer."""

    def __init__(
        self,
        handle: Handle,
        asks_servers: bool,
        last: Gathered,
        *,
        quiet: float = GATHERING_QUIET_S,
        sure: float = GATHERING_SURE_S,
    ) -> None:
        """`asks_servers`: some come from STUN and TURN, and take as long as those do."""
        self._handle = handle
        self._asks_servers = asks_servers
        self._last = last
        self._quiet = quiet
        self._sure = sure
        self._found: list[IceCandidate] = []
        self._complete = asyncio.Event()
        self._news = asyncio.Event()
        """A further one, or the end."""

    def begin(self) -> None:
        """An answer with other ICE credentials: what was found before is of no use any more."""
        self._found.clear()
        self._complete.clear()

    def add(self, candidate: IceCandidate) -> None:
        self._found.append(candidate)
        self._news.set()
        self._handle(CandidateFound(candidate))

    def complete(self) -> None:
        """There are no more."""
        self._complete.set()
        self._news.set()
        if not self._asks_servers:
            self._last.count = self._of_udp()

    async def wait(self, within: float) -> None:
        """Return when they are all there, after `within` seconds at the latest."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not self._complete.is_set() and (left := deadline - loop.time()) > 0:
            self._news.clear()
            pause = self._pause()
            try:
                await asyncio.wait_for(self._news.wait(), left if pause is None else min(left, pause))
            except TimeoutError:
                if pause is not None:
                    return

    def _pause(self) -> float | None:
        """After how long without a further one they are all there; None where that cannot be said.

        Host candidates come together; the engine then takes 100 ms to be sure that they were all.
        """
        if not self._found or self._asks_servers:
            return None
        return self._sure if 0 < self._last.count <= self._of_udp() else self._quiet

    def _of_udp(self) -> int:
        return sum(not is_tcp(each.candidate) for each in self._found)

    def in_answer(self, answer: str) -> str:
        """The answer with those that were found."""
        return sdp.with_candidates(answer, [(each.candidate, each.sdp_mid) for each in self._found])
