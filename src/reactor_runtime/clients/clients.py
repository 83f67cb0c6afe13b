"""The clients of the running session: their connections, their roles, what they are told. Event loop only."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from reactor_runtime.clock import WALL, Clock
from reactor_runtime.errors import CommandError
from reactor_runtime.protocol.message_format import JsonFormat, Write
from reactor_runtime.session.states import EndReason
from reactor_runtime.transports.port import Engine

from .connection import Connection
from .media_share import LOOK_S
from .roles import Role, Roles
from .signalling import Signalling

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from reactor_runtime.session.session import Session

    from .negotiation import Offer
    from .options import ClientOptions
    from .owner import ClientsOwner

log = logging.getLogger(__name__)

DRAIN_POLL_S = 0.01
FAREWELL_S = 2.0
"""How long a client that is replaced may take to hear about it."""
LOOK_EVERY_S = 0.25
"""How old what the wires told may be for who asks."""
CONTROLLED = "Another client controls this session."
WATCHES = "This client's token is for watching."


class Clients:
    """Implements `ConnectionOwner`."""

    def __init__(
        self, engine: Engine, options: ClientOptions, owner: ClientsOwner, clock: Clock = WALL
    ) -> None:
        self.clock = clock
        self.connections: dict[int, Connection] = {}
        self.roles = self._fresh_roles(options)
        self.signalling = Signalling(engine, options, self, clock)
        self._parting: set[Connection] = set()
        self._end: tuple[EndReason, str] | None = None
        self._told: set[Connection] = set()
        self._looked = float("-inf")
        self.last_controller = 0
        """The id of the controller that has gone."""
        self._options = options
        self._owner = owner

    def begin(self) -> None:
        """A new session: nobody has a role, nothing is pending."""
        self.roles = self._fresh_roles(self._options)
        self.signalling.begin()
        self._end = None
        self.last_controller = 0
        self._told.clear()

    def add(self, connection: Connection) -> None:
        """A connection whose offer was answered. It takes the place of the one of its id, role included."""
        before = self.connections.get(connection.id)
        self.connections[connection.id] = connection
        if before is not None:
            self.roles.replace(before, connection)
            self._owner.let_go(before)
            self._part(before)

    def renegotiated(self, connection: Connection, before: Offer) -> None:
        """A client has sent a further offer, and it was answered."""
        inputs, former = connection.offer.inputs(), before.inputs()
        for track in former:
            if track not in inputs:
                self.roles.unpublish(connection, track)
        if connection.presence.ready:
            self._publish(connection, [track for track in inputs if track not in former])

    async def farewell(self, session: Session, connection_id: int) -> None:
        """A client says that it leaves: it has no role any more at once."""
        connection = self.connections.get(connection_id)
        if connection is not None:
            await self.drop(connection, "it said goodbye")
        self._left(session, connection_id)

    def take_control(self, connection: Connection) -> None:
        """Make this client the controller; who loses that is told."""
        before = self.roles.controller
        lost = self.roles.take(connection)
        if lost is not None and not self.roles.may_command(lost):
            self._owner.let_go(lost)
        if lost is not None and not lost.presence.closed:
            _send_role(lost, Role.VIEWER, "Another client took control.")
        _send_role(connection, Role.CONTROLLER, "")
        self._publish_offered(connection)
        if before is not connection:
            self._owner.note("control_taken", connection=connection.number)

    def describe(self, asker: int | None = None) -> list[dict[str, object]]:
        """Who is there, without the ids, which only their holders know: `asker`, by its own, finds itself."""
        return [
            {
                "role": self.roles.role_of(c).value,
                "live": c.presence.live,
                "since": round(c.made_at, 3),
                "outbound": [*map(asdict, c.media.rates()), *map(asdict, c.media.audio.rates())],
                **({"you": True} if c.id == asker else {}),
                **({"notice": c.conversation.notice.to_json()} if c.conversation.notice is not None else {}),
            }
            for c in self.connections.values()
            if c.presence.ready
        ]

    async def look(self) -> None:
        """Ask the wires for what only they know. Each look costs every engine, so not for each asker."""
        now = self.clock.time()
        if now - self._looked < LOOK_EVERY_S:
            return
        self._looked = now
        heard = [each.media for each in self.connections.values() if each.media.audio.streams]
        await asyncio.gather(*(each.look(LOOK_S) for each in heard))

    def count_losses(self) -> None:
        """Bring the session's count of lost frames up to date."""
        for connection in self.connections.values():
            connection.media.count_losses()

    def broadcast(self, write: Write) -> bool:
        """Tell everybody; False when nobody is there to be told."""
        present = [c for c in self.connections.values() if c.presence.ready and c.conversation.notice is None]
        for connection in present:
            connection.conversation.send(write)
        return bool(present)

    async def send_end(self, reason: EndReason, message: str, deadline: float) -> None:
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
        return any(connection.presence.ready for connection in self.connections.values())

    async def drain(self, deadline: float) -> None:
        """Wait until the channels are empty, `deadline` (monotonic) at the latest."""
        await _drained([c for c in self.connections.values() if c.presence.ready], deadline, self.clock)

    async def close_all(self) -> None:
        connections = [*self.connections.values(), *self._parting]
        self.connections = {}
        self._told.clear()
        self.signalling.seats.begin()
        await asyncio.gather(*(connection.close() for connection in connections))

    async def drop(self, connection: Connection, why: str) -> None:
        """Let go of one client."""
        if connection.presence.closed:
            return
        log.info("Session %d: connection %d is gone: %s", connection.session.number, connection.number, why)
        self._owner.note("disconnected", connection=connection.number, why=why)
        if self.connections.get(connection.id) is connection:
            del self.connections[connection.id]
            self.signalling.remember(connection)
        vacant = self.roles.leave(connection)
        self._owner.let_go(connection)
        if vacant:
            self.last_controller = connection.id
        self.signalling.seats.changed()
        self._present(connection.session)  # closing takes its time, and a goodbye may come meanwhile
        await connection.close()
        if vacant and self.roles.controller is None:
            self._pass_on(connection)
        self._present(connection.session)

    async def drop_silent(self) -> None:
        for connection in list(self.connections.values()):
            if connection.presence.silent():
                await self.drop(connection, "the client stopped pinging")

    async def look_for_losses(self) -> None:
        """See `MediaShare.look`."""
        await asyncio.gather(*(c.media.look() for c in self.connections.values()))
        self._looked = self.clock.time()

    # --- ConnectionOwner ---

    def connection_ready(self, connection: Connection) -> None:
        role = self.roles.join(connection, speaks=connection.conversation.notice is None)
        log.info("Session %d: connection %d is a %s", connection.session.number, connection.number, role)
        self._owner.note("connected", connection=connection.number, role=role.value)
        if connection.conversation.notice is not None:
            log.warning("Connection %d: %s", connection.number, connection.conversation.notice.detail)
            self._owner.note(
                "no_messages", connection=connection.number, **connection.conversation.notice.to_json()
            )
        elif role is Role.VIEWER:
            controls = connection.offer.may_control
            _send_role(connection, role, CONTROLLED if controls else WATCHES)
        self._publish_offered(connection)
        self._tell_end(connection)

    def channel_came(self, connection: Connection) -> None:
        role = self.roles.join(connection)
        log.info("Connection %d has a data channel now; it is a %s", connection.number, role)
        self._owner.note("messages", connection=connection.number, role=role.value)
        _send_role(connection, role, "" if role is Role.CONTROLLER else CONTROLLED)
        self._publish_offered(connection)
        self._tell_end(connection)

    def presence_changed(self, connection: Connection) -> None:
        self.signalling.seats.changed()
        if not connection.presence.live:
            self._owner.let_go(connection)
        self._present(connection.session)

    def connection_lost(self, connection: Connection, why: str) -> None:
        self._owner.spawn(self.drop(connection, why))

    def page_closed(self, connection: Connection) -> None:
        self._owner.spawn(self._leave(connection))

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None:
        self._owner.message(connection, label, data, binary)

    def video(self, connection: Connection, track: str, rgb: NDArray[np.uint8]) -> None:
        if self.roles.publishes(connection, track):
            self._owner.video(connection.session, track, rgb)

    def sound(self, connection: Connection, track: str, block: NDArray[np.int16], rate: int) -> None:
        if self.roles.publishes(connection, track):
            self._owner.sound(connection.session, track, block, rate, connection)

    # --- inside ---

    async def _leave(self, connection: Connection) -> None:
        await self.drop(connection, "its page was closed")
        self._left(connection.session, connection.id)

    def _left(self, session: Session, connection_id: int) -> None:
        # Where somebody else controls, and is silent only, that one keeps the whole grace.
        if self.last_controller == connection_id and self.roles.controller is None:
            self._owner.left(session)

    def _tell_end(self, connection: Connection) -> None:
        if self._end is None or not connection.presence.ready:
            return
        # Who has not shown how it writes hears it in the words that most clients know.
        connection.conversation.settle(JsonFormat())
        _send_end(connection, *self._end)
        self._told.add(connection)

    def _part(self, connection: Connection) -> None:
        """Let a client go that another offer replaced, after it has heard so."""
        connection.conversation.settle(JsonFormat())
        _send_end(connection, EndReason.REPLACED, "Another connection took this one's place.")
        self._parting.add(connection)

        async def part() -> None:
            try:
                if connection.presence.ready:
                    await _drained([connection], self.clock.time() + FAREWELL_S, self.clock)
                await self.drop(connection, "another offer replaced it")
            finally:
                self._parting.discard(connection)

        self._owner.spawn(part())

    def _pass_on(self, gone: Connection) -> None:
        """Let the one control that waits for it; otherwise say that nobody does."""
        heir = self.signalling.seats.heir_of(gone)
        if heir is None:
            self._send_vacant()
        else:
            self.take_control(heir)

    def _send_vacant(self) -> None:
        for connection in self.connections.values():
            if connection.presence.ready and connection.offer.may_control:
                _send_role(connection, Role.VIEWER, "Nobody controls this session now; ask with takeControl.")

    def _publish_offered(self, connection: Connection) -> None:
        """Clients of older generations publish without asking."""
        self._publish(connection, connection.offer.inputs())

    def _publish(self, connection: Connection, tracks: Iterable[str]) -> None:
        for track in tracks:
            try:
                self.roles.publish(connection, track)
            except CommandError as error:
                log.info("Connection %d does not publish %r: %s", connection.number, track, error)

    def _present(self, session: Session) -> None:
        self._owner.presence(
            session, any(c.presence.live for c in self.connections.values() if c.session is session)
        )

    @staticmethod
    def _fresh_roles(options: ClientOptions) -> Roles:
        return Roles(options.viewers, options.shared_control)


async def _drained(connections: list[Connection], deadline: float, clock: Clock) -> None:
    # The engine has no event that says "empty".
    while any(c.buffered() for c in connections) and clock.time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(DRAIN_POLL_S)
    if connections:
        # Empty here means "handed to SCTP"; closing at once would still overtake it on the wire.
        await asyncio.sleep(2 * DRAIN_POLL_S)


def _send_end(connection: Connection, reason: EndReason, message: str) -> None:
    if connection.presence.ready:
        connection.conversation.send(
            lambda form: form.runtime("sessionEnded", {"reason": reason.value, "message": message})
        )


def _send_role(connection: Connection, role: Role, reason: str) -> None:
    data: dict[str, Any] = {"role": role.value, **({"reason": reason} if reason else {})}
    if not connection.offer.may_control:
        data["view_only"] = True
    connection.conversation.send(lambda form: form.runtime("role", data))
