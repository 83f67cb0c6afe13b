"""What `@model` said of a class, read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from reactor_runtime.errors import ModelDefinitionError

if TYPE_CHECKING:
    from .model import VideoModel

ATTRIBUTE = "__reactor_model__"
"""Of a decorated class."""
MAX_NAME_LENGTH = 63


@dataclass(frozen=True)
class ModelSpec:
    """What the decorator said. `file` and `line` are where; `config` is relative to the folder of `file`.

    `config_type` is the class of a typed configuration; then there is no `config`.
    """

    name: str
    config: str | None
    weights: tuple[str, ...]
    metadata: Mapping[str, Any]
    file: Path
    line: int
    config_type: type | None = None
    keep: tuple[str, ...] = ()
    """Attribute paths that the leak audit leaves alone."""


def is_model(value: object) -> TypeGuard[type[VideoModel]]:
    """Whether `value` is a class that carries `@model` itself; a subclass of such a class does not."""
    return isinstance(value, type) and isinstance(vars(value).get(ATTRIBUTE), ModelSpec)


def spec_of(cls: type) -> ModelSpec:
    """What `@model` said about `cls`. Raises `ModelDefinitionError` when `cls` itself was not decorated."""
    if not is_model(cls):
        raise ModelDefinitionError(
            f"{cls.__qualname__} is not decorated with @model. Put @model(name={suggest(cls.__name__)!r}) "
            f"on it."
        )
    spec: ModelSpec = vars(cls)[ATTRIBUTE]
    return spec


def suggest(name: str) -> str:
    """The nearest valid spelling: "Bad Name!" and "BadName" give "bad-name"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
    valid = re.sub(r"[^a-z0-9]+", "-", words)[:MAX_NAME_LENGTH].strip("-")
    return valid or "my-model"
