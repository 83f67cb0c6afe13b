"""`@model(config=MyConfig)`: what was given becomes an instance of the class, checked field by field.

The class's defaults lie lowest; the YAML file of ``-c`` and the overrides are merged into them, also inside
nested classes and mappings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from omegaconf import MISSING, DictConfig, OmegaConf

from reactor_runtime.authoring.config_type import (
    NO_DEFAULT,
    ConfigField,
    allows_more,
    config_fields,
    is_config_type,
    is_secret,
    nested_type,
    type_name,
)
from reactor_runtime.errors import ConfigError

from .config import FLAG, EffectiveConfig
from .config_report import HIDDEN, SECRET, problems
from .excerpt import shortened
from .likeness import nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_TEXT_WANTED = frozenset({"string_type", "path_type", "literal_error", "enum", "url_type", "bytes_type"})
"""Pydantic's codes for a value that would have been right as the text that was typed: 007 for a `str`."""


def with_defaults(cls: type, given: EffectiveConfig) -> EffectiveConfig:
    """`given` on top of the class's defaults, to be shown; each key knows its declared type."""
    defaults = OmegaConf.create(_plain_defaults(cls))
    types = dict(_types(cls, ""))
    origins = dict.fromkeys(types, f"default of {cls.__name__}")
    origins |= {key: f"required by {cls.__name__}" for key in types if _is_missing(defaults, key)}
    merged = OmegaConf.merge(defaults, given.config)
    assert isinstance(merged, DictConfig)
    for key, kind in types.items():
        if SECRET in kind and key in given.origins:
            _hide(merged, key)
    return replace(given, config=merged, origins=origins | given.origins, types=types, readings=[])


def as_validated(shown: EffectiveConfig, value: Any) -> EffectiveConfig:
    """`shown` with what the instance `value` really holds; interpolations stay, they say where from."""
    from pydantic_core import to_jsonable_python

    plain = {
        field.keys[0]: to_jsonable_python(getattr(value, field.name, None), fallback=str)
        for field in config_fields(type(value))
    }
    raw = OmegaConf.to_container(shown.config, resolve=False)
    return replace(shown, config=OmegaConf.create(_overlaid(raw, _literal(plain))))


def _overlaid(raw: Any, value: Any) -> Any:
    if isinstance(raw, str) and "${" in raw:
        return raw
    if isinstance(raw, dict) and isinstance(value, dict):
        return {key: _overlaid(raw.get(key), value[key]) for key in value}
    if isinstance(raw, list) and isinstance(value, list) and len(raw) == len(value):
        return [_overlaid(old, new) for old, new in zip(raw, value, strict=True)]
    return value


def _hide(config: DictConfig, key: str) -> None:
    """A secret that was typed is shown to nobody; one of the environment is masked where it is shown."""
    *above, last = key.split(".")
    holder: Any = OmegaConf.select(config, ".".join(above)) if above else config
    if isinstance(holder, DictConfig) and last in holder and not OmegaConf.is_interpolation(holder, last):
        holder[last] = HIDDEN


def _is_missing(defaults: DictConfig, key: str) -> bool:
    *above, last = key.split(".")
    holder: Any = OmegaConf.select(defaults, ".".join(above)) if above else defaults
    return isinstance(holder, DictConfig) and OmegaConf.is_missing(holder, last)


def instance(cls: type, given: EffectiveConfig) -> Any:
    """The author's configuration. Raises `ConfigError` with one line for each field that is wrong."""
    named = OmegaConf.to_container(given.config, resolve=False)
    _raise(cls, [*problems(with_defaults(cls, given)), *_unknown(cls, named, "", given)])
    whole = OmegaConf.merge(OmegaConf.create(_plain_defaults(cls)), given.config)
    data = _chosen(OmegaConf.to_container(whole, resolve=True), named)
    return _validated(cls, _completed(cls, data), given)


def _validated(cls: type, data: dict[str, Any], given: EffectiveConfig) -> Any:
    from pydantic import PydanticUserError, TypeAdapter, ValidationError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cls)
        try:
            return adapter.validate_python(data)
        except ValidationError as error:
            typed = _as_typed(data, error.errors(include_url=False), given)
            if typed is None:
                raise
            return adapter.validate_python(typed)
    except ValidationError as error:
        _raise(cls, [_sentence(cls, each, given) for each in error.errors(include_url=False)])
        raise  # errors() is never empty
    except (PydanticUserError, NameError) as error:
        raise ConfigError(f"{cls.__name__} cannot be a configuration: {_first_line(error)}.") from error
    except Exception as error:  # the author's own validators and __post_init__
        raise ConfigError(
            f"{cls.__name__} did not take the configuration: {type(error).__name__}: {_first_line(error)}."
        ) from error


def _raise(cls: type, sentences: list[str]) -> None:
    if sentences:
        lines = "\n".join(f"  {sentence}" for sentence in sentences)
        raise ConfigError(f"The configuration is no {cls.__name__}:\n{lines}")


