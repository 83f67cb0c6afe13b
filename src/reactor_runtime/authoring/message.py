"""`@message`: what a model says, as a class: published in the schema and checked where it is sent."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from reactor_runtime.errors import MessageError, ModelDefinitionError

from .command import MAX_NAME_LENGTH, NAME
from .config_type import is_config_type
from .publishing import Inliner, NotInlinableError
from .validation import sentences

_MARK = "__reactor_message__"
_LOCAL = "__reactor_messages__"
TYPE = "type"
"""The key under which a message says what it is."""

Class = TypeVar("Class", bound=type)


def message(name: str) -> Callable[[Class], Class]:
    """Declare the data class or Pydantic model below as the message `name`.

    `get_ctx().send(Progress(...))` then sends ``{"type": name, …}`` with its fields. Raises
    `ModelDefinitionError`.
    """
    if not isinstance(name, str):
        given = getattr(name, "__qualname__", repr(name))
        raise ModelDefinitionError(
            f"@message needs a name, and got {given}. Write @message('progress') above the class."
        )
    if not NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise ModelDefinitionError(
            f"@message({name!r}): the name of a message is 1 to {MAX_NAME_LENGTH} characters without spaces, "
            "as in 'progress'."
        )

    def decorate(cls: Class) -> Class:
        setattr(cls, _MARK, MessageSpec(name, cls))
        return cls

    return decorate


class MessageSpec:
    """A declared message: its name, and how its fields are checked."""

    def __init__(self, name: str, cls: type) -> None:
        self.name = name
        self.cls = cls
        self._where = f"@message({name!r})"
        if not isinstance(cls, type) or not is_config_type(cls):
            raise ModelDefinitionError(
                f"{self._where} is for a data class or a Pydantic model, and stands above "
                f"{getattr(cls, '__qualname__', cls)!r}. Put it above the line @dataclass, or derive the "
                "class from BaseModel."
            )
        if TYPE in _names(cls):
            raise ModelDefinitionError(
                f"{self._where}: {cls.__qualname__} has a field {TYPE!r}, and that is the message's own name "
                "on the wire. Rename the field."
            )
        self._checks: dict[str, TypeAdapter[Any]] | None = None

    def json_schema(self) -> dict[str, Any]:
        """What goes over the wire, inlined. Raises `ModelDefinitionError`."""
        try:
            schema = TypeAdapter(self.cls).json_schema(mode="serialization", by_alias=False)
            inlined = Inliner(schema.get("$defs", {})).walk(schema, ())
        except (PydanticInvalidForJsonSchema, PydanticUserError, NameError, TypeError) as error:
            detail = str(getattr(error, "message", error)).split("\n")[0].rstrip(".")
            raise ModelDefinitionError(
                f"{self._where}: {self.cls.__qualname__} cannot be published: {detail}."
            ) from error
        except NotInlinableError as error:
            raise ModelDefinitionError(f"{self._where}: {self.cls.__qualname__} {error}") from None
        properties = {TYPE: {"const": self.name}, **inlined.get("properties", {})}
        required = [TYPE, *inlined.get("required", [])]
        return {**inlined, "type": "object", "properties": properties, "required": required}

    def plain(self, instance: Any) -> dict[str, Any]:
        """The message as JSON takes it. Raises `MessageError`."""
        values = {name: getattr(instance, name, None) for name in _names(type(instance))}
        plain = self._jsonable(values)
        self._check(plain)
        # A Pydantic model may say more than its fields: what it computes.
        return {TYPE: self.name, **(self._jsonable(instance) if isinstance(instance, BaseModel) else plain)}

    def _jsonable(self, value: Any) -> Any:
        try:
            return to_jsonable_python(value, by_alias=False, fallback=_array)
        except (PydanticSerializationError, ValueError) as error:
            raise MessageError(
                f"The message {self.name!r} ({self.cls.__qualname__}) holds what is no JSON: {error}."
            ) from None

    def _check(self, plain: Mapping[str, Any]) -> None:
        if self._checks is None:
            self._checks = _checks_of(self.cls)
        for name, check in self._checks.items():
            try:
                check.validate_json(to_json(plain.get(name)), strict=True)
            except ValidationError as error:
                raise MessageError(
                    f"The message {self.name!r} ({self.cls.__qualname__}) has a wrong value: {name!r} "
                    f"{sentences(error)}."
                ) from None


def declared(data: Any) -> Any:
    """What is sent in the place of `data`: itself, or a declared message's form. Raises `MessageError`."""
    spec = getattr(type(data), _MARK, None)
    return spec.plain(data) if isinstance(spec, MessageSpec) else data


def keep_local_messages(cls: type, local_names: Mapping[str, Any]) -> None:
    """Remember the messages that are local to the function that defines a model."""
    if "<locals>" in cls.__qualname__:
        setattr(cls, _LOCAL, tuple(_marked(local_names.values())))


def messages_of(cls: type) -> dict[str, MessageSpec]:
    """The messages of a model class by name: those in its body, in the function and the file that define it
    and its bases, and in the files that these import. Raises `ModelDefinitionError`."""
    found: dict[str, MessageSpec] = {}
    for level in _levels(cls):
        here: dict[str, MessageSpec] = {}
        for spec in level:
            other = here.setdefault(spec.name, spec)
            if other.cls is not spec.cls and spec.name not in found:
                raise ModelDefinitionError(
                    f"{cls.__qualname__} has two messages called {spec.name!r}: {other.cls.__qualname__} and "
                    f"{spec.cls.__qualname__}. Give one of them another name."
                )
        found = {**here, **found}
    return found


def _levels(cls: type) -> Iterable[list[MessageSpec]]:
    """The nearest first."""
    bases = [base for base in cls.__mro__ if base.__module__.split(".")[0] != __name__.split(".")[0]]
    modules = [module for base in bases if (module := sys.modules.get(base.__module__)) is not None]
    yield [spec for base in bases for spec in _marked(vars(base).values())]
    yield [spec for base in bases for spec in vars(base).get(_LOCAL, ())]
    names = [list(vars(module).values()) for module in dict.fromkeys(modules)]
    yield [spec for values in names for spec in _marked(values)]
    imported = [value for values in names for value in values if isinstance(value, ModuleType)]
    for module in imported:
        yield _marked(list(vars(module).values()))


def _marked(values: Iterable[Any]) -> list[MessageSpec]:
    marks = [vars(value).get(_MARK) for value in values if isinstance(value, type)]
    return [mark for mark in marks if isinstance(mark, MessageSpec)]


def _names(cls: type) -> list[str]:
    if issubclass(cls, BaseModel):
        return list(cls.model_fields)
    return [field.name for field in _fields(cls)]


def _fields(cls: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)


def _checks_of(cls: type) -> dict[str, TypeAdapter[Any]]:
    if issubclass(cls, BaseModel):
        fields = cls.model_fields.items()
        types: dict[str, Any] = {name: Annotated[info.annotation, info] for name, info in fields}
        return {name: TypeAdapter(annotation) for name, annotation in types.items()}
    hints = typing.get_type_hints(cls, include_extras=True)
    return {field.name: TypeAdapter(hints[field.name]) for field in _fields(cls)}


def _array(value: Any) -> Any:
    """numpy scalars and arrays, and tensors."""
    tolist = getattr(value, "tolist", None)
    if tolist is None or isinstance(value, type):
        raise ValueError(f"a {type(value).__name__}")
    return tolist()
