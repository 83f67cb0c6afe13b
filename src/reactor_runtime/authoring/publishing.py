"""What a client reads about a type: JSON Schema, in one piece, and nothing in it that is not true."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema

from .roundtrip import holds_secret, json_key
from .strictness import Rewriter, members_of

# Inlining shared types multiplies them; beyond this the schema is no longer something a client can show.
MAX_SCHEMA_NODES = 10_000
SECRET = "writeOnly"
"""Marks the place of a secret."""

_DATA_KEYS = frozenset({"default", "examples", "example", "enum", "const", "required"})
_NAMED_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas"})
# How Pydantic writes `Secret[int]`, of which it says nothing in its schema.
_WRITES_SECRETS = frozenset({"_serialize_secret", "_serialize_secret_field"})


def schema_of(core: Any, rewriter: Rewriter) -> dict[str, Any]:
    """The JSON Schema of what is read. Raises `UntrueError` and what Pydantic raises."""
    generator = type("_Bound", (_TrueSchema,), {"rewriter": rewriter})
    schema: dict[str, Any] = generator(by_alias=True).generate(core, mode="validation")
    return schema


class _TrueSchema(GenerateJsonSchema):
    """Refuses what it cannot describe, instead of leaving it out, and describes what is accepted."""

    rewriter: Rewriter

    def emit_warning(self, kind: str, detail: str) -> None:
        if kind == "skipped-choice":
            raise PydanticInvalidForJsonSchema(detail)

    def default_schema(self, schema: Any) -> dict[str, Any]:
        if "default" not in schema:
            return self.generate_inner(schema["schema"])
        default, meaning = self.rewriter.default(schema)
        inner = self.generate_inner(schema["schema"])
        if holds_secret(meaning) or holds_secret(schema["default"]):
            return inner
        if self.rewriter.widens(schema):
            inner = {"anyOf": [inner, {"type": "null"}]}
        return {**inner, "default": default}

    def model_schema(self, schema: Any) -> dict[str, Any]:
        with self.rewriter.within(schema):
            return super().model_schema(schema)

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        with self.rewriter.within(schema):
            return super().dataclass_schema(schema)

    def typed_dict_schema(self, schema: Any) -> dict[str, Any]:
        with self.rewriter.within(schema):
            return super().typed_dict_schema(schema)

    def enum_schema(self, schema: Any) -> dict[str, Any]:
        return _with_members(members_of(schema), super().enum_schema(schema))

    def literal_schema(self, schema: Any) -> dict[str, Any]:
        return _with_members(members_of(schema), super().literal_schema(schema))

    def dict_schema(self, schema: Any) -> dict[str, Any]:
        result = super().dict_schema(schema)
        names = result.get("propertyNames")
        if names and "enum" in names:  # keys are text in JSON, whatever they become
            keys = [json_key(key) for key in names["enum"]]
            result["propertyNames"] = {**names, "type": "string", "enum": keys}
        return result

    def dataclass_args_schema(self, schema: Any) -> dict[str, Any]:
        taken = [field for field in schema["fields"] if field.get("init", True)]
        without: Any = {**schema, "fields": taken}
        return super().dataclass_args_schema(without)

    def json_or_python_schema(self, schema: Any) -> dict[str, Any]:
        result = super().json_or_python_schema(schema)
        function = schema.get("serialization", {}).get("function")
        written_by = getattr(function, "__name__", "")
        return {**result, SECRET: True} if written_by in _WRITES_SECRETS else result


def _with_members(members: list[tuple[Any, Any]], result: dict[str, Any]) -> dict[str, Any]:
    plain = [each for _, each in members]
    rest = {key: value for key, value in result.items() if key not in ("enum", "const")}
    return {**rest, "const": plain[0]} if "const" in result and len(plain) == 1 else {**rest, "enum": plain}


class NotInlinableError(Exception):
    pass


class Inliner:
    """Replaces every ``$ref`` by what it means, and drops the titles that Pydantic makes up."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._nodes = 0

    def walk(self, schema: Mapping[str, Any], opened: tuple[str, ...]) -> dict[str, Any]:
        self._nodes += 1
        if self._nodes > MAX_SCHEMA_NODES:
            raise NotInlinableError(f"has a schema of more than {MAX_SCHEMA_NODES} parts. Use smaller types.")
        result: dict[str, Any] = {}
        if isinstance(schema.get("$ref"), str):
            result = self._definition(schema["$ref"].rsplit("/", 1)[-1], opened)
        for key, value in schema.items():
            if key in ("$ref", "$defs", "title") or (isinstance(value, float) and not math.isfinite(value)):
                continue
            result[key] = self._value(key, value, opened)
        return result

    def _definition(self, name: str, opened: tuple[str, ...]) -> dict[str, Any]:
        if name in opened:
            raise NotInlinableError(
                f"has type {name!r}, which contains itself. A command's schema is published in one piece; "
                f"use a type of limited depth, or dict."
            )
        return self.walk(self._definitions[name], (*opened, name))

    def _value(self, key: str, value: Any, opened: tuple[str, ...]) -> Any:
        if key in _DATA_KEYS:
            return copy.deepcopy(value)
        if key == "discriminator":  # its mapping points at definitions that are inlined now
            return {"propertyName": value["propertyName"]}
        if key in _NAMED_MAPS:
            return {name: self.walk(part, opened) for name, part in value.items()}
        if isinstance(value, Mapping):
            return self.walk(value, opened)
        if isinstance(value, list):
            return [self.walk(part, opened) if isinstance(part, Mapping) else part for part in value]
        return value
