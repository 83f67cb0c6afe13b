"""The arguments of a command: from a method's annotations to a Pydantic model and a JSON Schema.

Every parameter becomes one field of the model. Fields have a prefix and the parameter's name as alias, so
that a parameter may be called `copy`, `schema`, `model_config` or `_private`.
"""

from __future__ import annotations

import copy
import inspect
import json
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
from pydantic_core import SchemaValidator

from reactor_runtime.errors import ModelDefinitionError

from .annotations import OpenTypeError, reads_once, refuse_open, substituted, without_final
from .publishing import SECRET, Inliner, NotInlinableError, schema_of
from .roundtrip import UntrueError, holds_secret, published
from .strictness import Rewriter, make_validator
from .validation import FIELD_PREFIX, sentences

NESTED_REQUIRED = "x-required"
"""In the flat map: which fields of a required object must be there."""

_CONFIG = ConfigDict(
    extra="forbid", allow_inf_nan=False, alias_generator=lambda field: field.removeprefix(FIELD_PREFIX)
)
_CORE_CONFIG: Any = {"allow_inf_nan": False}
_SUPPORTED = (
    "Use str, int, float, bool, Literal, Enum, Optional, list, dict, a pydantic BaseModel or a dataclass of "
    "these."
)


class UnresolvedAnnotationError(Exception):
    """An annotation names something that is not defined yet; it may be, further down in the author's file."""

    advice = " Define or import it at module level, above or below the class."

    def __init__(self, parameter: str, detail: str, advice: str = advice) -> None:
        super().__init__(f"parameter {parameter!r}: {detail}")
        self.advice = advice


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
    parameter: inspect.Parameter,
    function: Callable[..., Any],
    where: str,
    local_names: Mapping[str, Any],
    meanings: Mapping[Any, Any],
) -> Argument:
    """Describe one parameter; `meanings` are those of type variables.

    Raises `ModelDefinitionError`, or `UnresolvedAnnotationError` when the annotation may become clear later.
    """
    where = f"{where}: parameter {parameter.name!r}"
    annotation = _meant(parameter.name, _resolve(parameter, function, where, local_names), where, meanings)
    declared = parameter.default
    if declared is inspect.Parameter.empty or declared is ...:
        declared = Field()
    if (declared.default if isinstance(declared, FieldInfo) else declared) is None:
        annotation = Optional[annotation]  # noqa: UP045 - `|` does not work on every annotation
    model = _build_model("Argument", {parameter.name: (annotation, declared)}, where, parameter.name)
    info = model.model_fields.get(FIELD_PREFIX + parameter.name)
    if info is None:
        raise ModelDefinitionError(f"{where} is annotated as something that is no argument. {_SUPPORTED}")
    if {info.alias, info.validation_alias} != {parameter.name}:
        raise ModelDefinitionError(
            f"{where} has an alias. Clients use the parameter's own name: rename it instead."
        )
    required, has_factory = info.is_required(), info.default_factory is not None
    try:
        alone = _Alone(model)
        fragment = _fragment(alone, parameter.name, where)
        alone.rewriter.strict(alone.node)  # refuses what it cannot check
        default = None
        if not required and not has_factory:
            default = _publish_default(alone, info, fragment, where)
    except UntrueError as error:
        raise ModelDefinitionError(f"{where} has a type {error}.") from None
    _check_is_json(fragment, where)
    return Argument(parameter.name, annotation, declared, fragment, required, default, has_factory)


def build_arguments(command: str, arguments: list[Argument], where: str) -> type[BaseModel]:
    """The Pydantic model of all arguments together."""
    fields = {argument.name: (argument.annotation, argument.declared) for argument in arguments}
    return _build_model(f"{command} arguments", fields, where, "")


def build_validator(model: type[BaseModel], arguments: list[Argument]) -> SchemaValidator:
    """What a client's arguments go through: `model`, as strict as JSON is, with the published defaults."""
    core: Any = model.__pydantic_core_schema__
    outer = core["schema"] if core["type"] == "definitions" else core
    defaults = {
        argument.field: argument.default
        for argument in arguments
        if not (argument.required or argument.has_factory)
    }
    return make_validator(Rewriter(core).arguments(outer, FIELD_PREFIX, defaults))


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


