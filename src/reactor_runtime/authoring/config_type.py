"""A class as configuration: a dataclass or a Pydantic model, whose fields say what may be set."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NO_DEFAULT: Any = object()


def is_config_type(cls: type) -> bool:
    from pydantic import BaseModel

    return dataclasses.is_dataclass(cls) or issubclass(cls, BaseModel)


@dataclass(frozen=True)
class ConfigField:
    """One field: the attribute's `name`, the `keys` it may be set by (its own first), its declared type."""

    name: str
    keys: tuple[str, ...]
    annotation: Any
    default: Any = NO_DEFAULT
    required: bool = False
    """Without it there is no instance. A default that only a validation knows is none, and not required."""


def config_fields(cls: type) -> list[ConfigField]:
    """The fields of a dataclass or Pydantic model, with the defaults they have."""
    infos = getattr(cls, "__pydantic_fields__", None) or getattr(cls, "model_fields", None)
    return list(_of_pydantic(cls, infos) if isinstance(infos, dict) else _of_dataclass(cls))


def allows_more(cls: type) -> bool:
    """Whether keys that are no fields are kept."""
    for name in ("model_config", "__pydantic_config__"):
        settings = getattr(cls, name, None)
        if isinstance(settings, dict):
            return bool(settings.get("extra") == "allow")
    return False


def nested_type(annotation: Any) -> type | None:
    """The class of fields that values of this type hold, if there is one and only one."""
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation if is_config_type(annotation) else None
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return nested_type(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not type(None)]
        return nested_type(parts[0]) if len(parts) == 1 else None
    return None


def type_name(annotation: Any) -> str:
    """As a person writes it: `int`, `Literal['a', 'b']`, `Path | None`."""
    if annotation is type(None):
        return "None"
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return type_name(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(type_name, typing.get_args(annotation)))
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, typing.get_args(annotation)))}]"
    if origin is not None:
        inside = ", ".join("..." if part is ... else type_name(part) for part in typing.get_args(annotation))
        return f"{getattr(origin, '__name__', origin)}[{inside}]"
    return getattr(annotation, "__name__", str(annotation))


def is_secret(annotation: Any) -> bool:
    """Whether a value of this type may be shown to nobody."""
    return "Secret" in type_name(annotation)


def _of_pydantic(cls: type, infos: dict[str, Any]) -> Iterator[ConfigField]:
    settings = getattr(cls, "model_config", None) or getattr(cls, "__pydantic_config__", None) or {}
    by_name = bool(settings.get("populate_by_name") or settings.get("validate_by_name"))
    for name, info in infos.items():
        if getattr(info, "init", None) is False:
            continue
        aliases = _alias_keys(info.validation_alias or info.alias)
        keys = (*aliases, name) if by_name or not aliases else aliases
        yield ConfigField(
            name, tuple(dict.fromkeys(keys)), info.annotation, _default(info), info.is_required()
        )


def _alias_keys(alias: Any) -> tuple[str, ...]:
    if alias is None:
        return ()
    if isinstance(alias, str):
        return (alias,)
    choices = getattr(alias, "choices", None)
    if choices is not None:
        return tuple(key for choice in choices for key in _alias_keys(choice))
    return (str(alias.path[0]),)


def _default(info: Any) -> Any:
    from pydantic_core import PydanticUndefined

    if info.is_required():
        return NO_DEFAULT
    if getattr(info, "default_factory_takes_validated_data", False):
        return NO_DEFAULT  # only a validation knows it
    value = info.get_default(call_default_factory=True)
    return NO_DEFAULT if value is PydanticUndefined else value


def _of_dataclass(cls: Any) -> Iterator[ConfigField]:
    hints = _hints(cls)
    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        known = NO_DEFAULT if default is dataclasses.MISSING else default
        yield ConfigField(
            field.name, (field.name,), hints.get(field.name, field.type), known, known is NO_DEFAULT
        )


def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError):
        return {}  # a validation says what is wrong with them
