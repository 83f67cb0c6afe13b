"""The clients of the running session: their connections, their roles, what they are told. Event loop only."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from reactor_runtime.errors import CommandError, RequestError
from reactor_runtime.protocol.codec import FlatCodec, JsonCodec
from reactor_runtime.session.states import EndReason
from reactor_runtime.transports import sdp
from reactor_runtime.transports.port import Engine, IceCandidate, PeerConfig

from .connection import Connection, Say
from .ice import IceSettings
from .pending import PendingConnections
from .ratelimit import TokenBucket
from .roles import Role, Roles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reactor_runtime.protocol.codec import Codec
    from reactor_runtime.session.session import Session

    from .negotiation import Offer
    from .options import HttpOptions

log = logging.getLogger(__name__)

IMPLICIT_CONNECTION = 1001
"""The connection of clients that know of only one."""
DRAIN_POLL_S = 0.01
FAREWELL_S = 2.0
"""How long a client that is replaced may take to hear about it."""
STALE_OFFER_S = 5.0
"""After this, an offer that has become no connection makes room for others."""
FORMER_LIMIT = 64
"""Connections that left and may come back under their id; the least recent is forgotten."""
ADDRESSES_LIMIT = 1024
"""Addresses whose offers are counted; the least recent is forgotten."""


class ClientsOwner(Protocol):
    def presence(self, session: Session, present: bool) -> None:
        """Whether any client of the session is there has changed, or may have."""

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None: ...

    def video(self, session: Session, track: str, rgb: NDArray[np.uint8]) -> None:
        """Engine thread."""

    def sound(
        self, session: Session, track: str, block: NDArray[np.int16], rate: int, source: object
    ) -> None:
        """Engine thread. `source` tells the clients apart."""

    def spawn(self, coroutine: object) -> None: ...

    def note(self, kind: str, **data: object) -> None:
        """Tell the journal."""


class Clients:
    """Implements `ConnectionOwner`."""

    def __init__(self, engine: Engine, options: HttpOptions, owner: ClientsOwner) -> None:
        self.connections: dict[int, Connection] = {}
        self.pending = PendingConnections()
        self.roles = self._fresh_roles(options)
        self.ice = IceSettings(options.stun_servers, options.turn_servers, options.turn_secret)
        self.implicit = IMPLICIT_CONNECTION
        """Which connection the paths without a connection id mean: the newest that came through them."""
        self.implicit_read = asyncio.Event()
        """Set while nobody has still to fetch the answer of that connection."""
        self.implicit_read.set()
        self._implicit_ids: set[int] = set()
        self._former: dict[int, None] = {}
        self.implicit_turn = asyncio.Lock()
        self._connecting: list[int] = []
        """Ids whose offers the engine is answering."""
        self._parting: set[Connection] = set()
        self._end: tuple[EndReason, str] | None = None
        self._told: set[Connection] = set()
        self._options = options
        self._engine = engine
        self._owner = owner
        self._offers: dict[str, TokenBucket] = {}

    def begin(self) -> None:
        """A new session: nobody has a role, nothing is pending."""
        self.roles = self._fresh_roles(self._options)
        self.pending.clear()
        self._former.clear()
        self._end = None
        self._told.clear()
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
            connection_id in self.connections
            or connection_id in self._connecting
            or connection_id in self._former
            or self.pending.known(connection_id, session.number, time.monotonic())
        )

    def announce(self, session: Session) -> int:
        """A new connection id."""
        taken = {*self.connections, *self._connecting, *self._former}
        return self.pending.announce(session.number, time.monotonic(), taken)

    def implicit_for(self, session: Session, offer: Offer, *, again: bool, flat: bool = False) -> int:
        """Which connection an offer without an id is for.

        That of the same peer, or of a client whose network has gone. `again` says that the client comes back:
        then it is the newest one, unless the one that steered has left. Otherwise it is a further client.
        """
        ours = [c for i, c in self.connections.items() if i in self._implicit_ids]
        if flat:
            ours = [c for c in ours if isinstance(c.codec, FlatCodec)]
        found = next((c for c in ours if _same_peer(c.offer, offer)), None)
        found = found or next((c for c in ours if c.ready and not c.live), None)
        if found is None and again and ours and (self.roles.controller or not any(c.ready for c in ours)):
            found = ours[-1]
        if found is not None:
            return found.id
        if IMPLICIT_CONNECTION in self.connections or IMPLICIT_CONNECTION in self._connecting:
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
        before = self.connections.get(connection_id)
        if before is not None and _same_peer(before.offer, offer) and await self._restart(before, offer):
            await self._hand_over_pending(before)
            return before
        if before is None:
            await self._admit()
        connection = Connection(connection_id, session, offer, self, codec)
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
        before = self.connections.get(connection_id)
        self.connections[connection_id] = connection
        self._former.pop(connection_id, None)
        if before is not None:
            self.roles.replace(before, connection)
            self._part(before)
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
        connection = self.connections.get(connection_id)
        if connection is None or not connection.expects(candidate):
            self.pending.add(connection_id, session.number, time.monotonic(), candidate)
        else:
            await connection.add_candidate(candidate)

    def take_control(self, connection: Connection) -> None:
        """Make this client the controller; who loses that is told."""
        before = self.roles.controller
        lost = self.roles.take(connection)
        if lost is not None and not lost.closed:
            _say_role(lost, Role.VIEWER, "Another client took control.")
        _say_role(connection, Role.CONTROLLER, "")
        self._publish_offered(connection)
        if before is not connection:
            self._owner.note("control_taken", connection=connection.id)

    def describe(self) -> list[dict[str, object]]:
        """Who is there, without the ids, which only their holders know."""
        return [
            {"role": self.roles.role_of(c).value, "live": c.live, "since": round(c.made_at, 3)}
            for c in self.connections.values()
            if c.ready
        ]

    def broadcast(self, say: Say) -> bool:
        """Tell everybody; False when nobody is there to be told."""
        present = [c for c in self.connections.values() if c.ready and c.offer.has_channel]
        for connection in present:
            connection.say(say)
        return bool(present)

    async def say_end(self, reason: EndReason, message: str, deadline: float) -> None:
        """Tell every client, and wait until that has left, `deadline` (monotonic) at the latest.

        A client that connects meanwhile is told too.
        """
        self._end = (reason, message)
        for connection in self.connections.values():
            self._tell_end(connection)
        told = 0
        while len(self._told) > told:
            told = len(self._told)
            await self.drain(deadline)

    def any_ready(self) -> bool:
        return any(connection.ready for connection in self.connections.values())

    async def drain(self, deadline: float) -> None:
        """Wait until the channels are empty, `deadline` (monotonic) at the latest."""
        await _drained([c for c in self.connections.values() if c.ready], deadline)

    async def close_all(self) -> None:
        connections = [*self.connections.values(), *self._parting]
        self.connections = {}
        self._told.clear()
        await asyncio.gather(*(connection.close() for connection in connections))

    async def drop(self, connection: Connection, why: str) -> None:
        """Let go of one client."""
        if connection.closed:
            return
        log.info("Session %d: connection %d is gone: %s", connection.session.number, connection.id, why)
        self._owner.note("disconnected", connection=connection.id, why=why)
        if self.connections.get(connection.id) is connection:
            del self.connections[connection.id]
            self._remember(connection)
        vacant = self.roles.leave(connection)
        await connection.close()
        if vacant:
            self._say_vacant()
        self._present(connection.session)

    async def drop_silent(self) -> None:
        for connection in list(self.connections.values()):
            if connection.silent():
                await self.drop(connection, "the client stopped pinging")

    # --- ConnectionOwner ---

    def connection_ready(self, connection: Connection) -> None:
        role = self.roles.join(connection)
        log.info("Session %d: connection %d is a %s", connection.session.number, connection.id, role)
        self._owner.note("connected", connection=connection.id, role=role.value)
        if role is Role.VIEWER:
            _say_role(connection, role, "Another client steers this session.")
        self._publish_offered(connection)
        self._tell_end(connection)

    def presence_changed(self, connection: Connection) -> None:
        self._present(connection.session)

    def connection_lost(self, connection: Connection, why: str) -> None:
        self._owner.spawn(self.drop(connection, why))

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None:
        self._owner.message(connection, label, data, binary)

    def video(self, connection: Connection, track: str, rgb: NDArray[np.uint8]) -> None:
        if self.roles.publishes(connection, track):
            self._owner.video(connection.session, track, rgb)

    def sound(self, connection: Connection, track: str, block: NDArray[np.int16], rate: int) -> None:
        if self.roles.publishes(connection, track):
            self._owner.sound(connection.session, track, block, rate, connection)

    # --- inside ---

    def _tell_end(self, connection: Connection) -> None:
        if self._end is None or not connection.ready:
            return
        # Who has not shown how it writes hears it in the words that most clients know.
        connection.settle(JsonCodec())
        _say_end(connection, *self._end)
        self._told.add(connection)

    async def _admit(self) -> None:
        """Raises `RequestError` when no further client may come."""
        try:
            self.roles.admit(len(self.connections) + len(self._connecting))
        except RequestError:
            stale = time.time() - STALE_OFFER_S
            waiting = next((c for c in self.connections.values() if not c.ready and c.made_at < stale), None)
            if waiting is None:
                raise
            await self.drop(waiting, "its offer became no connection, and another client waits")

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

    def _part(self, connection: Connection) -> None:
        """Let a client go that another offer replaced, after it has heard so."""
        connection.settle(JsonCodec())
        _say_end(connection, EndReason.REPLACED, "Another connection took this one's place.")
        self._parting.add(connection)

        async def part() -> None:
            try:
                if connection.ready:
                    await _drained([connection], time.monotonic() + FAREWELL_S)
                await self.drop(connection, "another offer replaced it")
            finally:
                self._parting.discard(connection)

        self._owner.spawn(part())

    def _remember(self, connection: Connection) -> None:
        if not connection.ready_once:
            return
        self._former.pop(connection.id, None)
        self._former[connection.id] = None
        if len(self._former) > FORMER_LIMIT:
            del self._former[next(iter(self._former))]

    def _say_vacant(self) -> None:
        for connection in self.connections.values():
            if connection.ready:
                _say_role(connection, Role.VIEWER, "Nobody steers this session now; ask with takeControl.")

    def _publish_offered(self, connection: Connection) -> None:
        """Clients of older generations publish without asking."""
        for section in connection.offer.sections:
            track = section.back if section.sends else section.track
            if track is None:
                continue
            try:
                self.roles.publish(connection, track)
            except CommandError as error:
                log.info("Connection %d does not publish %r: %s", connection.id, track, error)

    def _present(self, session: Session) -> None:
        self._owner.presence(session, any(c.live for c in self.connections.values() if c.session is session))

    @staticmethod
    def _fresh_roles(options: HttpOptions) -> Roles:
        return Roles(options.viewers, options.shared_control)


def _same_peer(before: Offer, now: Offer) -> bool:
    return bool(sdp.fingerprint(now.sdp)) and sdp.identity(before.sdp) == sdp.identity(now.sdp)


async def _drained(connections: list[Connection], deadline: float) -> None:
    # The engine has no event that says "empty".
    while any(c.buffered() for c in connections) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(DRAIN_POLL_S)
    if connections:
        # Empty here means "handed to SCTP"; closing at once would still overtake it on the wire.
        await asyncio.sleep(2 * DRAIN_POLL_S)


def _say_end(connection: Connection, reason: EndReason, message: str) -> None:
    if connection.ready:
        connection.say(
            lambda codec: codec.runtime("sessionEnded", {"reason": reason.value, "message": message})
        )


def _say_role(connection: Connection, role: Role, reason: str) -> None:
    data = {"role": role.value, **({"reason": reason} if reason else {})}
    connection.say(lambda codec: codec.runtime("role", data))
