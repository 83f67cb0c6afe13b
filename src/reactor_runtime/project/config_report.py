"""The effective configuration as a table: key, value, where it came from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from .config import FLAG, EffectiveConfig


def report(effective: EffectiveConfig) -> tuple[str, list[str]]:
    """The table, and one sentence for each value that cannot be resolved."""
    problems: list[str] = []
    rows: list[tuple[str, str, str]] = []
    for key, holder, name in _leaves(effective.config, ""):
        origin = _origin(effective.origins, key)
        try:
            value = _as_text(_resolved(holder, name))
        except (OmegaConfBaseException, RecursionError) as error:
            value = "cannot be resolved"
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            problems.append(f"{key} ({origin}) cannot be resolved: {reason}.")
        rows.append((f"{FLAG}{key}", value, origin))
    if not rows:
        return "The configuration is empty.", problems
    return _table(rows), problems


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
    value = holder[name]
    if OmegaConf.is_config(value):
        return OmegaConf.to_container(value, resolve=True, throw_on_missing=True)
    return value


def _as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _origin(origins: dict[str, str], key: str) -> str:
    while key not in origins and "." in key:
        key = key.rpartition(".")[0]
    return origins.get(key, "")


def _table(rows: list[tuple[str, str, str]]) -> str:
    keys = max(len(key) for key, _, _ in rows)
    values = min(max(len(value) for _, value, _ in rows), 40)
    return "\n".join(f"{key:<{keys}}  {value:<{values}}  {origin}" for key, value, origin in rows)
