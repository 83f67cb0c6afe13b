"""Checking what a client sent as arguments of a command, and saying what is wrong as a person would.

JSON has one kind of number, so ``2.0`` is a whole number here; apart from that, nothing is converted: text is
no number, a number is no text, ``true`` is no number. NaN and Infinity are refused wherever they stand.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reactor_runtime.errors import InvalidCommandError

from .secrecy import HIDDEN, NO_SECRETS, Secrets, secrets_of
from .strictness import received

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails, SchemaValidator

# Fields of the argument models are named with this before the parameter's own name; see schema.py.
FIELD_PREFIX = "p_"
MAX_DEPTH = 64
# The largest whole number up to which a double counts in steps of one. A larger float is not taken for one.
MAX_EXACT = 2**53
# Beyond, a whole number no longer fits a double, and Python stops printing it in full.
MAX_INTEGER_BITS = 1_000
_MAX_PROBLEMS = 3
_MAX_ECHO = 80
_MAX_SENTENCE = 400

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
# Pydantic counts what a secret has in it as items.
_OF_TEXT = {"too_short": "string_too_short", "too_long": "string_too_long"}
_WITHOUT_ECHO = ("missing", "missing_argument", "extra_forbidden", "unexpected_keyword_argument")


def validate(
    command: str, validator: SchemaValidator, fragments: Mapping[str, Mapping[str, Any]], arguments: object
) -> Any:
    """`arguments` as `validator` makes them; `fragments` are their schemas by name. Raises
    `InvalidCommandError`, which repeats no secret."""
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, Mapping):
        raise InvalidCommandError(
            f"Command {command!r}: its arguments must be an object, not {_echo(arguments)}."
        )
    _refuse_unknown(command, list(fragments), arguments)
    data = {name: _normal(command, name, name, value, 0) for name, value in arguments.items()}
    try:
        with received(data):
            return validator.validate_json(json.dumps(data))
    except ValidationError as error:
        raise _refusal(command, error, data, secrets_of(fragments, data)) from None


def _refusal(
    command: str, error: ValidationError, data: Mapping[str, Any], secrets: Secrets
) -> InvalidCommandError:
    errors = error.errors(include_url=False, include_context=True)
    field = next((str(problem["loc"][0]) for problem in errors if problem["loc"]), None)
    problems = [problem for problem in errors if not field or problem["loc"][:1] == (field,)]
    return InvalidCommandError(f"Command {command!r}: {_listed(problems, data, secrets)}.", field=field)


def sentences(error: ValidationError) -> str:
    """What is wrong with one value, without its name: "must be at least 0, not -1"."""
    reasons = dict.fromkeys(_reason(problem) for problem in error.errors(include_url=False))
    return "; ".join(list(reasons)[:_MAX_PROBLEMS])


def _refuse_unknown(command: str, names: list[str], arguments: Mapping[Any, Any]) -> None:
    for name in arguments:
        if name in names:
            continue
        takes = f"it takes: {_shortened(', '.join(names))}" if names else "it takes none"
        close = difflib.get_close_matches(str(name), names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise InvalidCommandError(
            f"Command {command!r}: there is no argument {_echo(str(name))}; {takes}.{hint}",
            field=_shortened(str(name), _MAX_ECHO),
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


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) <= MAX_EXACT else value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell
        return False
    return True


def _listed(problems: list[ErrorDetails], data: Mapping[str, Any], secrets: Secrets) -> str:
    by_path: dict[str, dict[str, None]] = {}
    for problem in problems:
        by_path.setdefault(_path(problem, data), {})[_reason(problem, secrets)] = None
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


def _reason(problem: ErrorDetails, secrets: Secrets = NO_SECRETS) -> str:
    kind, given = problem["type"], problem["input"]
    if not isinstance(given, Mapping | list | tuple | AbstractSet) and secrets.holds(given):
        given = HIDDEN
        kind = _OF_TEXT.get(kind, kind)
    if kind in ("int_type", "int_from_float") and isinstance(given, float) and given.is_integer():
        return f"must be a whole number that a double holds exactly, not {_echo(given)}"
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {_echo(given)}"
    if kind == "value_error":  # raised by a validator of the author, for the user to read
        return f"is refused: {_shortened(secrets.hidden_in(str(problem['ctx']['error'])))}"
    rule = _RULES.get(kind)
    if rule is None:
        return f"is refused: {_shortened(secrets.hidden_in(problem['msg']))}"
    reason = _shortened(rule.format(**problem.get("ctx", {})))
    return reason if kind in _WITHOUT_ECHO else f"{reason}, not {_echo(given)}"


def _echo(value: object) -> str:
    """A short form of what was given; long input is not repeated, and secrets not at all."""
    if value is HIDDEN:
        return "what was given"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    text = (
        repr(value)
        if isinstance(value, str)
        else json.dumps(value, default=lambda given: type(given).__name__)
    )
    return _shortened(text, _MAX_ECHO)


def _shortened(text: str, most: int = _MAX_SENTENCE) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
