"""Values of the author's as the JSON that a client would send for them, and whether it means the same.

What Pydantic writes is for readers: it leaves excluded fields out, computes others, and has other names for
them. What is published as a default or as a member of an enumeration must be what is read.
"""

from __future__ import annotations

import dataclasses
import json
from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import partial
from pathlib import PurePath
from typing import Any

from pydantic import AliasChoices, BaseModel, RootModel, Secret, SecretBytes, SecretStr, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

_SECRETS = (Secret, SecretBytes, SecretStr)
_LISTS = (list, tuple, deque)
_ECHO = 80


class UntrueError(Exception):
    """A value cannot be published so that it means the same when it comes back; the text says why."""


def is_json(value: object) -> bool:
    """Whether `value` is plain JSON already."""
    return value is None or type(value) in (bool, int, float, str)


def to_input(value: Any) -> Any:
    """`value` as the JSON that becomes it when it is validated. Raises `UntrueError`."""
    if isinstance(value, Enum):
        return to_input(value.value)
    if is_json(value):
        return value
    if isinstance(value, RootModel):
        return to_input(value.root)
    if isinstance(value, BaseModel):
        return _fields(_state(value), type(value).model_fields) | _mapping(value.model_extra or {})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        given = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        return _fields(given, getattr(type(value), "__pydantic_fields__", {}))
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, (*_LISTS, AbstractSet)):
        return [to_input(item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    try:
        return to_jsonable_python(value)
    except (PydanticSerializationError, ValueError) as error:
        raise UntrueError(f"that has no JSON form: {error}") from None


def json_key(value: Any) -> str:
    """How `value` is spelled as a key of an object."""
    plain = to_input(value)
    return plain if isinstance(plain, str) else json.dumps(plain)


def same(one: Any, other: Any) -> bool:
    """Whether a handler would make no difference. Lists and tuples are one, as in JSON."""
    if isinstance(one, _LISTS) and isinstance(other, _LISTS):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, BaseModel) or dataclasses.is_dataclass(one):
        extra = getattr(one, "model_extra", None), getattr(other, "model_extra", None)
        return type(one) is type(other) and same(_state(one), _state(other)) and extra[0] == extra[1]
    alike = type(one) is type(other) or any(
        isinstance(one, kind) and isinstance(other, kind) for kind in (str, int | float)
    )
    return alike and bool(one == other)


def holds_secret(value: Any) -> bool:
    """Whether a secret stands anywhere in `value`."""
    if isinstance(value, _SECRETS):
        return True
    if isinstance(value, Mapping):
        return any(holds_secret(part) for pair in value.items() for part in pair)
    if isinstance(value, (*_LISTS, AbstractSet)):
        return any(holds_secret(item) for item in value)
    if isinstance(value, BaseModel) or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
        return holds_secret(_state(value)) or holds_secret(getattr(value, "model_extra", None))
    return False


def published(
    default: Any, converted: Any, validate: Callable[[Any], Any], write: Callable[[Any], Any]
) -> tuple[Any, Any]:
    """The JSON of a default, and what a handler gets for it; `validate` is what happens to it on its return,
    and `write` how its type would write it.

    `converted` is the default as the declared type. Raises `UntrueError` when no JSON means either.
    """
    problems = []
    for spell in (partial(to_input, converted), partial(to_input, default), partial(write, converted)):
        try:
            sent = _spelled(spell)
            return sent, _returned(sent, (converted, default), validate)
        except UntrueError as error:
            problems.append(error)
    raise problems[0]


def _spelled(spell: Callable[[], Any]) -> Any:
    try:
        sent = spell()
        json.dumps(sent, allow_nan=False)
    except (TypeError, ValueError, RecursionError, PydanticSerializationError) as error:
        raise UntrueError(f"that is not JSON: {error}") from None
    return sent


def _returned(sent: Any, meant: tuple[Any, Any], validate: Callable[[Any], Any]) -> Any:
    try:
        back = validate(sent)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise UntrueError(
            f"that is refused when a client sends it back as {_short(sent)}: {reason}"
        ) from None
    if any(same(back, meaning) for meaning in meant):
        return back
    raise UntrueError(
        f"that means something else when a client sends it back: {_short(sent)} becomes {_short(back)}, not "
        f"{_short(meant[0])}; annotate the exact type, or choose a default that validation leaves as it is"
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _ECHO else text[: _ECHO - 1] + "…"


def _state(value: Any) -> dict[str, Any]:
    if isinstance(value, BaseModel):  # its `vars` also have what `cached_property` keeps
        return {name: vars(value).get(name) for name in type(value).model_fields}
    return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}


def _fields(given: Mapping[str, Any], infos: Mapping[str, Any]) -> dict[str, Any]:
    return {_read_as(name, infos.get(name)): to_input(value) for name, value in given.items()}


def _read_as(name: str, info: Any) -> str:
    """The key under which a field is read."""
    alias = getattr(info, "validation_alias", None) or getattr(info, "alias", None)
    if isinstance(alias, AliasChoices):
        alias = next((choice for choice in alias.choices if isinstance(choice, str)), None)
    return alias if isinstance(alias, str) else name


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {json_key(key): to_input(item) for key, item in value.items()}
