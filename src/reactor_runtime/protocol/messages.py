"""JSON messages of the data channel: ``{"scope": S, "data": {"type": T, "data": D}}`` both ways.

Clients of older generations leave the scope out; then the whole object is the inner one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reactor_runtime.errors import CommandError

CLIENT_MESSAGE_LIMIT = 64 * 1024
"""Bytes of a message from a client; larger ones are refused unread."""
ID_LIMIT = 128
"""Characters of a request id."""
NAME_LIMIT = 128
"""Characters of a command or message name that we repeat in an answer."""


@dataclass(frozen=True)
class CommandMessage:
    """A client asks for a command. `id` is None when the client does not correlate."""

    name: str
    arguments: Any
    id: str | int | None = None


@dataclass(frozen=True)
class RuntimeMessage:
    """A client asks something of the runtime: `ping`, `requestCapabilities`, `requestSchema`, …"""

    type: str
    data: Any
    id: str | int | None = None


class UndecodableError(CommandError):
    """A client message that is no message; the connection lives on."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid_message", message)


def parse_client_message(payload: bytes) -> CommandMessage | RuntimeMessage:
    """Decode one inbound message. Raises `UndecodableError`."""
    outer = parse_object(payload)
    scope = outer.get("scope")
    inner = outer.get("data") if scope in ("application", "runtime") else outer
    if not isinstance(inner, Mapping):
        raise UndecodableError('The message needs an object under "data".')
    kind = inner.get("type")
    if not isinstance(kind, str) or not kind:
        raise UndecodableError('The message needs a string under "type".')
    if scope == "runtime":
        return RuntimeMessage(kind[:NAME_LIMIT], inner.get("data"))
    return CommandMessage(kind[:NAME_LIMIT], _arguments(inner), _id(inner.get("id")))


def _arguments(inner: Mapping[str, Any]) -> Any:
    """A file is an argument like the others: its reference, under the parameter's name."""
    arguments, files = inner.get("data"), inner.get("uploads")
    if not files:
        return arguments
    if not isinstance(files, Mapping) or not isinstance(arguments, Mapping | None):
        raise UndecodableError('With "uploads", both it and "data" must be objects.')
    return {**(arguments or {}), **files}


def parse_object(payload: bytes) -> Mapping[str, Any]:
    """A JSON object within the limits. Raises `UndecodableError`."""
    if len(payload) > CLIENT_MESSAGE_LIMIT:
        raise UndecodableError(
            f"The message has {len(payload):,} bytes; at most {CLIENT_MESSAGE_LIMIT:,} are read."
        )
    try:
        value = _JSON.decode(payload.decode("utf-8"))
    except RecursionError:
        raise UndecodableError("The message is nested too deeply.") from None
    except ValueError:  # UnicodeDecodeError and JSONDecodeError are both one
        raise UndecodableError("The message is not JSON.") from None
    if not isinstance(value, Mapping):
        raise UndecodableError("The message is not a JSON object.")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)
"""One for all: `json.loads` makes another one for each message."""


def _id(value: Any) -> str | int | None:
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= ID_LIMIT:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return value
    raise UndecodableError(f'"id" must be a string of at most {ID_LIMIT} characters or a whole number.')


def application(text: str) -> str:
    """The envelope around `text`, which is the JSON of what the model sent, verbatim."""
    return f'{{"scope":"application","data":{text}}}'


def runtime(kind: str, data: Mapping[str, Any]) -> str:
    """A message of the runtime itself. Clients that do not know its type pass it on or ignore it."""
    return json.dumps({"scope": "runtime", "data": {"type": kind, "data": data}}, separators=(",", ":"))


def command_result(
    request: str | int, command: str, frame: int, result: str | None, superseded: bool = False
) -> str:
    """`result` is JSON text; None when the handler returned nothing."""
    newer = {"superseded": True} if superseded else {}
    ours = runtime("commandResult", {"id": request, "command": command, "ok": True, **newer})
    # The author's text goes in as it is: escaped once more, it could outgrow the channel.
    theirs = "" if result is None else f',"result":{result}'
    return f'{ours[:-3]}{theirs},"frame":{frame}{"}" * 3}'


def command_error(request: str | int | None, command: str | None, error: CommandError) -> str:
    data = {"id": request, "command": command, "code": error.code, "message": error.message}
    if error.field is not None:
        data["field"] = error.field
    return runtime("commandError", data)
