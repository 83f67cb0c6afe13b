"""Author data to JSON text, with the errors in the author's thread."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from reactor_runtime.errors import MessageError

CHANNEL_LIMIT = 256 * 1024
"""Bytes that go through a data channel at once: what browsers announce as `max-message-size`."""
ENVELOPE_LIMIT = 4 * 1024
"""Bytes that the envelope around a message may take, with the longest id and name in it."""
MESSAGE_LIMIT = CHANNEL_LIMIT - ENVELOPE_LIMIT
"""Bytes of what an author sends at once."""
ARRAY_LIMIT = 4096
"""Elements of an array in a message. Pictures belong on a track."""
DEPTH_LIMIT = 64
HIDDEN = "**********"
"""What is sent in the place of a secret; Pydantic writes the same."""


def to_json(data: Any, *, what: str = "send()") -> str:
    """Compact JSON text of `data`. Raises `MessageError`, which names the place inside `data`."""
    plain = to_plain(data, what)
    try:
        text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError as error:  # Python prints no whole number of more than 4,300 digits
        raise MessageError(f"{what} got something that is not JSON: {error}.") from error
    size = len(text.encode("utf-8"))
    if size > MESSAGE_LIMIT:
        raise MessageError(
            f"{what} got a message of {size:,} bytes; at most {MESSAGE_LIMIT:,} go through the data channel. "
            "Send less, or send it in parts."
        )
    return text


def to_plain(data: Any, what: str = "send()") -> Any:
    """`data` as dicts, lists, strings, numbers, booleans and None."""
    return _plain(data, what, "", 0)


def _plain(value: Any, what: str, path: str, depth: int) -> Any:
    if depth > DEPTH_LIMIT:
        raise MessageError(f"{what}: {path or 'the value'} is nested deeper than {DEPTH_LIMIT} levels.")
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, (bool, int, str)):
        return _text_or_number(value, what, path)
    if isinstance(value, float):
        return _finite(value, what, path)
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="python")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return _object(value, what, path, depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v, what, f"{path}[{i}]", depth + 1) for i, v in enumerate(value)]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (UUID, PurePath)):
        return str(value)
    if isinstance(value, (Secret, SecretStr, SecretBytes)):
        return HIDDEN
    return _array(value, what, path, depth)


def _object(value: Mapping[Any, Any], what: str, path: str, depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for given, inner in value.items():
        key = _key(given, what, path)
        if key in result:
            # `1` and `"1"` are two keys in Python and one in JSON; the first would vanish without a word.
            raise MessageError(f"{what}: {_where(path)}two keys are both {key[:80]!r} in JSON. Rename one.")
        result[key] = _plain(inner, what, f"{path}.{given}".strip("."), depth + 1)
    return result


def _array(value: Any, what: str, path: str, depth: int) -> Any:
    """numpy scalars and small arrays, and whatever else offers `tolist` (torch tensors do)."""
    tolist = getattr(value, "tolist", None)
    if tolist is None or isinstance(value, type):
        raise MessageError(
            f"{what} cannot send {_where(path)}a {type(value).__name__}. Send strings, numbers, booleans, "
            "None, lists, dicts, dataclasses, Pydantic models or small arrays."
        )
    elements = math.prod(getattr(value, "shape", ()))
    if elements > ARRAY_LIMIT:
        raise MessageError(
            f"{what} cannot send {_where(path)}an array of {elements:,} elements; at most {ARRAY_LIMIT:,}. "
            "Emit pictures on a track."
        )
    return _plain(tolist(), what, path, depth + 1)


def _text_or_number(value: Any, what: str, path: str) -> Any:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise MessageError(f"{what}: {_where(path)}a string holds half a surrogate pair.") from None
        return str(value)
    return value


def _finite(value: float, what: str, path: str) -> float:
    if not math.isfinite(value):
        raise MessageError(f"{what}: {_where(path)}{value} is no JSON number. Send None instead.")
    return float(value)


def _key(key: Any, what: str, path: str) -> str:
    if isinstance(key, Enum):
        key = key.value
    if isinstance(key, str):
        return str(_text_or_number(key, what, path))
    if isinstance(key, (int, float)) and not isinstance(key, bool):
        return str(key)
    raise MessageError(f"{what}: {_where(path)}a key of type {type(key).__name__} is no string.")


def _where(path: str) -> str:
    return f"at {path!r}: " if path else ""
