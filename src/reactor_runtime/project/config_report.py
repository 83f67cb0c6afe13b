"""The effective configuration as a table: key, value, where it came from, type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from .config import FLAG, EffectiveConfig

MAX_VALUE_COLUMN = 40
SECRET, HIDDEN = "Secret", "**********"
"""What the name of a secret's type contains, and what stands for its value, as Pydantic writes it."""


def report(effective: EffectiveConfig) -> tuple[str, list[str]]:
    """The table, and one sentence for each value that cannot be resolved."""
    rows: list[tuple[str, str, str, str]] = []
    for key, holder, name in _leaves(effective.config, ""):
        declared = effective.types.get(key, "")
        try:
            found = HIDDEN if SECRET in declared else _resolved(holder, name)
            value, kind = json.dumps(found, ensure_ascii=False, default=str), _type(found)
        except MissingMandatoryValue:
            value, kind = "must be given", "?"
        except (OmegaConfBaseException, RecursionError):
            value, kind = "cannot be resolved", "?"
        rows.append((f"{FLAG}{key}", value, effective.place(key), declared or kind))
    if not rows:
        return "The configuration is empty.", []
    return _table(rows), problems(effective)


def problems(effective: EffectiveConfig) -> list[str]:
    """One sentence for each value that reading would fail on."""
    sentences: list[str] = []
    for key, holder, name in _leaves(effective.config, ""):
        try:
            _resolved(holder, name)
        except MissingMandatoryValue:
            where = effective.place_and_text(key)
            sentences.append(
                f"{key} ({where}) has no value; give it with {FLAG}{key}=VALUE, or in a YAML file."
            )
        except (OmegaConfBaseException, RecursionError) as error:
            where = effective.place_and_text(key)
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            sentences.append(f"{key} ({where}) cannot be resolved: {reason}; {_advice(error)}.")
    return sentences


def _advice(error: Exception) -> str:
    if "Environment variable" in str(error):
        return "set the variable, or give a default: ${oc.env:NAME,default}"
    return "correct the reference"


def _leaves(config: DictConfig, prefix: str) -> Iterator[tuple[str, DictConfig, Any]]:
    name: Any
    for name in config:
        key = f"{prefix}{name}"
        if not OmegaConf.is_interpolation(config, name) and not OmegaConf.is_missing(config, name):
            value = config[name]
            if isinstance(value, DictConfig) and len(value):
                yield from _leaves(value, f"{key}.")
                continue
        yield key, config, name


def _resolved(holder: DictConfig, name: Any) -> Any:
    if OmegaConf.is_missing(holder, name):
        return holder[name]  # raises
    value = holder[name]
    if OmegaConf.is_config(value):
        return OmegaConf.to_container(value, resolve=True, throw_on_missing=True)
    return value


def _type(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    widths[1] = min(widths[1], MAX_VALUE_COLUMN)
    return "\n".join(
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row[:3], widths, strict=True)), row[3]])
        for row in rows
    )
