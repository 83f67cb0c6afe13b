"""The resolved configuration as plain data, without what came from the environment: for logs and answers."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from . import environment
from .excerpt import shortened

if TYPE_CHECKING:
    from .config import EffectiveConfig

MASK = "***"
"""Stands for a value of the environment."""
UNRESOLVED = "???"
"""Stands for a value that cannot be read; `reactor run --config-help` says why."""
MAX_LOGGED_CHARS = 500

_LIVE = re.compile(r"(?<!\\)\$\{")
_ENV = re.compile(r"(?<!\\)\$\{\s*oc\.env\s*:([^{}$,]+)(,[^{}$]*)?\}")
_MAY_BE_ENV = re.compile(r"oc\.env|\$\{\s*\$\{")
"""An interpolation whose resolver is itself interpolated may read the environment, too."""


def resolved_data(effective: EffectiveConfig) -> dict[str, Any]:
    """Every value, as JSON takes it. What `oc.env` read is `MASK`, also where another value refers to it."""
    raw = OmegaConf.to_container(effective.config, resolve=False)
    copy = OmegaConf.create(_with_masks(raw))
    data = _read(copy)
    assert isinstance(data, dict)
    return data


def as_json(value: Any) -> Any:
    """`resolved_data` as JSON has it: what is none of its kinds, and no finite number, is text."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    plain = value is None or isinstance(value, str | bool | int)
    return value if plain or (isinstance(value, float) and math.isfinite(value)) else str(value)


def summary(effective: EffectiveConfig) -> str:
    """`resolved_data` on one line of the log."""
    text = json.dumps(resolved_data(effective), ensure_ascii=False, default=str)
    return shortened(text, MAX_LOGGED_CHARS)


def _with_masks(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _with_masks(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_masks(item) for item in node]
    if not isinstance(node, str) or not _LIVE.search(node):
        return node
    masked = _ENV.sub(_mask, node)
    unset = _ENV.sub("", masked)
    return MASK if _MAY_BE_ENV.search(unset) else masked


def _mask(found: re.Match[str]) -> str:
    """A variable that is not set gives its default, which is no secret of the environment."""
    unset = found[2] is not None and not environment.is_set(found[1].strip().strip("'\""))
    return found[0] if unset else MASK


def _read(node: DictConfig | ListConfig) -> Any:
    if isinstance(node, DictConfig):
        return {str(key): _value(node, key) for key in node}
    return [_value(node, index) for index in range(len(node))]


def _value(holder: Any, key: Any) -> Any:
    try:
        if OmegaConf.is_missing(holder, key):
            return UNRESOLVED
        value = holder[key]
        return _read(value) if OmegaConf.is_config(value) else value
    except (OmegaConfBaseException, RecursionError):
        # A mask is no number: what is computed from it is hidden too.
        raw: Any = OmegaConf.to_container(holder, resolve=False)
        return MASK if MASK in str(raw[key]) else UNRESOLVED
