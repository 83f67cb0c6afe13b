"""`@model`: what a model is and how it is identified. How it runs is configuration, and not said here."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from reactor_runtime.errors import ModelDefinitionError

from .config_type import is_config_type
from .model import VideoModel
from .spec import ATTRIBUTE, MAX_NAME_LENGTH, ModelSpec, is_model, spec_of, suggest

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
# One slip away from a parameter. As metadata they would be kept and do nothing, which nobody would notice.
_SHADOWS = {
    "name": "name",
    "config": "config",
    "configs": "config",
    "weight": "weights",
    "weights": "weights",
    "keeps": "keep",
    "kept": "keep",
}
_RESERVED = frozenset({"moderate"})
"""Will be parameters; as metadata they would seem to work."""
_KEPT = re.compile(r"(?:self\.)?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[[^\]\n]+\]|\([^()\n]+\))*")

ModelClass = TypeVar("ModelClass", bound=type[VideoModel])


def model(
    name: str,
    config: str | os.PathLike[str] | type | None = None,
    weights: list[str] | tuple[str, ...] | None = None,
    *,
    keep: list[str] | tuple[str, ...] | None = None,
    **metadata: Any,
) -> Callable[[ModelClass], ModelClass]:
    """Mark the `VideoModel` subclass that is the model of this project.

    `name` is lowercase letters, digits and hyphens; `config` a YAML file relative to this one, or a dataclass
    or Pydantic model that `__init__` gets an instance of; `weights` the folders that
    `VideoModel.weights(...)` may ask for; `keep` the attributes that may change from one session to the
    next, as `_cache` or `pipeline.steps`; anything else is kept for tooling and changes nothing.
    Raises `ModelDefinitionError`.
    """
    _check_name(name)
    config_type = config if isinstance(config, type) and is_config_type(config) else None
    path = None if config_type else _checked_config(config)
    folders = _checked_weights(weights)
    kept = _checked_keep(keep)
    _check_metadata(metadata)

    def decorate(cls: ModelClass) -> ModelClass:
        _check_class(cls, name)
        frame = sys._getframe(1)
        file = Path(frame.f_code.co_filename)
        file = file if frame.f_code.co_filename.startswith("<") else file.absolute()
        spec = ModelSpec(
            name, path, folders, MappingProxyType(dict(metadata)), file, frame.f_lineno, config_type, kept
        )
        setattr(cls, ATTRIBUTE, spec)
        return cls

    return decorate


def _check_name(name: object) -> None:
    if isinstance(name, type):
        raise ModelDefinitionError(
            f"@model needs a name. Write @model(name={suggest(name.__name__)!r}) above class {name.__name__}."
        )
    if not isinstance(name, str):
        raise ModelDefinitionError(
            f"@model(name={name!r}): give the name as a string, as in @model(name='my-model')."
        )
    if len(name) <= MAX_NAME_LENGTH and _NAME.fullmatch(name):
        return
    raise ModelDefinitionError(
        f"@model(name={name!r}): a name is lowercase letters, digits and hyphens, begins and ends with a "
        f"letter or digit, and has 1 to {MAX_NAME_LENGTH} characters. Try {suggest(name)!r}."
    )


def _checked_config(config: object) -> str | None:
    if config is None:
        return None
    if isinstance(config, type):
        raise ModelDefinitionError(
            f"@model(config={config.__name__}): a class of configuration is a dataclass or a Pydantic model. "
            f"Write @dataclass above class {config.__name__}, or derive it from pydantic.BaseModel."
        )
    if not isinstance(config, str | os.PathLike) or not str(os.fspath(config)).strip():
        raise ModelDefinitionError(
            f"@model(config={config!r}): give the path of a YAML file, as in config='config.yml'. Values "
            f"belong in that file."
        )
    return str(os.fspath(config))


def _checked_weights(weights: object) -> tuple[str, ...]:
    rule = "a folder name is letters, digits, dots, hyphens and underscores, and is no path"
    return _checked_names("weights", weights, "folder names", "my-weights", _FOLDER, rule, "a folder")


def _checked_keep(keep: object) -> tuple[str, ...]:
    rule = (
        "an attribute path is written as the leak audit tells it, "
        "as in '_cache' or 'pipeline.scheduler._step'"
    )
    return _checked_names("keep", keep, "attribute paths", "_cache", _KEPT, rule, "a path")


def _checked_names(
    argument: str, names: object, what: str, example: str, pattern: re.Pattern[str], rule: str, one: str
) -> tuple[str, ...]:
    """A list of different names that all follow `pattern`. Raises `ModelDefinitionError` with the `rule`."""
    if names is None:
        return ()
    if not isinstance(names, list | tuple):
        hint = [names if isinstance(names, str) else example]
        raise ModelDefinitionError(
            f"@model({argument}={names!r}): give a list of {what}, as in {argument}={hint}."
        )
    for name in names:
        if not isinstance(name, str) or not pattern.fullmatch(name):
            raise ModelDefinitionError(f"@model({argument}=[{name!r}, …]): {rule}.")
    if len(set(names)) < len(names):
        raise ModelDefinitionError(f"@model({argument}={names!r}): {one} is listed twice.")
    return tuple(names)


def _check_metadata(metadata: dict[str, Any]) -> None:
    # Imported here because only models with metadata need it.
    from pydantic_core import PydanticSerializationError, to_json

    for key, value in metadata.items():
        shadowed = _SHADOWS.get(key.lower().strip("_"))
        if shadowed:
            raise ModelDefinitionError(
                f"@model({key}=…): metadata may not shadow the parameter {shadowed!r}. If you meant the "
                f"parameter, write {shadowed}=…; if not, choose another key."
            )
        if key in _RESERVED:
            raise ModelDefinitionError(
                f"@model({key}=…): {key!r} is reserved and not available yet; choose another key."
            )
        if key == "metadata":
            raise ModelDefinitionError(
                "@model(metadata=…): give metadata as keywords, as in @model(…, author='You')."
            )
        if not key.isidentifier():
            raise ModelDefinitionError(
                f"@model(**{{{key!r}: …}}): a metadata key must be a Python identifier."
            )
        try:
            to_json(value)
        except (PydanticSerializationError, ValueError, RecursionError) as error:
            raise ModelDefinitionError(
                f"@model({key}=…): metadata is published as JSON, and this {type(value).__name__} cannot be: "
                f"{error}."
            ) from None


def _check_class(cls: object, name: str) -> None:
    if not isinstance(cls, type) or not issubclass(cls, VideoModel) or cls is VideoModel:
        what = f"class {cls.__qualname__}" if isinstance(cls, type) else f"a {type(cls).__name__}"
        raise ModelDefinitionError(
            f"@model(name={name!r}) decorates {what}, which is not a subclass of VideoModel. "
            f"Write `class MyModel(VideoModel):` below it."
        )
    if is_model(cls):
        raise ModelDefinitionError(
            f"{cls.__qualname__} is decorated with @model twice, as {spec_of(cls).name!r} and as {name!r}. "
            f"Keep one."
        )
