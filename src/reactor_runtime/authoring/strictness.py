"""From Pydantic's own schema of an argument to the validator that meets what a client sent.

JSON has fewer types than Python: a tuple arrives as a list, a date as text. Pydantic's strict mode knows that
as long as it reads JSON itself, and forgets it behind a `before` or `wrap` validator, from where everything
is Python. Here each part of the schema says for itself how strict it is, so that a value may come in its JSON
form everywhere, and in no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticKnownError, SchemaSerializer, SchemaValidator

from .roundtrip import UntrueError, holds_secret, json_key, published, same, to_input

Node = dict[str, Any]

_NUMBERS = ("int", "float", "decimal")
_AS_TEXT = ("bytes", "date", "time", "datetime", "timedelta", "decimal", "uuid", "complex", "url")
_LEAVES = frozenset(("int", "float", "bool", "str", "multi-host-url", *_AS_TEXT))
_OBJECTS = frozenset({"model", "dataclass", "dict", "typed-dict", "arguments"})
_CLASSES = frozenset({"model", "dataclass", "typed-dict"})
_LISTS = frozenset({"list", "tuple", "set", "frozenset", "deque", "generator"})
# What holds other schemas. The rest of a node is data, functions, or for writing.
_PARTS = frozenset(
    {"schema", "items_schema", "keys_schema", "values_schema", "lax_schema", "strict_schema", "json_schema"}
    | {"python_schema", "steps", "choices", "fields", "arguments_schema", "extras_schema"}
    | {"extras_keys_schema", "var_args_schema", "var_kwargs_schema"}
)
_FROM_PYTHON = frozenset({"function-before", "function-wrap"})

_sent: ContextVar[frozenset[tuple[type, Any]]] = ContextVar("reactor_runtime_sent", default=frozenset())
"""The single values of what is being validated: those an author's validator has not made itself."""


@contextmanager
def received(data: object) -> Iterator[None]:
    """Inside, `data` is what the client sent: its values get no help to become what they are not."""
    token = _sent.set(frozenset(_scalars(data)))
    try:
        yield
    finally:
        _sent.reset(token)


