"""What a client's message sets off."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from reactor_runtime.errors import CommandError, NoSessionError, RateLimitedError
from reactor_runtime.protocol.codec import JsonCodec, TrackMessage
from reactor_runtime.protocol.messages import CommandMessage, RuntimeMessage, UndecodableError
from reactor_runtime.protocol.openapi import model_schema
from reactor_runtime.session.commands import CommandOutcome

from .ratelimit import COMMANDS_PER_S
from .roles import NotControllerError

if TYPE_CHECKING:
    from .connection import Connection
    from .runtime import Runtime

log = logging.getLogger(__name__)

NO_CLIPS = "This server records nothing."


class Dispatcher:
    """Answers runtime messages and hands commands to the command thread. Event loop only."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None:
        codec = connection.codec or JsonCodec()
        try:
            message = codec.decode(label, data)
        except UndecodableError as error:
            log.warning("A message on channel %r was refused: %s", label[:40], error)
            self._refuse(connection, None, None, error)
            return
        if isinstance(message, RuntimeMessage):
            self._runtime_message(connection, message)
        elif isinstance(message, TrackMessage):
            self._track_message(connection, message)
        elif not connection.limit.take(time.monotonic()):
            limited = RateLimitedError(f"More than {COMMANDS_PER_S:g} commands a second; send fewer.")
            self._refuse(connection, message.id, message.name, limited)
        elif not self._runtime.roles.may_command(connection):
            self._refuse(connection, message.id, message.name, NotControllerError())
        else:
            self._command(connection, message)

    def _runtime_message(self, connection: Connection, message: RuntimeMessage) -> None:
        runtime = self._runtime
        if message.type == "ping":
            connection.last_ping = time.monotonic()
        elif message.type == "requestCapabilities":
            capabilities = runtime.capabilities()
            connection.say(lambda codec: codec.runtime("modelCapabilities", capabilities, message.id))
        elif message.type == "requestSchema":
            schema = model_schema(runtime.model_class)
            connection.say(lambda codec: codec.runtime("modelSchema", schema, message.id))
        elif message.type in ("requestClip", "requestRecording"):
            connection.say(lambda codec: codec.runtime("clipFailed", {"reason": NO_CLIPS}, message.id))
        elif message.type == "takeControl":
            runtime.take_control(connection)
        elif message.type == "watchFrames":
            connection.watch_frames()
        elif message.type != "fileUploaded":
            log.info("A runtime message of type %r is not known here", message.type)
            error = UndecodableError(f"The runtime knows no message of type {message.type!r}.")
            self._refuse(connection, message.id, None, error)

    def _track_message(self, connection: Connection, message: TrackMessage) -> None:
        try:
            self._change_track(connection, message)
        except CommandError as error:
            log.info("%s of track %r was refused: %s", message.verb, message.track, error)
            self._track_response(connection, message, error)
        else:
            self._track_response(connection, message, None)

    @staticmethod
    def _track_response(connection: Connection, message: TrackMessage, error: CommandError | None) -> None:
        connection.say(lambda codec: codec.track_response(message, error))

    def _change_track(self, connection: Connection, message: TrackMessage) -> None:
        if message.track not in self._runtime.tracks:
            raise CommandError("unknown_track", f"The model has no track {message.track!r}.")
        if message.verb in ("pause_track", "resume_track"):
            connection.pause(message.track, message.verb == "pause_track")
        elif message.verb == "publish_track":
            self._runtime.roles.publish(connection, message.track)
        elif message.verb == "unpublish_track":
            self._runtime.roles.unpublish(connection, message.track)
        else:
            raise CommandError("unknown_method", f"There is no method {message.verb!r}.")

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
        self._runtime.note_command(message.name, outcome)
        if outcome.error is not None:
            self._refuse(connection, message.id, message.name, outcome.error)
            return
        connection.say(
            lambda codec: codec.command_result(message.id, message.name, outcome.frame, outcome.result)
        )
        if message.id is not None and connection.watches_frames:
            self._runtime.watch_frame(connection, message.id, outcome.frame)

    @staticmethod
    def _refuse(
        connection: Connection, request: str | int | None, command: str | None, error: CommandError
    ) -> None:
        connection.say(lambda codec: codec.command_error(request, command, error))
