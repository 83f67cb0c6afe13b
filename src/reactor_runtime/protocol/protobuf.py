"""How clients of SDK 1.x write: binary messages of package `reactor_wire.v1` on both channels.

Their messages are a type and an object (a `Struct`, whose numbers are doubles). What a model says is put into
that form here:

====================================  ==================  =======================================
the model sends                       `type`              `data`
====================================  ==================  =======================================
``{"type": "t", "data": {…}}``        t                   that object
``{"type": "t", "a": 1, …}``          t                   the rest of the object
``{"a": 1, …}``                       `message` (*)       the object
text, a number, a list, …             `message` (*)       ``{"value": …}``
too large or too deep for a `Struct`  as above            ``{"json": "…"}``, its JSON as one text
====================================  ==================  =======================================

(*) For what a command returned: the name of the command.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reactor_runtime.errors import CommandError

from . import reactor_wire
from .channel import CONTROL, DATA, WRONG_LABEL, Inbound, Outgoing, TrackMessage
from .jsonable import MESSAGE_LIMIT
from .messages import (
    CLIENT_MESSAGE_LIMIT,
    ID_LIMIT,
    NAME_LIMIT,
    CommandMessage,
    RuntimeMessage,
    UndecodableError,
)
from .reactor_wire import NOTIFICATION, REQUEST, RESPONSE

STRUCT_DEPTH = 30
"""Levels of an object that every reader takes: they stop at 100 messages in each other; a level is three."""
MAX_EXACT = 2**53
"""Up to here a double counts in steps of one."""

_CLIENT_MESSAGES = {DATA: "DataClientMessage", CONTROL: "ControlClientMessage"}
_SERVER_MESSAGES = {DATA: "DataServerMessage", CONTROL: "ControlServerMessage"}
# What the JSON generations call the same messages.
_RUNTIME_TYPES = {
    "ping": "ping",
    "request_schema": "requestSchema",
    "file_uploaded": "fileUploaded",
    "request_clip": "requestClip",
    "request_recording": "requestRecording",
    "client_stats": "clientStats",
}


class ProtobufFormat:
    """A `MessageFormat`. `frame` of a result and `field` of an error have no place in these messages."""

    def decode(self, label: str, data: bytes) -> Inbound:
        message = _parse(label, data)
        # Nobody waits for an answer to a notification or to a response.
        request = (message.request_id or None) if message.kind in (0, REQUEST) else None
        payload = message.WhichOneof("payload")
        if payload == "error":
            raise UndecodableError(f"The client answered with an error: {message.error.message[:NAME_LIMIT]}")
        if label == DATA:
            return _command(message.command, request)
        if payload is None:  # of a newer generation, perhaps; whoever asked is told that we do not know it
            return RuntimeMessage("", {}, request)
        content = getattr(message, payload)
        if payload in _RUNTIME_TYPES:
            return RuntimeMessage(_RUNTIME_TYPES[payload], _fields(content), request)
        return TrackMessage(payload, content.name[:NAME_LIMIT], request)

    def application(self, text: str) -> Outgoing:
        return _model_message(None, text, "message")

    def runtime(
        self, kind: str, data: Mapping[str, Any], request: str | int | None = None
    ) -> Outgoing | None:
        """None for what these clients have no message for."""
        message = _message(CONTROL, request)
        if kind == "modelSchema":
            message.model_schema.openapi.update(data)
        elif kind == "clipReady":
            message.clip_ready.SetInParent()
            for name, value in data.items():
                setattr(message.clip_ready, name, value)
        elif kind == "clipFailed":
            message.clip_failed.reason = str(data.get("reason", ""))
        elif kind == "sessionEnded":
            # One text for both: the word that programs look for, and the sentence for people.
            reason, sentence = data.get("reason", ""), data.get("message", "")
            message.session_ended.reason = f"{reason}: {sentence}" if sentence else str(reason)
        else:
            return None
        return _outgoing(CONTROL, message)

    def command_result(
        self,
        request: str | int | None,
        command: str,
        frame: int,
        result: str | None,
        superseded: bool = False,
    ) -> Outgoing | None:
        if result is not None:
            return _model_message(request, result, command)
        # A response with nothing in it: done.
        return None if request is None else _outgoing(DATA, _message(DATA, request))

    def command_error(
        self, request: str | int | None, command: str | None, error: CommandError
    ) -> Outgoing | None:
        """Without a command it is the answer to something on `control`."""
        if request is None and command is None:
            return None
        return _error(CONTROL if command is None else DATA, request, error)

    def track_response(self, message: TrackMessage, error: CommandError | None) -> Outgoing | None:
        if message.id is None:
            return None
        if error is not None:
            return _error(CONTROL, message.id, error)
        reply = _message(CONTROL, message.id)
        if message.verb == "publish_track":
            reply.publish_track.name = message.track
        return _outgoing(CONTROL, reply)


def _parse(label: str, data: bytes) -> Any:
    from google.protobuf.message import DecodeError

    if label not in _CLIENT_MESSAGES:
        raise UndecodableError(WRONG_LABEL)
    if len(data) > CLIENT_MESSAGE_LIMIT:
        raise UndecodableError(
            f"The message has {len(data):,} bytes; at most {CLIENT_MESSAGE_LIMIT:,} are read."
        )
    message = reactor_wire.new(_CLIENT_MESSAGES[label])
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise UndecodableError(f"The message is no {_CLIENT_MESSAGES[label]}.") from None
    if len(message.request_id) > ID_LIMIT:
        raise UndecodableError(f'"request_id" has at most {ID_LIMIT} characters.')
    return message


def _command(command: Any, request: str | None) -> CommandMessage:
    """A file is an argument like the others: what the client says about it, under the parameter's name."""
    files = {name: _fields(command.uploads[name]) for name in command.uploads}
    return CommandMessage(command.type[:NAME_LIMIT], {**_object(command.data), **files}, request)


