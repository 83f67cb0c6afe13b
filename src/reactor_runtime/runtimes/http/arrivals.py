"""Offers of clients, and the connections that they become. Event loop only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from reactor_runtime.errors import RequestError
from reactor_runtime.protocol.codec import FlatCodec
from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import Engine, IceCandidate, PeerConfig

from .connection import Connection
from .ice import IceSettings
from .pending import PendingConnections
from .ratelimit import TokenBucket

if TYPE_CHECKING:
    from reactor_runtime.protocol.codec import Codec
    from reactor_runtime.session.session import Session

    from .clients import Clients
    from .negotiation import Offer
    from .options import HttpOptions

IMPLICIT_CONNECTION = 1001
"""The connection of clients that know of only one."""
STALE_OFFER_S = 5.0
"""After this, an offer that has become no connection makes room for others."""
FORMER_LIMIT = 64
"""Connections that left and may come back under their id; the least recent is forgotten."""
ADDRESSES_LIMIT = 1024
"""Addresses whose offers are counted; the least recent is forgotten."""


class Arrivals:
    """Which connection an offer is for, and its negotiation. What is answered goes to `Clients.add`."""

    def __init__(self, engine: Engine, options: HttpOptions, clients: Clients) -> None:
        self.pending = PendingConnections()
        self.ice = IceSettings(options.stun_servers, options.turn_servers, options.turn_secret)
        self.implicit = IMPLICIT_CONNECTION
        """Which connection the paths without a connection id mean: the newest that came through them."""
        self.implicit_read = asyncio.Event()
        """Set while nobody has still to fetch the answer of that connection."""
        self.implicit_read.set()
        self.implicit_turn = asyncio.Lock()
        self._implicit_ids: set[int] = set()
        self._former: dict[int, None] = {}
        self._connecting: list[int] = []
        """Ids whose offers the engine is answering."""
        self._offers: dict[str, TokenBucket] = {}
        self._options = options
        self._engine = engine
        self._clients = clients

    def begin(self) -> None:
        """A new session: nothing is pending, nobody may come back."""
        self.pending.clear()
        self._former.clear()
        self._implicit_ids.clear()
        self.implicit = IMPLICIT_CONNECTION
        self.implicit_read.set()

    def limit_offers(self, address: str) -> None:
        """Raises `RequestError` (429) when an address offers more often than it may."""
        per_minute = self._options.offers_per_minute
        if per_minute <= 0:
            return
        bucket = self._offers.pop(address, None) or TokenBucket(per_minute / 60, per_minute)
        self._offers[address] = bucket
        if len(self._offers) > ADDRESSES_LIMIT:
            del self._offers[next(iter(self._offers))]
        if not bucket.take(time.monotonic()):
            raise RequestError(
                429,
                "rate_limited",
                f"More than {per_minute} offers a minute from one address; wait a moment.",
                retry_after=max(1, round(60 / per_minute)),
            )

    def knows(self, session: Session, connection_id: int) -> bool:
        """Whether a connection of this id is there, was announced, or may come back."""
        return (
            connection_id in self._clients.connections
            or connection_id in self._connecting
            or connection_id in self._former
            or self.pending.known(connection_id, session.number, time.monotonic())
        )

    def announce(self, session: Session) -> int:
        """A new connection id."""
        taken = {*self._clients.connections, *self._connecting, *self._former}
        return self.pending.announce(session.number, time.monotonic(), taken)

    def implicit_for(self, session: Session, offer: Offer, *, again: bool, flat: bool = False) -> int:
        """Which connection an offer without an id is for.

        That of the same peer, or of a client whose network has gone. `again` says that the client comes back:
        then it is the newest one, unless the one that steered has left. Otherwise it is a further client.
        """
        ours = [c for i, c in self._clients.connections.items() if i in self._implicit_ids]
        if not offer.may_steer:
            # Who may only watch takes the place of nobody who may more.
            ours = [c for c in ours if not c.offer.may_steer]
        if flat:
            ours = [c for c in ours if isinstance(c.codec, FlatCodec)]
        found = next((c for c in ours if _same_peer(c.offer, offer)), None)
        found = found or next((c for c in ours if c.ready and not c.live), None)
        steered = self._clients.roles.controller is not None
        if found is None and again and ours and (steered or not any(c.ready for c in ours)):
            found = ours[-1]
        if found is not None:
            return found.id
        if IMPLICIT_CONNECTION in self._clients.connections or IMPLICIT_CONNECTION in self._connecting:
            return self.announce(session)
        return IMPLICIT_CONNECTION

    def use_implicit(self, connection_id: int) -> None:
        """From now on, the paths without an id mean this connection."""
        self.implicit = connection_id
        self._implicit_ids.add(connection_id)
        self.implicit_read.clear()

    async def connect(
        self,
        session: Session,
        offer: Offer,
        connection_id: int,
        codec: Codec | None,
        running: Callable[[], bool],
    ) -> Connection:
        """Answer an offer. It takes the place of the connection that has this id, role included; an offer of
        the same peer is negotiated by that peer (an ICE restart).

        `running()` says whether `session` still takes offers: it may end while the engine works.
        Raises `RequestError`.
        """
        before = self._clients.connections.get(connection_id)
        _check_place(before, offer)
        if before is not None and _same_peer(before.offer, offer) and await self._restart(before, offer):
            await self._hand_over_pending(before)
            return before
        if before is None:
            await self._admit(offer)
        connection = Connection(connection_id, session, offer, self._clients, codec)
        self._connecting.append(connection_id)
        try:
            connection.peer = await self._engine.create_peer(self.peer_config(offer), connection)
            await self._hand_over_pending(connection)
            await connection.peer.answer(offer.sdp, offer.sections)
            if not running():
                raise RequestError(
                    409, "session_ended", "The session ended while the offer was being answered."
                )
        except BaseException:
            await connection.close()
            raise
        finally:
            self._connecting.remove(connection_id)
        self._clients.add(connection)
        self._former.pop(connection_id, None)
        # Those that came while the engine was at work.
        await self._hand_over_pending(connection)
        return connection

    def peer_config(self, offer: Offer) -> PeerConfig:
        options = self._options
        return PeerConfig(
            tuple(self.ice.servers(time.time())),
            options.relay_only,
            options.port_range,
            reveal_timestamps=offer.watches_frames,
        )

    def address_answer(self, answer: str) -> str:
        """Put the advertised address into an answer."""
        address = self._options.advertise_ip
        return sdp.advertise(answer, address) if address else answer

    async def add_candidate(self, session: Session, connection_id: int, candidate: IceCandidate) -> None:
        """Hand a candidate on, or keep it until its offer comes."""
        connection = self._clients.connections.get(connection_id)
        if connection is None or not connection.expects(candidate):
            self.pending.add(connection_id, session.number, time.monotonic(), candidate)
        else:
            await connection.add_candidate(candidate)

    def remember(self, connection: Connection) -> None:
        if not connection.ready_once:
            return
        self._former.pop(connection.id, None)
        self._former[connection.id] = None
        if len(self._former) > FORMER_LIMIT:
            del self._former[next(iter(self._former))]

    # --- inside ---

    async def _admit(self, offer: Offer) -> None:
        """Raises `RequestError` when no further client may come. Viewers leave a place for who plays."""
        roles = self._clients.roles
        kept_free = 0 if offer.may_steer or roles.controller is not None else 1
        try:
            roles.admit(len(self._clients.connections) + len(self._connecting) + kept_free)
        except RequestError:
            stale = time.time() - STALE_OFFER_S
            others = self._clients.connections.values()
            waiting = next((c for c in others if not c.ready and c.made_at < stale), None)
            if waiting is None:
                raise
            await self._clients.drop(waiting, "its offer became no connection, and another client waits")

    async def _restart(self, connection: Connection, offer: Offer) -> bool:
        """Let the same peer negotiate again (ICE restart); False when it is too late for that."""
        if connection.peer is None or connection.closed:
            return False
        if offer.sections != connection.offer.sections:
            raise RequestError(
                400, "sections_changed", "A further offer of a connection must map the same tracks as before."
            )
        await connection.peer.restart(offer.sdp)
        connection.renegotiated(offer)
        return True

    async def _hand_over_pending(self, connection: Connection) -> None:
        for candidate in self.pending.take(connection.id, connection.session.number):
            await connection.add_candidate(candidate)


def _check_place(before: Connection | None, offer: Offer) -> None:
    """Raises `RequestError` when who may only watch offers in the place of who may more."""
    if before is not None and before.offer.may_steer and not offer.may_steer:
        raise RequestError(
            403, "view_only", "This token is for watching: it does not take the place of this connection."
        )


def _same_peer(before: Offer, now: Offer) -> bool:
    return bool(sdp.fingerprint(now.sdp)) and sdp.identity(before.sdp) == sdp.identity(now.sdp)
