"""Checking what a client sent as arguments of a command, and saying what is wrong as a person would.

JSON has one kind of number, so ``2.0`` is a whole number here; apart from that, nothing is converted: text is
no number, a number is no text, ``true`` is no number. NaN and Infinity are refused wherever they stand.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reactor_runtime.errors import InvalidCommandError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

# Fields of the argument models are named with this before the parameter's own name; see schema.py.
FIELD_PREFIX = "p_"
MAX_DEPTH = 64
# The largest whole number up to which a double counts in steps of one. A larger float is not taken for one.
MAX_EXACT = 2**53
# Beyond, a whole number no longer fits a double, and Python stops printing it in full.
MAX_INTEGER_BITS = 1_000
_MAX_PROBLEMS = 3
_MAX_ECHO = 40

_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "none_required": "null",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "dataclass_type": "an object",
}
_RULES = {
    "missing": "is required",
    "missing_argument": "is required",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be a finite number",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "extra_forbidden": "is not known",
    "unexpected_keyword_argument": "is not known",
}
_WITHOUT_ECHO = ("missing", "missing_argument", "extra_forbidden", "unexpected_keyword_argument")


def validate(command: str, model: type[BaseModel], names: Iterable[str], arguments: object) -> BaseModel:
    """`arguments` as an instance of `model`, whose parameters are `names`. Raises `InvalidCommandError`."""
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, Mapping):
        raise InvalidCommandError(
            f"Command {command!r}: its arguments must be an object, not {_echo(arguments)}."
        )
    _refuse_unknown(command, list(names), arguments)
    data = {name: _normal(command, name, name, value, 0) for name, value in arguments.items()}
    try:
        checked = model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise _refusal(command, error, data) from None
    for name, value in data.items():
        _refuse_confused(command, name, name, value, getattr(checked, FIELD_PREFIX + name))
    return checked


def _refusal(command: str, error: ValidationError, data: Mapping[str, Any]) -> InvalidCommandError:
    errors = error.errors(include_url=False, include_context=True)
    field = next((str(problem["loc"][0]) for problem in errors if problem["loc"]), None)
    problems = [problem for problem in errors if not field or problem["loc"][:1] == (field,)]
    return InvalidCommandError(f"Command {command!r}: {_listed(problems, data)}.", field=field)


def sentences(error: ValidationError) -> str:
    """What is wrong with one value, without its name: "must be at least 0, not -1"."""
    reasons = dict.fromkeys(_reason(problem) for problem in error.errors(include_url=False))
    return "; ".join(list(reasons)[:_MAX_PROBLEMS])


def _refuse_unknown(command: str, names: list[str], arguments: Mapping[Any, Any]) -> None:
    for name in arguments:
        if name in names:
            continue
        takes = f"it takes: {', '.join(names)}" if names else "it takes none"
        close = difflib.get_close_matches(str(name), names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise InvalidCommandError(
            f"Command {command!r}: there is no argument {_echo(str(name))}; {takes}.{hint}", field=str(name)
        )


def _normal(command: str, field: str, path: str, value: object, depth: int) -> Any:
    """`value` as plain JSON with whole numbers as int. Raises `InvalidCommandError` for what is not JSON."""
    if value is None or isinstance(value, bool):
        return value
    problem = None
    if isinstance(value, str):
        problem = None if _is_unicode(value) else "must be valid Unicode text"
    elif isinstance(value, int):
        problem = None if value.bit_length() <= MAX_INTEGER_BITS else "is too large a number"
    elif isinstance(value, float):
        problem = None if math.isfinite(value) else "must be a finite number"
    elif depth >= MAX_DEPTH:
        problem = f"is nested more than {MAX_DEPTH} levels deep"
    elif isinstance(value, Mapping):
        if all(isinstance(key, str) and _is_unicode(key) for key in value):
            return {
                key: _normal(command, field, f"{path}.{key}", item, depth + 1) for key, item in value.items()
            }
        problem = "must have text as its keys"
    elif isinstance(value, list | tuple):
        return [_normal(command, field, f"{path}.{i}", item, depth + 1) for i, item in enumerate(value)]
    else:
        problem = f"must be a JSON value, not {type(value).__name__}"
    if problem:
        raise InvalidCommandError(f"Command {command!r}: argument {_echo(path)} {problem}.", field=field)
    return _whole(value) if isinstance(value, float) else value


def _refuse_confused(command: str, field: str, path: str, sent: object, value: object) -> None:
    """Pydantic takes `true` for 1 in a Literal or an Enum: they are equal in Python, but not here."""
    if isinstance(sent, Mapping):
        for key, item in sent.items():
            inner = value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
            _refuse_confused(command, field, f"{path}.{key}", item, inner)
    elif isinstance(sent, list) and isinstance(value, list | tuple) and len(value) == len(sent):
        for position, item in enumerate(sent):
            _refuse_confused(command, field, f"{path}.{position}", item, value[position])
    elif isinstance(sent, bool | int | float):
        plain = value.value if isinstance(value, Enum) else value
        if plain == sent and isinstance(plain, bool) != isinstance(sent, bool):
            wanted = "true or false" if isinstance(plain, bool) else "a number"
            raise InvalidCommandError(
                f"Command {command!r}: argument {_echo(path)} must be {wanted}, not {_echo(sent)}.",
                field=field,
            )


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) <= MAX_EXACT else value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell
        return False
    return True


def _listed(problems: list[ErrorDetails], data: Mapping[str, Any]) -> str:
    by_path: dict[str, dict[str, None]] = {}
    for problem in problems:
        by_path.setdefault(_path(problem, data), {})[_reason(problem)] = None
    parts = [f"argument {_echo(path)} {' or '.join(reasons)}" for path, reasons in by_path.items()]
    return "; ".join(parts[:_MAX_PROBLEMS])


def _path(problem: ErrorDetails, data: object) -> str:
    """Where the problem is in what the client sent; Pydantic's own path also names members of unions."""
    path: list[str] = []
    for position, part in enumerate(problem["loc"]):
        inside = (isinstance(data, Mapping) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if inside:
            data = data[part]  # type: ignore[index] # `inside` says that it fits
        if inside or (position == len(problem["loc"]) - 1 and problem["type"] in _WITHOUT_ECHO):
            path.append(str(part))
    return ".".join(path)


def _reason(problem: ErrorDetails) -> str:
    kind, given = problem["type"], problem["input"]
    if kind in ("int_type", "int_from_float") and isinstance(given, float) and given.is_integer():
        return f"must be a whole number that a double holds exactly, not {_echo(given)}"
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {_echo(given)}"
    if kind == "value_error":  # raised by a validator of the author, for the user to read
        return f"is refused: {problem['ctx']['error']}"
    rule = _RULES.get(kind)
    if rule is None:
        return f"is refused: {problem['msg']}"
    reason = rule.format(**problem.get("ctx", {}))
    return reason if kind in _WITHOUT_ECHO else f"{reason}, not {_echo(given)}"


def _echo(value: object) -> str:
    """A short form of what was given; long input is not repeated."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    text = (
        repr(value)
        if isinstance(value, str)
        else json.dumps(value, default=lambda given: type(given).__name__)
    )
    return text if len(text) <= _MAX_ECHO else text[: _MAX_ECHO - 1] + "…"
