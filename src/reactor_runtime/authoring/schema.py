"""The arguments of a command: from a method's annotations to a Pydantic model and a JSON Schema.

Every parameter becomes one field of the model. Fields have a prefix and the parameter's name as alias, so
that a parameter may be called `copy`, `schema`, `model_config` or `_private`.
"""

from __future__ import annotations

import copy
import inspect
import json
import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Optional

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import (
    PydanticInvalidForJsonSchema,
    PydanticSchemaGenerationError,
    PydanticUndefinedAnnotation,
    PydanticUserError,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticSerializationError, to_jsonable_python

from reactor_runtime.errors import ModelDefinitionError

from .validation import FIELD_PREFIX, sentences

# Inlining shared types multiplies them; beyond this the schema is no longer something a client can show.
MAX_SCHEMA_NODES = 10_000
NESTED_REQUIRED = "x-required"
"""In the flat map: which fields of a required object must be there."""

_CONFIG = ConfigDict(
    extra="forbid", allow_inf_nan=False, alias_generator=lambda field: field.removeprefix(FIELD_PREFIX)
)
_DATA_KEYS = frozenset({"default", "examples", "example", "enum", "const", "required"})
_NAMED_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas"})
_SUPPORTED = (
    "Use str, int, float, bool, Literal, Enum, Optional, list, dict, a pydantic BaseModel or a dataclass of "
    "these."
)


class UnresolvedAnnotationError(Exception):
    """An annotation names something that is not defined yet; it may be, further down in the author's file."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(f"parameter {parameter!r}: {detail}")


@dataclass(frozen=True)
class Argument:
    """One parameter of a command. `fragment` is its JSON Schema with every type inlined."""

    name: str
    annotation: Any
    declared: Any  # a default value or a pydantic FieldInfo
    fragment: dict[str, Any]
    required: bool
    default: Any  # converted to the declared type; meaningless where `required` or `has_factory`
    has_factory: bool

    @property
    def field(self) -> str:
        return FIELD_PREFIX + self.name


def parameters_of(function: Callable[..., Any], where: str) -> list[inspect.Parameter]:
    """The parameters after `self`. Raises `ModelDefinitionError` for kinds that a client cannot fill."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind not in _POSITIONAL:
        raise ModelDefinitionError(f"{where} must take `self` as its first parameter.")
    for parameter in parameters[1:]:
        refusal = _REFUSED_KINDS.get(parameter.kind)
        if refusal:
            raise ModelDefinitionError(
                f"{where}: parameter {str(parameter)!r} {refusal}. A client sends arguments by name; declare "
                f"each."
            )
    return parameters[1:]


def build_argument(
    parameter: inspect.Parameter, function: Callable[..., Any], where: str, local_names: Mapping[str, Any]
) -> Argument:
    """Describe one parameter.

    Raises `ModelDefinitionError`, or `UnresolvedAnnotationError` when the annotation may become clear later.
    """
    where = f"{where}: parameter {parameter.name!r}"
    annotation = _resolve(parameter, function, where, local_names)
    declared = parameter.default
    if declared is inspect.Parameter.empty or declared is ...:
        declared = Field()
    if (declared.default if isinstance(declared, FieldInfo) else declared) is None:
        annotation = Optional[annotation]  # noqa: UP045 - `|` does not work on every annotation
    model = _build_model("Argument", {parameter.name: (annotation, declared)}, where, parameter.name)
    info = model.model_fields[FIELD_PREFIX + parameter.name]
    if {info.alias, info.validation_alias} != {parameter.name}:
        raise ModelDefinitionError(
            f"{where} has an alias. Clients use the parameter's own name: rename it instead."
        )
    fragment = _fragment(model, parameter.name, where)
    required, has_factory = info.is_required(), info.default_factory is not None
    default = None
    if not required and not has_factory:
        default = _checked_default(model, info, where)
        fragment["default"] = _as_json(default, where)
    _check_is_json(fragment, where)
    return Argument(parameter.name, annotation, declared, fragment, required, default, has_factory)


def build_arguments(command: str, arguments: list[Argument], where: str) -> type[BaseModel]:
    """The Pydantic model of all arguments together."""
    fields = {argument.name: (argument.annotation, argument.declared) for argument in arguments}
    return _build_model(f"{command} arguments", fields, where, "")


def flat_schema(arguments: list[Argument]) -> dict[str, dict[str, Any]]:
    """Parameter name → its fragment, with ``"required": true`` inside where a client must send it."""
    return {argument.name: _flat(argument) for argument in arguments}


def _flat(argument: Argument) -> dict[str, Any]:
    fragment = copy.deepcopy(argument.fragment)
    if not argument.required:
        return fragment
    # The flag, which clients of this ecosystem expect, takes the place of an object's own list of names.
    kept = {NESTED_REQUIRED: fragment.get("required", [])} if "properties" in fragment else {}
    return {**fragment, **kept, "required": True}


def json_schema(arguments: list[Argument]) -> dict[str, Any]:
    """A JSON Schema object for all arguments."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {argument.name: copy.deepcopy(argument.fragment) for argument in arguments},
        "additionalProperties": False,
    }
    required = [argument.name for argument in arguments if argument.required]
    return schema | ({"required": required} if required else {})


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_REFUSED_KINDS: dict[Any, str] = {
    inspect.Parameter.VAR_POSITIONAL: "takes any number of values",
    inspect.Parameter.VAR_KEYWORD: "takes any name",
    inspect.Parameter.POSITIONAL_ONLY: "is positional-only",
}


def _resolve(
    parameter: inspect.Parameter, function: Callable[..., Any], where: str, local_names: Mapping[str, Any]
) -> Any:
    if parameter.annotation is inspect.Parameter.empty:
        return Any
    holder = SimpleNamespace(__annotations__={"annotation": parameter.annotation})
    names = getattr(inspect.unwrap(function), "__globals__", {})
    try:
        return typing.get_type_hints(holder, names, dict(local_names), include_extras=True)["annotation"]
    except NameError as error:
        raise UnresolvedAnnotationError(parameter.name, str(error)) from None
    except Exception as error:
        raise ModelDefinitionError(f"{where} has an annotation that cannot be read: {error}.") from error


def _build_model(name: str, fields: Mapping[str, Any], where: str, parameter: str) -> type[BaseModel]:
    definitions: dict[str, Any] = {FIELD_PREFIX + field: definition for field, definition in fields.items()}
    try:
        model: type[BaseModel] = create_model(name, __config__=_CONFIG, **definitions)
        model.model_rebuild(raise_errors=True)  # a nested model of the author may wait for a later definition
    except PydanticUndefinedAnnotation as error:
        raise UnresolvedAnnotationError(parameter, error.message) from None
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError, ValueError) as error:
        raise ModelDefinitionError(f"{where} has a type that a client cannot send. {_SUPPORTED}") from error
    return model


class _StrictSchema(GenerateJsonSchema):
    """Refuses what it cannot describe, instead of leaving it out."""

    def emit_warning(self, kind: str, detail: str) -> None:
        if kind == "skipped-choice":
            raise PydanticInvalidForJsonSchema(detail)


def _fragment(model: type[BaseModel], name: str, where: str) -> dict[str, Any]:
    try:
        schema = model.model_json_schema(by_alias=True, schema_generator=_StrictSchema)
        inlined = _Inliner(schema.get("$defs", {})).walk(schema["properties"][name], ())
    except (PydanticInvalidForJsonSchema, PydanticUserError) as error:
        raise ModelDefinitionError(f"{where} has a type that has no JSON form. {_SUPPORTED}") from error
    except _NotInlinableError as error:
        raise ModelDefinitionError(f"{where} {error}") from None
    except RecursionError:
        raise ModelDefinitionError(f"{where} has a type that is nested too deeply to be published.") from None
    return inlined


class _NotInlinableError(Exception):
    pass


class _Inliner:
    """Replaces every ``$ref`` by what it means, and drops the titles that Pydantic makes up."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._nodes = 0

    def walk(self, schema: Mapping[str, Any], opened: tuple[str, ...]) -> dict[str, Any]:
        self._nodes += 1
        if self._nodes > MAX_SCHEMA_NODES:
            raise _NotInlinableError(
                f"has a schema of more than {MAX_SCHEMA_NODES} parts. Use smaller types."
            )
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
            raise _NotInlinableError(
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


def _checked_default(model: type[BaseModel], info: FieldInfo, where: str) -> Any:
    """The default as the declared type, so that ``mode: Mode = "fast"`` gives the handler a `Mode`."""
    try:
        instance = model.model_validate({info.alias: copy.deepcopy(info.default)})
    except ValidationError as error:
        raise ModelDefinitionError(
            f"{where} has a default that it would refuse: it {sentences(error)}."
        ) from None
    (field,) = model.model_fields
    return getattr(instance, field)


def _as_json(default: Any, where: str) -> Any:
    try:
        return to_jsonable_python(default)
    except (PydanticSerializationError, ValueError) as error:
        raise ModelDefinitionError(f"{where} has a default that has no JSON form: {error}.") from None


def _check_is_json(fragment: dict[str, Any], where: str) -> None:
    try:
        json.dumps(fragment, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ModelDefinitionError(f"{where} has a schema that is not JSON: {error}.") from None