class Rewriter:
    """Makes validators of parts of one schema, whose shared `definitions` it knows."""

    def __init__(self, core: Mapping[str, Any]) -> None:
        found = core.get("definitions", ()) if core["type"] == "definitions" else ()
        self._definitions: dict[str, Node] = {each["ref"]: each for each in found}
        self._opened: list[str] = []
        self._config: Any = None
        """That of the class whose parts are looked at, which says how JSON spells some of them."""
        self._defaults: dict[int, tuple[Mapping[str, Any], Any, Any]] = {}

    def validator(self, node: Mapping[str, Any]) -> SchemaValidator:
        return make_validator(self.strict(node))

    def default(self, node: Mapping[str, Any]) -> tuple[Any, Any]:
        """The JSON of a nested default, and its meaning. Raises `UntrueError`."""
        known = self._defaults.get(id(node))
        if known is None:
            known = (node, *self._find_default(node))  # the node is kept, so that its id stays its own
            self._defaults[id(node)] = known
        return known[1], known[2]

    def written(self, node: Mapping[str, Any], value: Any) -> Any:
        """`value` as its own type writes it, in JSON."""
        whole: Any = {"type": "definitions", "schema": node, "definitions": [*self._definitions.values()]}
        return SchemaSerializer(whole, self._config).to_python(
            value, mode="json", by_alias=True, warnings="error"
        )

    def widens(self, node: Mapping[str, Any]) -> bool:
        """Whether the type of a default does not say that it may be None, as in `x: int = None`: null may be
        sent, because it is published."""
        if node["default"] is not None:
            return False
        try:
            self.validator(node["schema"]).validate_json("null")
        except ValidationError:
            return True
        return False

    @contextmanager
    def within(self, node: Mapping[str, Any]) -> Iterator[None]:
        """Inside, parts of the class of `node` are looked at."""
        outer, self._config = self._config, node.get("config")
        try:
            yield
        finally:
            self._config = outer

    def _find_default(self, node: Mapping[str, Any]) -> tuple[Any, Any]:
        default, inner = node["default"], self.strict(node["schema"])
        if default is None:
            return None, None
        try:
            lenient = make_validator(self._walk(node["schema"], None), self._config)
            converted = lenient.validate_python(default)
        except ValidationError:
            converted = default
        if holds_secret(converted) or holds_secret(default):
            return None, converted
        validator = make_validator(inner, self._config)
        return published(
            default,
            converted,
            lambda sent: validator.validate_json(json.dumps(sent)),
            lambda value: self.written(node["schema"], value),
        )

    def strict(self, node: Mapping[str, Any]) -> Node:
        """The schema for JSON from a client."""
        return self._walk(node, False)

    def arguments(self, outer: Mapping[str, Any], prefix: str, defaults: Mapping[str, Any]) -> Node:
        """The schema of all arguments, with the defaults that are converted already, by field. A factory that
        asks for the other arguments sees them under their own names."""
        fields = {}
        for name, field in outer["schema"]["fields"].items():
            inner = field["schema"]
            if inner["type"] != "default":
                fields[name] = {**field, "schema": self.strict(inner)}
                continue
            taken = {"type": "default", "schema": self.strict(inner["schema"])}
            if name in defaults:
                taken["default"] = defaults[name]
            else:
                taken |= _factory_of(inner, prefix)
            fields[name] = {**field, "schema": taken}
        rest = {name: part for name, part in outer.items() if name not in ("ref", "serialization")}
        return {**rest, "schema": {**outer["schema"], "fields": fields}, "strict": False}

    def lenient(self, node: Mapping[str, Any]) -> Node:
        """The schema for defaults, which are the author's: as Pydantic has it, but re-iterable."""
        return self._walk(node, None)

    def _walk(self, node: Mapping[str, Any], python: bool | None, key: bool = False) -> Node:
        """`python`: whether values come from a validator instead of from JSON; None: leave the strictness."""
        kind = node["type"]
        if kind == "definitions":
            return self._walk(node["schema"], python, key)
        if kind == "definition-ref":
            return self._defined(node["schema_ref"], python, key)
        if kind in _CLASSES:
            with self.within(node):
                return self._walk_parts(node, python, key)
        return self._walk_parts(node, python, key)

    def _walk_parts(self, node: Mapping[str, Any], python: bool | None, key: bool) -> Node:
        kind = node["type"]
        if python is not None and kind == "lax-or-strict":
            return self._walk(node["strict_schema"], python, key)
        if python is not None and kind == "json-or-python":
            return self._either(node, python, key)
        _refuse_untrue_names(node)
        result = {
            name: self._part(name, part, kind, python, key)
            for name, part in node.items()
            if name not in ("ref", "serialization")
        }
        if kind == "generator":  # it would be checked while it is read, and could be read once
            result = {**result, "type": "list"}
        if kind == "default":
            return self._with_default(node, result, python)
        return result if python is None else _fitted(result, python, key)

    def _defined(self, name: str, python: bool | None, key: bool) -> Node:
        if name in self._opened:  # a type that contains itself; it cannot be published, and is refused there
            return {"type": "any"}
        self._opened.append(name)
        try:
            return self._walk(self._definitions[name], python, key)
        finally:
            self._opened.pop()

    def _part(self, name: str, part: Any, kind: str, python: bool | None, key: bool) -> Any:
        if name not in _PARTS:
            return part
        if kind == "chain":
            return [self._walk(step, _later(python, at > 0), key) for at, step in enumerate(part)]
        behind = _later(python, kind in _FROM_PYTHON)
        # A key of an object stays one through whatever is wrapped around its type.
        return self._deeper(part, behind, name == "keys_schema" or (key and name in ("schema", "choices")))

    def _deeper(self, part: Any, python: bool | None, key: bool) -> Any:
        if isinstance(part, Mapping):
            if isinstance(part.get("type"), str):
                return self._walk(part, python, key)
            return {name: self._deeper(inner, python, key) for name, inner in part.items()}
        if isinstance(part, list):
            return [self._deeper(inner, python, key) for inner in part]
        if isinstance(part, tuple):  # a choice with its label
            return (self._deeper(part[0], python, key), *part[1:])
        return part

    def _either(self, node: Mapping[str, Any], python: bool, key: bool) -> Node:
        read = self._walk(node["json_schema"], python, key)
        if not python:
            return read
        made = self._walk(node["python_schema"], python, key)
        return {"type": "union", "mode": "left_to_right", "choices": [made, read]}

    def _with_default(self, node: Mapping[str, Any], result: Node, python: bool | None) -> Node:
        if python is None or "default" not in node:
            return result
        if self.widens(node):
            return {**result, "schema": {"type": "nullable", "schema": result["schema"]}}
        return {**result, "default": self.default(node)[1], "validate_default": False}


def make_validator(schema: Any, config: Any = None) -> SchemaValidator:
    """A validator of just this schema: not of the classes in it, which have validators of their own."""
    return SchemaValidator(schema, config, _use_prebuilt=False)


