"""The model's configuration: one YAML file, and overrides on top of it.

The file is the one the decorator names, or the one ``-c`` puts in its place. Overrides are ``key=value``
texts with OmegaConf's dotlist meaning. Interpolations stay unresolved until somebody reads them.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]  # OmegaConf's own parser; it ships no types
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from reactor_runtime.errors import ConfigError

FLAG = "--model."
_KEY = re.compile(r"[^\s.\[\]=]+(?:\.[^\s.\[\]=]+|\[[^\s.\[\]=]+\])*")


@dataclass(frozen=True)
class EffectiveConfig:
    """The merged configuration, and who set each dotted key (``config.yml:3``, ``--model.fps``)."""

    config: DictConfig
    origins: dict[str, str]


@dataclass(frozen=True)
class ConfigFile:
    """A YAML file, and who asked for it, so that a missing one can be traced."""

    path: Path
    named_by: str


def load_config(file: ConfigFile | None, overrides: Sequence[str] = ()) -> EffectiveConfig:
    """Raises `ConfigError`. `overrides` are ``key=value``, without the ``--model.`` in front."""
    loaded = EffectiveConfig(OmegaConf.create({}), {}) if file is None else read_file(file)
    for override in overrides:
        _apply(loaded, override)
    return loaded


def read_file(file: ConfigFile) -> EffectiveConfig:
    """One YAML file as configuration. Raises `ConfigError`, and nothing else."""
    shown = _shown(file.path)
    text = _text(file, shown)
    origins: dict[str, str] = {}
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None or root.tag == "tag:yaml.org,2002:null":
            return EffectiveConfig(OmegaConf.create({}), origins)
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError(
                f"{shown}:{root.start_mark.line + 1}: the file must hold `key: value` pairs at the top, "
                f"not {_kind(root)}; put it under a key."
            )
        origins.update((key, f"{shown}:{line}") for key, line in _lines(root, ""))
        config = OmegaConf.load(io.StringIO(text))
    except ConfigError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
        raise ConfigError(f"{where}: {_first_line(error)}; correct the file there.") from error
    except OmegaConfBaseException as error:
        where = origins.get(str(error.full_key), shown)
        raise ConfigError(f"{where}: {_first_line(error)}; correct the file there.") from error
    except RecursionError as error:
        raise ConfigError(f"{shown}: the values are nested too deeply; make the file flatter.") from error
    except Exception as error:
        raise ConfigError(f"{shown}: {_first_line(error)}; correct the file.") from error
    assert isinstance(config, DictConfig)
    return EffectiveConfig(config, origins)


def _text(file: ConfigFile, shown: str) -> str:
    try:
        return file.path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{file.named_by} names the configuration file {shown}, which does not exist; "
            "create it or correct the name."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{shown} is not UTF-8 text, so it cannot be a YAML file; {file.named_by} names it."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{file.named_by} names the configuration file {shown}, which cannot be read: "
            f"{error.strerror or error}; correct the name or its permissions."
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"{file.named_by} names a configuration file with an impossible name: {error}."
        ) from error


def _lines(node: Any, prefix: str) -> Iterator[tuple[str, int]]:
    """(dotted key, line) of every key below a YAML mapping, which may contain itself."""
    pending: list[tuple[Any, str, tuple[int, ...]]] = [(node, prefix, ())]
    while pending:
        mapping, path, above = pending.pop()
        for key, value in mapping.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            dotted = f"{path}{key.value}"
            yield dotted, key.start_mark.line + 1
            if isinstance(value, yaml.MappingNode) and id(value) not in above:
                pending.append((value, f"{dotted}.", (*above, id(mapping))))


def _apply(loaded: EffectiveConfig, override: str) -> None:
    key, equals, text = override.partition("=")
    flag = f"{FLAG}{key}"
    if not equals or not _KEY.fullmatch(key):
        raise ConfigError(
            f"{FLAG}{override} is no override; write {FLAG}key=value, with dots between nested keys."
        )
    row = _check_path(loaded, re.split(r"\]\.|[.\[\]]", key.rstrip("]")), flag)
    try:
        parsed: Any = OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]), resolve=False)
    except Exception as error:
        raise ConfigError(
            f"{flag}: its value is not valid YAML ({_first_line(error)}); "
            f"quote text that holds special characters: {flag}='\"text\"'."
        ) from error
    try:
        loaded.config.merge_with_dotlist([override])
    except Exception as error:
        raise ConfigError(
            f"{flag} cannot be set: {_first_line(error)}; look at `reactor run --config-help`."
        ) from error
    _record(loaded.origins, row, parsed["value"], flag)


def _check_path(loaded: EffectiveConfig, keys: list[str], flag: str) -> str:
    """Refuse a path through a scalar or past the end of a list. Returns the path down to the first list."""
    node: Any = OmegaConf.to_container(loaded.config, resolve=False)
    row: list[str] = []
    for depth, key in enumerate(keys):
        parent = ".".join(keys[:depth])
        if isinstance(node, dict):
            if len(row) == depth:
                row.append(key)
            node = node.get(key)
        elif isinstance(node, list):
            if not (key.isascii() and key.isdigit() and int(key) < len(node)):
                raise ConfigError(
                    f"{flag}: {parent} is a list with {len(node)} items, counted from 0; {key} is not one."
                )
            node = node[int(key)]
        elif node is None:
            row.extend(keys[depth:])
            break
        elif isinstance(node, str) and node.startswith("${"):
            break
        else:
            raise ConfigError(
                f"{flag}: {parent} is {node!r} ({loaded.origins.get(parent, 'set above')}), "
                f"which has no keys inside; set {FLAG}{parent} itself."
            )
    return ".".join(row)


def _record(origins: dict[str, str], row: str, value: Any, flag: str) -> None:
    origins[row] = flag
    if isinstance(value, dict):  # merged: what it does not name keeps its origin
        for key, inner in value.items():
            _record(origins, f"{row}.{key}", inner, flag)
        return
    for key in [key for key in origins if key.startswith(f"{row}.")]:
        del origins[key]


def _shown(path: Path) -> str:
    """The path as a person in the current folder would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _kind(node: Any) -> str:
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    if isinstance(error, yaml.MarkedYAMLError):
        lines = [str(error.problem or error.context)]
    return lines[0].strip().rstrip(".") if lines else type(error).__name__
