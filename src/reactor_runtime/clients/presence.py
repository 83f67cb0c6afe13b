"""How far one client has come: on its way, ready, live, silent, gone. Event loop only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reactor_runtime.transports.wire import PeerState

if TYPE_CHECKING:
    from reactor_runtime.clock import Clock

NEGOTIATION_S = 30.0
"""An offer that has not become a connection by then is dropped."""
PING_TIMEOUT_S = 20.0
"""Silence of a client that has pinged before; one that never pinged is not watched."""


class Presence:
    """`ready`: media could flow once. `live`: they do now."""

    def __init__(self, clock: Clock, expire: Callable[[str], None]) -> None:
        """`expire` is told why, when the client does not come in time."""
        self.state = PeerState.NEW
        """Of the peer connection."""
        self.ready = False
        self.live = False
        self.closed = False
        self.ready_once = False
        """Stays when the client has gone."""
        self._clock = clock
        self._last_ping: float | None = None
        why = f"it did not connect within {NEGOTIATION_S:g} s"
        self._reaper = clock.call_later(NEGOTIATION_S, expire, why)

    def begin(self) -> None:
        """Media can flow for the first time."""
        self.ready = self.ready_once = True
        self._reaper.cancel()

    def note_ping(self) -> None:
        self._last_ping = self._clock.time()

    def silent(self) -> bool:
        """Whether a client that pings has stopped doing so."""
        return self._last_ping is not None and self._clock.time() - self._last_ping > PING_TIMEOUT_S

    def end(self) -> bool:
        """The client has gone; False when it had already."""
        if self.closed:
            return False
        self.closed = True
        self.ready = self.live = False
        self._reaper.cancel()
        return True