def members_of(node: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """The values of an enumeration or a `Literal`, each with its JSON. Raises `UntrueError`."""
    found: list[tuple[Any, Any]] = []
    for member in node.get("members") or node.get("expected") or ():
        plain = to_input(member)
        other = next((value for value, known in found if _equal(known, plain)), found)
        if other is found:
            found.append((member, plain))
        elif other is not member and not same(other, member):
            raise UntrueError(f"in which {other!r} and {member!r} are both {json.dumps(plain)} in JSON")
    return found


def _factory_of(node: Mapping[str, Any], prefix: str) -> Node:
    factory, asks = node["default_factory"], bool(node.get("default_factory_takes_data"))
    return {
        "default_factory": _renamed(factory, prefix) if asks else factory,
        "default_factory_takes_data": asks,
    }


def _renamed(factory: Callable[[Any], Any], prefix: str) -> Callable[[Any], Any]:
    return lambda data: factory({name.removeprefix(prefix): value for name, value in data.items()})


def _refuse_untrue_names(node: Mapping[str, Any]) -> None:
    """A field is published under one name, which must be the one that it is read from."""
    alias = node.get("validation_alias")
    paths = [alias] if isinstance(alias, list) and not isinstance(alias[0], list) else alias
    if isinstance(paths, list) and not any(len(path) == 1 for path in paths):
        way = ".".join(map(str, paths[0]))
        raise UntrueError(f"with a field that is read from inside of another value, {way}; name it itself")
    if (node.get("config") or {}).get("validate_by_alias") is False and _has_aliases(node):
        raise UntrueError("with fields that have aliases under which they are not read")


def _has_aliases(node: Mapping[str, Any]) -> bool:
    while "fields" not in node:
        node = node.get("schema", {"fields": ()})
    fields = node["fields"]
    each = fields.values() if isinstance(fields, Mapping) else fields
    return any("validation_alias" in field for field in each)


def _later(python: bool | None, behind: bool) -> bool | None:
    return None if python is None else python or behind


def _fitted(node: Node, python: bool, key: bool) -> Node:
    kind = node["type"]
    if kind in ("enum", "literal"):
        return _choice(node, key)
    if kind in _LISTS or kind in _OBJECTS:
        return {**node, "strict": False}  # JSON has one kind of list, and one of object
    if kind not in _LEAVES:
        return node
    strict = {**node, "strict": True}
    return _wrapped(strict, _Leaf(kind, node, strict, key)) if python else strict


def _wrapped(node: Node, function: Callable[[Any, Any], Any]) -> Node:
    return {
        "type": "function-wrap",
        "function": {"type": "no-info", "function": function},
        "schema": node,
    }


class _Leaf:
    """A single value behind a validator of the author's, where it may be Python's or still JSON's."""

    def __init__(self, kind: str, node: Node, strict: Node, key: bool) -> None:
        self._kind = kind
        self._key = key
        self._strict = make_validator(strict)
        self._lax = make_validator({**node, "strict": False})

    def __call__(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        if isinstance(value, bool) and self._kind in _NUMBERS:
            return self._strict.validate_json(json.dumps(value))
        if self._key and isinstance(value, str):
            text: Any = value  # an annotation there calls for text of its own
            return self._strict.validate_strings(text)
        if self._kind in _AS_TEXT and type(value) in (str, int, float):
            return self._strict.validate_json(json.dumps(value))
        try:
            return handler(value)
        except ValidationError:
            if (type(value), value) in _sent.get() if _is_scalar(value) else False:
                raise
            return self._lax.validate_python(value)


def _choice(node: Node, key: bool) -> Node:
    members = members_of(node)
    if all(type(plain) is str for _, plain in members) and not key:
        return {**node, "strict": False} if node["type"] == "enum" else node
    function = {"type": "no-info", "function": _Choice(node, members, key)}
    return {"type": "function-plain", "function": function}


class _Choice:
    """An enumeration whose members are told apart by their JSON: `true` is not 1, and a tuple is a list."""

    def __init__(self, node: Node, members: list[tuple[Any, Any]], key: bool) -> None:
        self._members = [(member, json_key(member) if key else plain) for member, plain in members]
        self._kind = "enum" if node["type"] == "enum" else "literal_error"
        self._cls, self._missing = node.get("cls"), node.get("missing")
        words = [repr(member if plain is None else plain) for member, plain in self._members]
        if self._kind == "literal_error":
            words = [repr(member) for member, _ in self._members]
        self._expected = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))

    def __call__(self, value: Any) -> Any:
        if self._cls is not None and isinstance(value, self._cls):
            return value
        for member, plain in self._members:
            if member is value or _equal(plain, value):
                return member
        other = self._missing(value) if self._missing is not None else None
        if other is not None:
            return other
        if not isinstance(value, bool) and all(isinstance(plain, bool) for _, plain in self._members):
            raise PydanticKnownError("bool_type")
        raise PydanticKnownError(self._kind, {"expected": self._expected})  # type: ignore[arg-type] # a str


def _equal(one: Any, other: Any) -> bool:
    """Whether two values are one in JSON: 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, Enum) or isinstance(other, Enum):
        return one is other
    return bool(one == other)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float)


def _scalars(value: object) -> Iterable[tuple[type, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str, key
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    elif _is_scalar(value):
        yield type(value), value
