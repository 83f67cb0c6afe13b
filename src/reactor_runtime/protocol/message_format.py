"""One connection's way of writing messages. Sans-IO.

Every generation of clients says the same things in other words. A format turns bytes into the requests below,
and our answers into bytes for a channel. Which one a connection needs is found out from its path and its
first inbound frame; version headers tell nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from reactor_runtime.errors import CommandError

from . import messages
from .channel import CONTROL as CONTROL
from .channel import DATA as DATA
from .channel import WRONG_LABEL, Inbound
from .channel import Outgoing as Outgoing
from .channel import TrackMessage as TrackMessage
from .messages import UndecodableError


class MessageFormat(Protocol):
    """`request` is the id that the client sent; None when it sent none. None as a result: nothing to send."""

    def decode(self, label: str, data: bytes) -> Inbound:
        """Raises `UndecodableError`."""

    def application(self, text: str) -> Outgoing:
        """A message of the model; `text` is its JSON."""

    def runtime(
        self, kind: str, data: Mapping[str, Any], request: str | int | None = None
    ) -> Outgoing | None:
        """A message of the runtime, or its answer to a `RuntimeMessage`."""

    def command_result(
        self,
        request: str | int | None,
        command: str,
        frame: int,
        result: str | None,
        superseded: bool = False,
    ) -> Outgoing | None:
        """`superseded`: a newer call of this state took its place; a success like any other."""

    def command_error(
        self, request: str | int | None, command: str | None, error: CommandError
    ) -> Outgoing | None: ...

    def track_response(self, message: TrackMessage, error: CommandError | None) -> Outgoing | None:
        """The answer to a `TrackMessage` that wants one."""


Write = Callable[[MessageFormat], Outgoing | None]
"""What to tell a client, in whatever words its format has for it."""


class JsonFormat:
    """Channel `data` of v17 and v2, and channel `control` of v2."""

    def decode(self, label: str, data: bytes) -> Inbound:
        if label == CONTROL:
            return _control(messages.parse_object(data))
        if label != DATA:
            raise UndecodableError(WRONG_LABEL)
        return messages.parse_client_message(data)

    def application(self, text: str) -> Outgoing:
        return _data(messages.application(text))

    def runtime(
        self, kind: str, data: Mapping[str, Any], request: str | int | None = None
    ) -> Outgoing | None:
        return _data(messages.runtime(kind, data))

    def command_result(
        self,
        request: str | int | None,
        command: str,
        frame: int,
        result: str | None,
        superseded: bool = False,
    ) -> Outgoing | None:
        if request is not None:
            return _data(messages.command_result(request, command, frame, result, superseded))
        # What clients of 1.x expect: the value itself, as a message of the model, or nothing.
        return None if result is None else self.application(result)

    def command_error(
        self, request: str | int | None, command: str | None, error: CommandError
    ) -> Outgoing | None:
        return _data(messages.command_error(request, command, error))

    def track_response(self, message: TrackMessage, error: CommandError | None) -> Outgoing | None:
        if message.id is None:
            return None
        reply: dict[str, Any] = {"type": "response", "method": message.verb, "request_id": message.id}
        if error is None:
            reply["data"] = {}
        else:
            reply["error"] = {"code": error.code, "message": error.message}
        return Outgoing(CONTROL, json.dumps(reply, separators=(",", ":")).encode())


class V16Format(JsonFormat):
    """Both envelopes of v16 in one, ``{"type": "application", "scope": "application", …}``."""

    def application(self, text: str) -> Outgoing:
        return _data(f'{{"type":"application","scope":"application","data":{text}}}')


def format_for(data: bytes, binary: bool) -> MessageFormat:
    """How a client writes, told by its first inbound frame."""
    if not binary or data[:1] in (b"{", b"["):
        return JsonFormat()
    # Imported here: most clients write JSON, and the library takes a while to load.
    from .protobuf import ProtobufFormat

    return ProtobufFormat()


def _data(text: str) -> Outgoing:
    return Outgoing(DATA, text.encode("utf-8"))


def _control(message: Mapping[str, Any]) -> Inbound:
    inner = message.get("data")
    name = inner.get("name") if isinstance(inner, Mapping) else None
    kind = message.get("type")
    if kind == "request":
        request = message.get("request_id")
        if not isinstance(request, str) or len(request) > messages.ID_LIMIT:
            raise UndecodableError('A request on "control" needs a string under "request_id".')
        return _track(message.get("method"), name, request)
    if kind == "notification":
        return _track(message.get("event"), name, None)
    raise UndecodableError('A message on "control" is of type "request" or "notification".')


def _track(verb: object, name: object, request: str | None) -> TrackMessage:
    if not isinstance(verb, str) or not isinstance(name, str):
        raise UndecodableError('A "control" message names a method or event, and a track in "data.name".')
    return TrackMessage(verb[: messages.NAME_LIMIT], name[: messages.NAME_LIMIT], request)