def _fields(content: Any) -> dict[str, Any]:
    """A message of plain fields as a dict, with the zeros that are not on the wire."""
    return {field.name: getattr(content, field.name) for field in content.DESCRIPTOR.fields}


def _object(struct: Any) -> dict[str, Any]:
    return {name: _plain(value) for name, value in struct.fields.items()}


def _plain(value: Any) -> Any:
    """A `Value` as JSON would give it: doubles that are whole numbers become int."""
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        number: float = value.number_value
        return int(number) if abs(number) <= MAX_EXACT and number.is_integer() else number
    if kind == "struct_value":
        return _object(value.struct_value)
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def _model_message(request: str | int | None, text: str, default_type: str) -> Outgoing:
    kind, data = _typed(json.loads(text), default_type)
    try:
        outgoing = _pack(request, kind, data) if _depth(data) <= STRUCT_DEPTH else None
    except OverflowError:  # a whole number that no double can hold
        outgoing = None
    if outgoing is None or len(outgoing.data) > MESSAGE_LIMIT:
        return _pack(request, kind, {"json": text})
    return outgoing


def _pack(request: str | int | None, kind: str, data: Mapping[str, Any]) -> Outgoing:
    message = _message(DATA, request)
    message.message.type = kind
    message.message.data.SetInParent()
    message.message.data.update(data)
    return _outgoing(DATA, message)


def _typed(value: Any, default_type: str) -> tuple[str, dict[str, Any]]:
    """The table above."""
    if not isinstance(value, dict):
        return default_type, {"value": value}
    kind = value.get("type")
    if not isinstance(kind, str):
        return default_type, value
    rest = {name: item for name, item in value.items() if name != "type"}
    if list(rest) == ["data"] and isinstance(rest["data"], dict):
        return kind, rest["data"]
    return kind, rest


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _error(label: str, request: str | int | None, error: CommandError) -> Outgoing:
    message = _message(label, request)
    message.error.code, message.error.message = _utf8(error.code), _utf8(error.message)
    return _outgoing(label, message)


def _utf8(text: str) -> str:
    """Half of a surrogate pair, which a Python string may hold, has no form in UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _message(label: str, request: str | int | None) -> Any:
    message = reactor_wire.new(_SERVER_MESSAGES[label])
    message.kind = NOTIFICATION if request is None else RESPONSE
    message.request_id = "" if request is None else str(request)
    return message


def _outgoing(label: str, message: Any) -> Outgoing:
    return Outgoing(label, message.SerializeToString(), binary=True)
