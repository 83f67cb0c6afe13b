"""What a client's message sets off."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reactor_runtime import loglines
from reactor_runtime.authoring.media import TrackDirection
from reactor_runtime.errors import CommandError, NoSessionError, RateLimitedError
from reactor_runtime.executors.port import CommandOutcome
from reactor_runtime.protocol.message_format import JsonFormat, TrackMessage
from reactor_runtime.protocol.messages import CommandMessage, RuntimeMessage, UndecodableError
from reactor_runtime.protocol.openapi import model_schema

from .outcomes import KNOWN_CODES
from .ratelimit import COMMANDS_PER_S
from .states import States

if TYPE_CHECKING:
    from .connection import Connection
    from .owner import DispatchOwner

log = logging.getLogger(__name__)

UNSENDABLE = "The command ran, but its result does not go through this client's channel."
TOO_LARGE = {
    "modelCapabilities": (
        "capabilities_too_large",
        "GET /session and GET /schema have it",
    ),
    "modelSchema": ("schema_too_large", "GET /schema has it"),
}
"""What a client is told whose channel does not take an answer: a code, and where the whole is."""
NO_CLIPS = "recorder disabled"
"""The words that SDK 1.x knows and makes an error of its own of."""
TAKEN_NOTE_OF = ("fileUploaded", "clientStats")
"""What clients tell us that asks for nothing."""


class Dispatcher:
    """Answers runtime messages and hands commands to the command thread. Event loop only."""

    def __init__(self, owner: DispatchOwner) -> None:
        self._owner = owner
        self._keys = itertools.count()
        self._states = States(owner, self._run, self._supersede)

    def begin(self) -> None:
        """Another session begins: nobody holds anything."""
        self._states.holds.clear()

    def let_go(self, connection: Connection) -> None:
        """A client has gone, or may not control any more: what it held is released."""
        self._states.let_go(connection)

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None:
        token = loglines.client.set(str(connection.number))
        try:
            self._message(connection, label, data)
        finally:
            loglines.client.reset(token)

    def _message(self, connection: Connection, label: str, data: bytes) -> None:
        message_format = connection.conversation.format or JsonFormat()
        # Before the connection is up only what it has no room for comes here, to be refused.
        allowed = connection.presence.ready and connection.commands.limit.take(
            connection.session.clock.time()
        )
        try:
            message = message_format.decode(label, data)
        except UndecodableError as error:
            if allowed:
                log.warning("A message on channel %r was refused: %s", label[:40], error)
            self._send_error(connection, None, None, error if allowed else _limited(connection))
            return
        if isinstance(message, CommandMessage):
            self._command(connection, message, allowed)
        elif isinstance(message, RuntimeMessage) and message.type == "ping":
            connection.presence.note_ping()
        elif isinstance(message, RuntimeMessage):
            if allowed:
                self._runtime_message(connection, message)
            else:
                self._send_error(connection, message.id, None, _limited(connection))
        else:
            self._track_message(connection, message, allowed)

    def abandon(self, connection: Connection) -> None:
        """The session has ended, and a handler may never return: answer what it leaves open."""
        waiting, connection.commands.unanswered = connection.commands.unanswered, {}
        for message in waiting.values():
            self._refuse(connection, message, CommandError("session_ended", "The session has ended."))

    def _runtime_message(self, connection: Connection, message: RuntimeMessage) -> None:
        owner = self._owner
        if message.type == "requestCapabilities":
            self._describe(connection, message, "modelCapabilities", owner.model.capabilities)
        elif message.type == "requestSchema":
            self._describe(connection, message, "modelSchema", model_schema(owner.model))
        elif message.type in ("requestClip", "requestRecording"):
            connection.conversation.send(
                lambda form: form.runtime("clipFailed", {"reason": NO_CLIPS}, message.id)
            )
        elif message.type == "takeControl":
            self._take_control(connection, message)
        elif message.type == "watchFrames":
            connection.commands.watches_frames = True
        elif message.type not in TAKEN_NOTE_OF:
            log.info("A runtime message of type %r is not known here", message.type)
            error = UndecodableError(f"The runtime knows no message of type {message.type!r}.")
            self._send_error(connection, message.id, None, error)

    def _describe(
        self, connection: Connection, message: RuntimeMessage, kind: str, data: Mapping[str, Any]
    ) -> None:
        said = connection.conversation.send(lambda form: form.runtime(kind, data, message.id))
        if not said and not connection.presence.closed:
            code, place = TOO_LARGE[kind]
            text = f"The answer does not go through this client's channel; {place}."
            self._send_error(connection, message.id, None, CommandError(code, text))

    def _take_control(self, connection: Connection, message: RuntimeMessage) -> None:
        try:
            self._owner.clients.take_control(connection)
        except CommandError as error:
            self._send_error(connection, message.id, None, error)

    def _track_message(self, connection: Connection, message: TrackMessage, allowed: bool) -> None:
        try:
            if not allowed:
                raise _limited(connection)
            self._change_track(connection, message)
        except CommandError as error:
            log.info("%s of track %r was refused: %s", message.verb, message.track, error)
            self._track_response(connection, message, error)
        else:
            self._track_response(connection, message, None)

    @staticmethod
    def _track_response(connection: Connection, message: TrackMessage, error: CommandError | None) -> None:
        connection.conversation.send(lambda form: form.track_response(message, error))

    def _change_track(self, connection: Connection, message: TrackMessage) -> None:
        track = self._owner.model.tracks.get(message.track)
        if track is None:
            raise CommandError("unknown_track", f"The model has no track {message.track!r}.")
        if message.verb == "publish_track" and track.direction is TrackDirection.OUT:
            raise CommandError("wrong_direction", f"The model sends the track {message.track!r} itself.")
        if message.verb in ("pause_track", "resume_track"):
            connection.media.pause(message.track, message.verb == "pause_track")
        elif message.verb == "publish_track":
            self._owner.clients.roles.publish(connection, message.track)
        elif message.verb == "unpublish_track":
            self._owner.clients.roles.unpublish(connection, message.track)
        else:
            raise CommandError("unknown_method", f"There is no method {message.verb!r}.")

    def _command(self, connection: Connection, message: CommandMessage, allowed: bool) -> None:
        is_state = self._states.is_state(message.name)
        if not allowed and is_state and connection.presence.ready and self._may_command(connection):
            self._states.delay(connection, message)
        elif not allowed:
            self._refuse(connection, message, _limited(connection))
        else:
            if is_state:
                self._states.overtaken(connection, message.name)
            self._run(connection, message)

    def _may_command(self, connection: Connection) -> bool:
        return self._owner.clients.roles.may_command(connection)

    def _run(self, connection: Connection, message: CommandMessage) -> None:
        if not self._may_command(connection):
            self._refuse(connection, message, self._owner.clients.roles.refusal(connection))
            return
        self._states.holds.note(connection, message.name, message.arguments)
        key = next(self._keys)
        connection.commands.unanswered[key] = message

        def answer(outcome: CommandOutcome) -> None:
            # From the command thread, through the loop, so that what the handler sent comes first.
            self._owner.call(self._answer, connection, key, outcome)

        try:
            self._owner.command(connection.session, message.name, message.arguments, answer)
        except NoSessionError:
            connection.commands.unanswered.pop(key, None)
            self._refuse(connection, message, CommandError("session_ended", "The session has ended."))

    def _answer(self, connection: Connection, key: int, outcome: CommandOutcome) -> None:
        message = connection.commands.unanswered.pop(key, None)
        if message is None:
            return  # answered when the session ended, or the client has gone
        if outcome.error is not None:
            self._refuse(connection, message, _plain(outcome.error))
            return
        if outcome.superseded:
            self._supersede(connection, message, outcome.frame)
            return
        self._states.holds.accept(connection, message.name, message.arguments)
        said = connection.conversation.send(
            lambda form: form.command_result(message.id, message.name, outcome.frame, outcome.result)
        )
        if not said and not connection.presence.closed:
            self._refuse(connection, message, CommandError("result_too_large", UNSENDABLE))
            return
        self._note_command(message.name, "ok")
        if message.id is not None and connection.commands.watches_frames:
            self._watch_frame(connection, message.id, outcome.frame)

    def _supersede(self, connection: Connection, message: CommandMessage, frame: int | None = None) -> None:
        """A newer call of a state took this one's place. Only counted: a slider makes hundreds."""
        index = connection.session.next_frame() if frame is None else frame
        connection.conversation.send(
            lambda form: form.command_result(message.id, message.name, index, None, superseded=True)
        )
        self._owner.count_command(message.name, "superseded")

    def _refuse(self, connection: Connection, message: CommandMessage, error: CommandError) -> None:
        self._note_command(message.name, error.code)
        self._send_error(connection, message.id, message.name, error)

    def _note_command(self, name: str, code: str) -> None:
        """A command was answered: `code` is "ok" or that of the refusal."""
        owner = self._owner
        if code != "rate_limited":  # only counted, or one client could push everything else out
            known = name in owner.model.command_names
            # No text of a client's is kept, and an author's code may repeat one.
            outcome = code if code in KNOWN_CODES else "refused"
            owner.note("command", command=name if known else "unknown", outcome=outcome)
        owner.count_command(name if name in owner.model.command_names else "unknown", code)

    def _watch_frame(self, connection: Connection, request: str | int, frame: int) -> None:
        """Tell the client, when it happens, that this frame of the default track goes out to it."""
        session = self._owner.session
        if session is not None and session.media.default_track is not None:
            connection.watch_frame(session.media.default_track, request, frame)

    @staticmethod
    def _send_error(
        connection: Connection, request: str | int | None, command: str | None, error: CommandError
    ) -> None:
        said = connection.conversation.send(lambda form: form.command_error(request, command, error))
        if said or connection.presence.closed or connection.conversation.notice is not None:
            return
        log.warning("A refusal was too large for connection %d: %.2000s", connection.number, error.message)
        short = CommandError(
            "error_too_large",
            f"This was refused with the code {error.code!r}; the sentence does not go through this client's "
            "channel. The server's log has it, and GET /schema says what the command takes.",
        )
        connection.conversation.send(lambda form: form.command_error(request, command, short))


def _plain(error: CommandError) -> CommandError:
    """What an author raised may be of a class of the author's own, which kept nothing in its place."""
    return CommandError(
        getattr(error, "code", None), getattr(error, "message", error), field=getattr(error, "field", None)
    )


def _limited(connection: Connection) -> RateLimitedError:
    if not connection.presence.ready:
        return RateLimitedError("Too many messages before the connection was up; send it again.")
    return RateLimitedError(f"More than {COMMANDS_PER_S:g} messages a second; send fewer.")
