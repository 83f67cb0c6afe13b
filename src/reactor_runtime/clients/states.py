"""Calls of states (`@command(coalesce=True)`): the newest is never lost, nor stays when its client goes.

Event loop only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reactor_runtime.errors import NoSessionError
from reactor_runtime.executors.port import CommandOutcome
from reactor_runtime.protocol.messages import CommandMessage

from .holds import Holds
from .late import LATE_S

if TYPE_CHECKING:
    from .connection import Connection
    from .owner import DispatchOwner

log = logging.getLogger(__name__)


class States:
    """`run(connection, message)` queues a call, `supersede(connection, message)` answers one that was
    replaced before it was queued."""

    def __init__(
        self,
        owner: DispatchOwner,
        run: Callable[[Connection, CommandMessage], None],
        supersede: Callable[[Connection, CommandMessage], None],
    ) -> None:
        self._owner = owner
        self._run = run
        self._supersede = supersede
        self.holds = Holds(owner.model.commands)

    def is_state(self, name: str) -> bool:
        spec = self._owner.model.commands.get(name)
        return spec is not None and spec.coalesce

    def delay(self, connection: Connection, message: CommandMessage) -> None:
        """Keep a call that came too fast until there is room for it; a newer one takes its place."""
        waiting = bool(connection.commands.late)
        replaced = connection.commands.late.put(message)
        if replaced is not None:
            self._supersede(connection, replaced)
        if not waiting:
            self._catch_up_later(connection)

    def overtaken(self, connection: Connection, name: str) -> None:
        """A call of this state has come in time: one that waits from before is old."""
        replaced = connection.commands.late.take(name)
        if replaced is not None:
            self._supersede(connection, replaced)

    def let_go(self, connection: Connection) -> None:
        """What a client held is released: it has gone, or may not control any more."""
        for name, tries in self.holds.let_go(connection).items():
            log.info("What connection %d held of the command %r is released", connection.number, name)
            self._release(connection, name, tries)

    def _release(self, connection: Connection, name: str, tries: list[dict[str, Any]]) -> None:
        arguments, *others = tries

        def answer(outcome: CommandOutcome) -> None:
            if outcome.error is not None and others:
                self._owner.call(self._release, connection, name, others)
            else:
                self._owner.call(self._owner.count_command, name, "released")

        try:
            self._owner.command(connection.session, name, arguments, answer)
        except NoSessionError:
            log.debug("Nothing is released: the session of connection %d is over", connection.number)

    def _catch_up(self, connection: Connection) -> None:
        now = connection.session.clock.time
        while (
            not connection.presence.closed
            and connection.commands.late
            and connection.commands.limit.take(now())
        ):
            message = connection.commands.late.take()
            if message is not None:
                self._run(connection, message)
        if not connection.presence.closed and connection.commands.late:
            self._catch_up_later(connection)

    def _catch_up_later(self, connection: Connection) -> None:
        connection.session.clock.call_later(LATE_S, self._catch_up, connection)