def _meant(name: str, annotation: Any, where: str, meanings: Mapping[Any, Any]) -> Any:
    """The annotation as this class means it. Raises what `build_argument` raises."""
    try:
        annotation = substituted(without_final(annotation), meanings)
        refuse_open(annotation)
    except OpenTypeError as error:
        raise UnresolvedAnnotationError(name, str(error), "") from None
    except TypeError as error:
        raise ModelDefinitionError(f"{where} has an annotation that cannot be read: {error}.") from error
    if reads_once(annotation):
        raise ModelDefinitionError(
            f"{where} has a type that can be read once only, and a client sends the whole. Write list[…]."
        )
    return annotation


def _build_model(name: str, fields: Mapping[str, Any], where: str, parameter: str) -> type[BaseModel]:
    definitions: dict[str, Any] = {FIELD_PREFIX + field: definition for field, definition in fields.items()}
    try:
        model: type[BaseModel] = create_model(name, __config__=_CONFIG, **definitions)
        model.model_rebuild(raise_errors=True)  # a nested model of the author may wait for a later definition
    except PydanticUndefinedAnnotation as error:
        raise UnresolvedAnnotationError(parameter, error.message) from None
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError, ValueError) as error:
        raise ModelDefinitionError(
            f"{where} has a type that a client cannot send. {_SUPPORTED}{_own_words(error)}"
        ) from error
    return model


class _Alone:
    """One parameter in Pydantic's own terms, with what makes validators of it."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.core: Any = model.__pydantic_core_schema__
        self.rewriter = Rewriter(self.core)
        outer = self.core["schema"] if self.core["type"] == "definitions" else self.core
        (self.name,) = model.model_fields
        field = outer["schema"]["fields"][self.name]
        inner = field["schema"]
        self.node = inner["schema"] if inner["type"] == "default" else inner
        fields = {self.name: {**field, "schema": self.node}}
        bare = {**outer, "schema": {**outer["schema"], "fields": fields}}
        self.without_default = {**self.core, "schema": bare} if outer is not self.core else bare


def _fragment(alone: _Alone, name: str, where: str) -> dict[str, Any]:
    try:
        schema = schema_of(alone.without_default, alone.rewriter)
        return Inliner(schema.get("$defs", {})).walk(schema["properties"][name], ())
    except (PydanticInvalidForJsonSchema, PydanticUserError) as error:
        raise ModelDefinitionError(
            f"{where} has a type that has no JSON form. {_SUPPORTED}{_own_words(error)}"
        ) from error
    except NotInlinableError as error:
        raise ModelDefinitionError(f"{where} {error}") from None
    except RecursionError:
        raise ModelDefinitionError(f"{where} has a type that is nested too deeply to be published.") from None


def _publish_default(alone: _Alone, info: FieldInfo, fragment: dict[str, Any], where: str) -> Any:
    """Put the default into the fragment, and return it as the declared type, so that ``mode: Mode = "fast"``
    gives the handler a `Mode`. Raises `UntrueError`."""
    lenient = make_validator(alone.rewriter.lenient(alone.node), _CORE_CONFIG)
    default = _copied(info.default, where)
    try:
        converted = lenient.validate_python(default)
    except ValidationError as error:
        reason = "it is no such secret" if fragment.get(SECRET) else f"it {sentences(error)}"
        raise ModelDefinitionError(f"{where} has a default that it would refuse: {reason}.") from None
    if holds_secret(converted):
        return converted
    strict = make_validator(alone.rewriter.strict(alone.node), _CORE_CONFIG)
    try:
        sent, meaning = published(
            info.default,
            converted,
            lambda sent: strict.validate_json(json.dumps(sent)),
            lambda value: alone.rewriter.written(alone.node, value),
        )
    except UntrueError as error:
        raise ModelDefinitionError(f"{where} has a default {error}.") from None
    fragment["default"] = sent
    return meaning


def _copied(default: Any, where: str) -> Any:
    """Validators may change what they are given. What cannot be copied can often be read only once, too."""
    try:
        return copy.deepcopy(default)
    except Exception as error:
        raise ModelDefinitionError(
            f"{where} has a default that cannot be copied, as each user needs it anew: {error}. Of an "
            f"Iterable in a model pydantic makes an iterator, which is read only once: declare a list."
        ) from error


def _own_words(error: Exception) -> str:
    """Pydantic's sentence about the author's type, without the address of its manual."""
    text = str(getattr(error, "message", error)).split("\n")[0].strip().rstrip(".")
    return f" Pydantic says: {text}." if text else ""


def _check_is_json(fragment: dict[str, Any], where: str) -> None:
    try:
        json.dumps(fragment, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ModelDefinitionError(f"{where} has a schema that is not JSON: {error}.") from None