def _sentence(cls: type, error: ErrorDetails, given: EffectiveConfig) -> str:
    path = [str(part) for part in error["loc"]]
    key = _known_part(path, given) or ".".join(path)
    field = _field_at(cls, path)
    hidden = field is not None and is_secret(field.annotation)
    if error["type"] in ("missing", "missing_argument"):
        return (
            f"{'.'.join(path)}: it is required; write it in a YAML file or give {FLAG}{'.'.join(path)}=VALUE."
        )
    where = given.place(key) if hidden else given.place_and_text(key)
    value = error["input"]
    echo = "" if hidden or not isinstance(value, str | int | float) else f", not {shortened(repr(value))}"
    return f"{key or cls.__name__}{f' ({where})' if where else ''}: {error['msg']}{echo}."


def _known_part(path: list[str], given: EffectiveConfig) -> str:
    """Pydantic's locations end in the names of union members and the like; keys do not."""
    for end in range(len(path), 0, -1):
        key = ".".join(path[:end])
        if key in given.origins or key in given.raw:
            return key
    return ""


def _as_typed(
    data: dict[str, Any], errors: list[ErrorDetails], given: EffectiveConfig
) -> dict[str, Any] | None:
    """`data` with the text as it was typed where a field wants text; None where that changes nothing."""
    changed = False
    for error in errors:
        key = _known_part([str(part) for part in error["loc"]], given)
        if error["type"] in _TEXT_WANTED and key in given.raw:
            *above, last = key.split(".")
            holder: Any = data
            for part in above:
                holder = holder.get(part) if isinstance(holder, dict) else None
            if isinstance(holder, dict) and not isinstance(holder.get(last), str):
                holder[last] = given.raw[key]
                changed = True
    return data if changed else None


def _unknown(cls: type, data: Any, path: str, given: EffectiveConfig) -> Iterator[str]:
    if not isinstance(data, dict):
        return
    fields = {key: field for field in config_fields(cls) for key in field.keys}
    for key, value in data.items():
        dotted = f"{path}{key}"
        field = fields.get(key)
        if field is not None:
            inner = nested_type(field.annotation)
            if inner is not None:
                yield from _unknown(inner, value, f"{dotted}.", given)
        elif not allows_more(cls):
            match = nearest(str(key), fields)
            hint = f"did you mean {path}{match}?" if match else f"it has {', '.join(fields) or 'none'}."
            yield f"{dotted} ({given.place_and_text(dotted)}): {cls.__name__} has no such field; {hint}"


def _completed(cls: type, data: dict[str, Any], base: Any = None) -> dict[str, Any]:
    """`data` with what it leaves out of a default: one field of a nested class may be set alone."""
    completed = dict(data)
    for field in config_fields(cls):
        key = next((key for key in field.keys if key in data), None)
        before = field.default if base is None else getattr(base, field.name, NO_DEFAULT)
        if key is None:
            if base is not None and before is not NO_DEFAULT:
                completed[field.keys[0]] = before
        elif isinstance(data[key], dict):
            completed[key] = _filled(field, data[key], before)
    return completed


def _filled(field: ConfigField, value: dict[str, Any], before: Any) -> dict[str, Any]:
    if isinstance(before, Mapping):
        return _merged(before, value)
    if is_config_type(type(before)):
        return _completed(type(before), value, before)
    inner = nested_type(field.annotation)
    return value if inner is None else _completed(inner, value)


def _merged(before: Mapping[Any, Any], value: Mapping[Any, Any]) -> dict[Any, Any]:
    merged = dict(before)
    for key, new in value.items():
        old = merged.get(key)
        merged[key] = _merged(old, new) if isinstance(old, Mapping) and isinstance(new, Mapping) else new
    return merged


def _chosen(whole: Any, named: Any) -> Any:
    """The part of `whole` whose keys are in `named`."""
    if isinstance(whole, dict) and isinstance(named, dict):
        return {key: _chosen(whole[key], value) for key, value in named.items()}
    return whole


def _field_at(cls: type, path: list[str]) -> ConfigField | None:
    field: ConfigField | None = None
    inner: type | None = cls
    for part in path:
        found = next((each for each in config_fields(inner) if part in each.keys), None) if inner else None
        if found is None:
            break
        field, inner = found, nested_type(found.annotation)
    return field


def _types(cls: type, prefix: str, above: tuple[type, ...] = ()) -> Iterator[tuple[str, str]]:
    for field in config_fields(cls):
        yield f"{prefix}{field.keys[0]}", type_name(field.annotation)
        inner = nested_type(field.annotation)
        if inner is not None and inner not in (cls, *above):
            yield from _types(inner, f"{prefix}{field.keys[0]}.", (*above, cls))


def _plain_defaults(cls: type, above: tuple[type, ...] = ()) -> dict[str, Any]:
    from pydantic_core import to_jsonable_python

    plain: dict[str, Any] = {}
    for field in config_fields(cls):
        if field.default is NO_DEFAULT:
            inner = nested_type(field.annotation)
            if inner is not None and inner not in (cls, *above):
                plain[field.keys[0]] = _plain_defaults(inner, (*above, cls))
            elif field.required:
                plain[field.keys[0]] = MISSING
        else:
            plain[field.keys[0]] = _literal(to_jsonable_python(field.default, fallback=str))
    return plain


def _literal(value: Any) -> Any:
    """A default of Python's that looks like an interpolation is none."""
    if isinstance(value, dict):
        return {str(key): _literal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_literal(inner) for inner in value]
    return value.replace("${", "\\${") if isinstance(value, str) else value


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
