"""What a client's message sets off."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from reactor_runtime.errors import CommandError, NoSessionError, RateLimitedError
from reactor_runtime.protocol import messages
from reactor_runtime.protocol.messages import CommandMessage, RuntimeMessage, UndecodableError
from reactor_runtime.protocol.openapi import model_schema
from reactor_runtime.session.commands import CommandOutcome

from .ratelimit import COMMANDS_PER_S

if TYPE_CHECKING:
    from .connection import Connection
    from .runtime import Runtime

log = logging.getLogger(__name__)


class Dispatcher:
    """Answers runtime messages and hands commands to the command thread. Event loop only."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None:
        try:
            message = messages.parse_client_message(data)
        except UndecodableError as error:
            log.warning("A message on channel %r was refused: %s", label[:40], error)
            self._refuse(connection, None, None, error)
            return
        if isinstance(message, RuntimeMessage):
            self._runtime_message(connection, message)
        elif not connection.limit.take(time.monotonic()):
            limited = RateLimitedError(f"More than {COMMANDS_PER_S:g} commands a second; send fewer.")
            self._refuse(connection, message.id, message.name, limited)
        else:
            self._command(connection, message)

    def _runtime_message(self, connection: Connection, message: RuntimeMessage) -> None:
        if message.type == "ping":
            connection.last_ping = time.monotonic()
        elif message.type == "requestCapabilities":
            connection.send(messages.runtime("modelCapabilities", self._runtime.capabilities()))
        elif message.type == "requestSchema":
            connection.send(messages.runtime("modelSchema", model_schema(self._runtime.model_class)))
        else:
            log.info("A runtime message of type %r is not known here", message.type)
            error = UndecodableError(f"The runtime knows no message of type {message.type!r}.")
            self._refuse(connection, None, None, error)

    def _command(self, connection: Connection, message: CommandMessage) -> None:
        def answer(outcome: CommandOutcome) -> None:
            # From the command thread, through the loop, so that what the handler sent comes first.
            self._runtime.call(self._answer, connection, message, outcome)

        try:
            self._runtime.host.command(connection.session, message.name, message.arguments, answer)
        except NoSessionError:
            error = CommandError("session_ended", "The session has ended.")
            self._refuse(connection, message.id, message.name, error)

    def _answer(self, connection: Connection, message: CommandMessage, outcome: CommandOutcome) -> None:
        if outcome.error is not None:
            self._refuse(connection, message.id, message.name, outcome.error)
        elif message.id is not None:
            connection.send(messages.command_result(message.id, message.name, outcome.frame, outcome.result))
        elif outcome.result is not None:
            # What clients of 1.x expect: the value itself, as a message of the model.
            connection.send(messages.application(outcome.result))

    @staticmethod
    def _refuse(
        connection: Connection, request: str | int | None, command: str | None, error: CommandError
    ) -> None:
        connection.send(messages.command_error(request, command, error))
