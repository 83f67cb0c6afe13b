"""Offers of clients, and the connections that they become. Event loop only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from reactor_runtime.clock import WALL, Clock
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.process import stdio
from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import Engine, IceCandidate, PeerConfig
from reactor_runtime.transports.tcp_media import TcpPeers, with_passive
from reactor_runtime.transports.wire import Door

from .connection import Connection
from .descriptors import admit_peer
from .ice import IceSettings
from .link import Link
from .pending import PendingConnections, new_id
from .ratelimit import AddressLimit
from .seats import Seats, same_peer

if TYPE_CHECKING:
    from reactor_runtime.protocol.message_format import MessageFormat
    from reactor_runtime.session.session import Session

    from .clients import Clients
    from .negotiation import Offer
    from .options import ClientOptions

STALE_OFFER_S = 5.0
"""After this, an offer that has become no connection makes room for others."""
FORMER_LIMIT = 64
"""Connections that left and may come back under their id; the least recent is forgotten."""
UNKNOWN_IDS_PER_MINUTE = 60
"""How often one address may ask for a connection that is not there, or that another address made."""
YOUNG_PEER_S = 0.5
"""How long a peer may take to open its sockets."""


class Signalling:
    """Which connection an offer is for, and its negotiation. What is answered goes to `Clients.add`."""

    def __init__(self, engine: Engine, options: ClientOptions, clients: Clients, clock: Clock = WALL) -> None:
        self.pending = PendingConnections()
        self.ice = IceSettings(options.stun_servers, options.turn_servers, options.turn_secret)
        self.default_connection = new_id()
        """Which connection the paths without a connection id mean: the newest that came through them."""
        self.seats = Seats(clients)
        self.default_read = asyncio.Event()
        """Set while nobody has still to fetch the answer of that connection."""
        self.default_read.set()
        self.default_turn = asyncio.Lock()
        self.tcp_peers = TcpPeers()
        """Peers whose media may come over the HTTP port."""
        self._former: dict[int, str] = {}
        """By id, the addresses that they came from."""
        self._connecting: dict[int, str] = {}
        """Ids whose offers the engine is answering, and the addresses that they came from."""
        self.offers = AddressLimit(options.offers_per_minute)
        self.lookups = AddressLimit(UNKNOWN_IDS_PER_MINUTE)
        self._count = 0
        self._options = options
        self._engine = engine
        self._clients = clients
        self._clock = clock

    def begin(self) -> None:
        """A new session: nothing is pending, nobody may come back."""
        self.pending.clear()
        self._former.clear()
        self.seats.begin()
        self._count = 0
        self.default_connection = new_id()
        self.default_read.set()

    def limit_offers(self, address: str) -> None:
        """Raises `RefusedError` when an address offers more often than it may."""
        self.offers.check(address, self._clock.time(), "offers a minute from one address")

    def holds(self, session: Session, connection_id: int, address: str) -> bool:
        """Whether a connection of this id is there, was announced, or may come back.

        Its own address may ask as often as it likes; from elsewhere that would be guessing, and raises
        `RefusedError` when it is too much.
        """
        known = self._address(session, connection_id)
        if known != address:
            now = self._clock.time()
            self.lookups.check(address, now, "questions a minute for connections that are not yours")
        return known is not None

    def require(self, session: Session, connection_id: int, address: str) -> None:
        """As `holds`. Raises `RefusedError` when there is none, too."""
        if not self.holds(session, connection_id, address):
            raise RefusedError(
                Refusal.NOT_FOUND, "unknown_connection", "Connection not found; POST …/connections first."
            )

    def announce(self, session: Session, address: str = "") -> int:
        """A new connection id."""
        taken = {*self._clients.connections, *self._connecting, *self._former, self.default_connection}
        return self.pending.announce(session.number, self._clock.time(), taken, address)

    def default_connection_for(
        self, session: Session, offer: Offer, address: str, *, again: bool, v16: bool
    ) -> int:
        """Which connection an offer without an id is for; see `Seats`. Otherwise it is a further client."""
        found = self.seats.of(offer, address, again=again, v16=v16)
        if found is not None:
            return found.id
        if (
            self.default_connection in self._clients.connections
            or self.default_connection in self._connecting
        ):
            return self.announce(session, address)
        return self.default_connection

    def use_default_connection(self, connection_id: int) -> None:
        """From now on, the paths without an id mean this connection."""
        self.default_connection = connection_id
        self.seats.default_connections.add(connection_id)
        self.default_read.clear()

    async def connect(
        self,
        session: Session,
        offer: Offer,
        connection_id: int,
        message_format: MessageFormat | None,
        running: Callable[[], bool],
        address: str = "",
    ) -> Connection:
        """Answer an offer. It takes the place of the connection that has this id, role included; an offer of
        the same peer is negotiated by that peer (an ICE restart).

        `running()` says whether `session` still takes offers: it may end while the engine works.
        Raises `RefusedError`.
        """
        clients = self._clients
        before = clients.connections.get(connection_id)
        _check_place(before, offer)
        if before is not None and same_peer(before.offer, offer) and await self._restart(before, offer):
            await self._hand_over_pending(before)
            return before
        if before is None:
            await self._admit(offer)
        admit_peer(self._engine.descriptors_per_peer, self._coming())
        number = self._count = self._count + 1
        self._connecting[connection_id] = address
        try:
            stdio.plug()  # the engine opens sockets
            door = Door()
            link = Link(await self._engine.create_peer(self.peer_config(offer), door.handle), offer)
            connection = Connection(
                connection_id, session, offer, clients, link, message_format, number=number, address=address
            )
            door.open(connection.handle)
            await self._first_answer(connection, running)
        finally:
            self._connecting.pop(connection_id, None)
        clients.add(connection)
        self._former.pop(connection_id, None)
        # Those that came while the engine was at work.
        await self._hand_over_pending(connection)
        return connection

    async def _first_answer(self, connection: Connection, running: Callable[[], bool]) -> None:
        try:
            await self._hand_over_pending(connection)
            await connection.link.first(connection.offer)
            if not running():
                raise RefusedError(
                    Refusal.CONFLICT, "session_ended", "The session ended while the offer was being answered."
                )
        except BaseException:
            await connection.close()
            raise

    def peer_config(self, offer: Offer) -> PeerConfig:
        options = self._options
        return PeerConfig(
            tuple(self.ice.servers(self._clock.unix())),
            options.relay_only,
            options.port_range,
            reveal_timestamps=offer.from_page,
            from_loopback=offer.from_loopback,
            sender_turns=offer.sender_turns,
        )

    def address_answer(self, answer: str, reached: tuple[str, int] | None = None) -> str:
        """Put the advertised address into an answer, and where the client `reached` us over TCP."""
        address = self._options.advertise_ip
        if address:
            answer = sdp.advertise(answer, address)
        return with_passive(answer, *reached) if reached and self.tcp_peers.serve(answer) else answer

    async def add_candidate(
        self, session: Session, connection_id: int, candidate: IceCandidate, address: str = ""
    ) -> None:
        """Hand a candidate on, or keep it until its offer comes."""
        connection = self._clients.connections.get(connection_id)
        if connection is None or not connection.link.expects(candidate):
            self.pending.add(connection_id, session.number, self._clock.time(), candidate, address)
        else:
            await connection.link.add_candidate(candidate)

    def remember(self, connection: Connection) -> None:
        if not connection.presence.ready_once:
            return
        self._former.pop(connection.id, None)
        self._former[connection.id] = connection.address
        if len(self._former) > FORMER_LIMIT:
            del self._former[next(iter(self._former))]

    def came_from(self, connection_id: int, address: str) -> bool:
        """Whether a connection that has gone was one from this address."""
        return self._former.get(connection_id) == address

    # --- inside ---

    def _address(self, session: Session, connection_id: int) -> str | None:
        """Where a connection of this id, or its announcement, came from; None when there is none."""
        connection = self._clients.connections.get(connection_id)
        if connection is not None:
            return connection.address
        if connection_id in self._former:
            return self._former[connection_id]
        known = self.pending.known(connection_id, session.number, self._clock.time())
        return self.pending.address(connection_id) if known else self._connecting.get(connection_id)

    def _coming(self) -> int:
        """Peers that may have sockets still to open."""
        since = self._clock.unix() - YOUNG_PEER_S
        young = sum(c.made_at > since for c in self._clients.connections.values())
        return young + len(self._connecting)

    async def _admit(self, offer: Offer) -> None:
        """Raises `RefusedError` when no further client may come. Viewers leave a place for who plays."""
        roles = self._clients.roles
        kept_free = 0 if offer.may_control or roles.controller is not None else 1
        try:
            roles.admit(len(self._clients.connections) + len(self._connecting) + kept_free)
        except RefusedError:
            stale = self._clock.unix() - STALE_OFFER_S
            others = self._clients.connections.values()
            waiting = next((c for c in others if not c.presence.ready and c.made_at < stale), None)
            if waiting is None:
                raise
            await self._clients.drop(waiting, "its offer became no connection, and another client waits")

    async def _restart(self, connection: Connection, offer: Offer) -> bool:
        """Let the same peer negotiate again: an ICE restart, tracks that come or go.

        False when it is too late for that.
        """
        if connection.presence.closed:
            return False
        before = connection.offer
        _refuse_changed(before, offer)
        await connection.link.further(offer)
        await connection.renegotiated(offer)
        self._clients.renegotiated(connection, before)
        return True

    async def _hand_over_pending(self, connection: Connection) -> None:
        for candidate in self.pending.take(connection.id, connection.session.number):
            await connection.link.add_candidate(candidate)


def _check_place(before: Connection | None, offer: Offer) -> None:
    """Raises `RefusedError` when who may only watch offers in the place of who may more."""
    if before is not None and before.offer.may_control and not offer.may_control:
        raise RefusedError(
            Refusal.FORBIDDEN,
            "view_only",
            "This token is for watching: it does not take the place of this connection.",
        )


def _refuse_changed(before: Offer, now: Offer) -> None:
    """Raises `RefusedError` when a section of a connection would carry another track than so far."""
    tracks = {section.mid: (section.track, section.sends) for section in before.sections}
    for section in now.sections:
        if tracks.get(section.mid, (section.track, section.sends)) != (section.track, section.sends):
            raise RefusedError(
                Refusal.INVALID,
                "sections_changed",
                f"Section {section.mid!r} carries track {tracks[section.mid][0]!r}; a further offer may add "
                "sections and end them, and maps those that stay as before.",
            )
