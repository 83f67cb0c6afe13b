"""The clients of the running session: their connections, their roles, what they are told. Event loop only."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from reactor_runtime.errors import CommandError, RequestError
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
ADDRESSES_LIMIT = 1024
"""Addresses whose offers are counted; the least recent is forgotten."""


class ClientsOwner(Protocol):
    def presence(self, session: Session, present: bool) -> None:
        """Whether any client of the session is there has changed, or may have."""

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None: ...

    def video(self, session: Session, track: str, rgb: NDArray[np.uint8]) -> None:
        """Engine thread."""

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
        self._options = options
        self._engine = engine
        self._owner = owner
        self._offers: dict[str, TokenBucket] = {}

    def begin(self) -> None:
        """A new session: nobody has a role, nothing is pending."""
        self.roles = self._fresh_roles(self._options)
        self.pending.clear()
        self.implicit = IMPLICIT_CONNECTION

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

    async def connect(
        self,
        session: Session,
        offer: Offer,
        connection_id: int,
        codec: Codec | None,
        *,
        replace: bool,
        running: Callable[[], bool],
    ) -> Connection:
        """Answer an offer. `replace` takes the place of the connection that has this id, role included.

        `running()` says whether `session` still takes offers: it may end while the engine works.
        Raises `RequestError`.
        """
        before = self.connections.get(connection_id) if replace else None
        if before is not None and _same_peer(before.offer, offer) and await self._restart(before, offer):
            return before
        if before is None:
            self.roles.admit(len(self.connections))
        connection = Connection(connection_id, session, offer, self, codec)
        try:
            connection.peer = await self._engine.create_peer(self.peer_config(offer), connection)
            for candidate in self.pending.take(connection_id, session.number):
                await connection.peer.add_candidate(candidate)
            await connection.peer.answer(offer.sdp, offer.sections)
            if not running():
                raise RequestError(
                    409, "session_ended", "The session ended while the offer was being answered."
                )
        except BaseException:
            await connection.close()
            raise
        before = self.connections.get(connection_id)
        self.connections[connection_id] = connection
        if before is not None:
            self.roles.replace(before, connection)
            _say_end(before, EndReason.REPLACED, "Another connection took this one's place.")
            await self.drop(before, "another offer replaced it")
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
        """Hand a candidate on, or keep it until the offer comes."""
        connection = self.connections.get(connection_id)
        if connection is not None and connection.peer is not None:
            await connection.peer.add_candidate(candidate)
        else:
            self.pending.add(connection_id, session.number, time.monotonic(), candidate)

    def take_control(self, connection: Connection) -> None:
        """Make this client the controller; who loses that is told."""
        lost = self.roles.take(connection)
        if lost is not None and not lost.closed:
            _say_role(lost, Role.VIEWER, "Another client took control.")
        _say_role(connection, Role.CONTROLLER, "")
        self._owner.note("control_taken", connection=connection.id)

    def broadcast(self, say: Say) -> None:
        for connection in self.connections.values():
            if connection.ready:
                connection.say(say)

    def say_end(self, reason: EndReason, message: str) -> None:
        for connection in self.connections.values():
            _say_end(connection, reason, message)

    def any_ready(self) -> bool:
        return any(connection.ready for connection in self.connections.values())

    async def drain(self, deadline: float) -> None:
        """Wait until the channels are empty, `deadline` (monotonic) at the latest."""
        connections = [connection for connection in self.connections.values() if connection.ready]
        # The engine has no event that says "empty".
        while any(c.buffered() for c in connections) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(DRAIN_POLL_S)
        if connections:
            # Empty here means "handed to SCTP"; closing at once would still overtake it on the wire.
            await asyncio.sleep(2 * DRAIN_POLL_S)

    async def close_all(self) -> None:
        connections, self.connections = list(self.connections.values()), {}
        for connection in connections:
            await connection.close()

    async def drop(self, connection: Connection, why: str) -> None:
        """Let go of one client."""
        if connection.closed:
            return
        log.info("Session %d: connection %d is gone: %s", connection.session.number, connection.id, why)
        self._owner.note("disconnected", connection=connection.id, why=why)
        if self.connections.get(connection.id) is connection:
            del self.connections[connection.id]
        self.roles.leave(connection)
        await connection.close()
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
        for section in connection.offer.sections:
            track = section.back if section.sends else section.track
            if track is not None:
                self._publish_if_free(connection, track)

    def presence_changed(self, connection: Connection) -> None:
        self._present(connection.session)

    def connection_lost(self, connection: Connection, why: str) -> None:
        self._owner.spawn(self.drop(connection, why))

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None:
        self._owner.message(connection, label, data, binary)

    def video(self, connection: Connection, track: str, rgb: NDArray[np.uint8]) -> None:
        if self.roles.publishes(connection, track):
            self._owner.video(connection.session, track, rgb)

    # --- inside ---

    async def _restart(self, connection: Connection, offer: Offer) -> bool:
        """Let the same peer negotiate again (ICE restart); False when it is too late for that."""
        if connection.peer is None or connection.closed:
            return False
        await connection.peer.restart(offer.sdp)
        connection.offer = offer
        return True

    def _publish_if_free(self, connection: Connection, track: str) -> None:
        """Clients of older generations publish without asking."""
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
    return bool(sdp.fingerprint(now.sdp)) and sdp.fingerprint(before.sdp) == sdp.fingerprint(now.sdp)


def _say_end(connection: Connection, reason: EndReason, message: str) -> None:
    if connection.ready:
        connection.say(
            lambda codec: codec.runtime("sessionEnded", {"reason": reason.value, "message": message})
        )


def _say_role(connection: Connection, role: Role, reason: str) -> None:
    data = {"role": role.value, **({"reason": reason} if reason else {})}
    connection.say(lambda codec: codec.runtime("role", data))
