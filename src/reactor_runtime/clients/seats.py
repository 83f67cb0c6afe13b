"""Whose place an offer takes that names no connection. Event loop only.

A connection's id is its secret. Clients that know of only one connection have none to show: they get the
place of the same peer, or of a client that is not there any more. Beside a client that is live they wait a
moment for it to go, as it does when they are that client on another network, and then come in beside it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reactor_runtime.clock import timeout
from reactor_runtime.protocol.message_format import V16Format
from reactor_runtime.transports import sdp

if TYPE_CHECKING:
    from .clients import Clients
    from .connection import Connection
    from .negotiation import Offer

CONSENT_WAIT_S = 3.0
"""How long an offer of a client that comes back waits for the one that is live to fail its consent."""
HEIR_S = 30.0
"""How long after its offer such a client inherits the role of the one that it came in beside."""
NEGOTIATING_S = 5.0
"""A first offer from another address is left alone for so long: it may be connecting."""


class Seats:
    """The connections that came without an id, and who follows the controller."""

    def __init__(self, clients: Clients) -> None:
        self.default_connections: set[int] = set()
        self._clients = clients
        self._changed = asyncio.Event()
        self._heirs: dict[Connection, tuple[Connection, float]] = {}
        """Who follows whom, and until when."""

    def begin(self) -> None:
        """A new session."""
        self.default_connections.clear()
        self._heirs.clear()

    def changed(self) -> None:
        """A client came, went silent or left."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def of(self, offer: Offer, address: str, *, again: bool, v16: bool) -> Connection | None:
        """The connection whose place this offer takes. `again` says that the client comes back."""
        ours = self._ours(v16)
        if not offer.may_control:
            # Who may only watch takes the place of nobody who may more.
            ours = [c for c in ours if not c.offer.may_control]
        found = next((c for c in ours if same_peer(c.offer, offer)), None)
        found = found or next((c for c in ours if c.presence.ready and not c.presence.live), None)
        if found is None and again:
            found = next((c for c in reversed(ours) if not c.presence.ready and _given_up(c, address)), None)
        return found

    async def wait(self, offer: Offer, address: str, *, v16: bool) -> None:
        """Return when a place is free for a client that comes back, after `CONSENT_WAIT_S` at the latest."""
        there = self._ours(v16)
        deadline = self._clients.clock.time() + CONSENT_WAIT_S
        while (left := deadline - self._clients.clock.time()) > 0:
            gone = set(there) - set(self._ours(v16))
            controlled = self._clients.roles.controller is not None
            if not there or gone or not controlled or self.of(offer, address, again=True, v16=v16):
                return
            changed = self._changed
            try:
                async with timeout(self._clients.clock, left):
                    await changed.wait()
            except TimeoutError:
                return

    def expect(self, heir: Connection) -> None:
        """`heir` came in beside a live client, which it may be itself: it controls if that one goes soon."""
        before = self._clients.roles.controller
        may = heir.offer.may_control
        if may and before is not None and before is not heir and before.id in self.default_connections:
            self._heirs[heir] = (before, self._clients.clock.time() + HEIR_S)

    def heir_of(self, gone: Connection) -> Connection | None:
        """Who takes the role of a client that has gone: the newest that waits for that."""
        now = self._clients.clock.time()
        self._heirs = {
            heir: (before, until)
            for heir, (before, until) in self._heirs.items()
            if until > now and not heir.presence.closed
        }
        waiting = [h for h, (before, _) in self._heirs.items() if before is gone and h.presence.ready]
        return waiting[-1] if waiting else None

    def _ours(self, v16: bool) -> list[Connection]:
        ours = [c for i, c in self._clients.connections.items() if i in self.default_connections]
        return [c for c in ours if isinstance(c.conversation.format, V16Format)] if v16 else ours


def same_peer(before: Offer, now: Offer) -> bool:
    """Whether two offers come from one peer."""
    return bool(sdp.fingerprint(now.sdp)) and sdp.identity(before.sdp) == sdp.identity(now.sdp)


def _given_up(connection: Connection, address: str) -> bool:
    """Whether an offer that has not become a connection may make room for one from `address`."""
    return (
        connection.address == address or connection.made_at < connection.session.clock.unix() - NEGOTIATING_S
    )
