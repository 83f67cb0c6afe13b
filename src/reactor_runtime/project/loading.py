"""From a folder to something that can run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from reactor_runtime.authoring.spec import spec_of
from reactor_runtime.errors import ConfigError

from . import environment
from .config import ConfigFile, EffectiveConfig, load_config
from .config_report import problems
from .discovery import find_model
from .project import Project
from .resolved import summary
from .target import parse_target
from .typed import as_validated, instance, with_defaults
from .weights import WeightsStore

if TYPE_CHECKING:
    from reactor_runtime.authoring.model import VideoModel

log = logging.getLogger(__name__)


def load_project(
    path: Path,
    config_file: Path | None = None,
    overrides: Sequence[str] = (),
    weights_dir: Path | None = None,
    name: str | None = None,
) -> Project:
    """Find the model at `path` and its configuration; construct nothing. Raises `ProjectError`.

    `name` narrows it down, see `find_model`. `config_file` is relative to the current folder; `overrides`
    are ``key=value`` texts.
    """
    model_class = find_model(path, name)
    given = _given(model_class, config_file, overrides)
    effective = _shown(model_class, given)
    _warn(effective)
    config_type = spec_of(model_class).config_type
    if config_type is None:
        config: Any = effective.config
        for sentence in problems(effective):
            log.warning("%s", sentence)
    else:
        config = instance(config_type, given)
        effective = as_validated(effective, config)
    if effective.config:
        log.info("Configuration: %s", summary(effective))
    folder = parse_target(path, name).folder
    store = WeightsStore(folder, weights_dir or environment.weights_dir())
    return Project(folder, model_class, config, store, effective)


def effective_config(
    model_class: type[VideoModel], config_file: Path | None = None, overrides: Sequence[str] = ()
) -> EffectiveConfig:
    """What the model will be given, with the origin of each value. Raises `ConfigError`."""
    given = _given(model_class, config_file, overrides)
    effective = _shown(model_class, given)
    _warn(effective)
    config_type = spec_of(model_class).config_type
    if config_type is not None:
        try:
            return as_validated(effective, instance(config_type, given))
        except ConfigError:
            return effective  # `check_config` says why; the values are still worth seeing
    return effective


def check_config(
    model_class: type[VideoModel], config_file: Path | None = None, overrides: Sequence[str] = ()
) -> None:
    """Raises `ConfigError` where a declared class would not take the configuration."""
    config_type = spec_of(model_class).config_type
    if config_type is not None:
        instance(config_type, _given(model_class, config_file, overrides))


def config_for(model_class: type[VideoModel], config: Any = None) -> Any:
    """What `__init__` is given, from what a test has at hand: a mapping, or an instance of its class.

    Raises `ConfigError`.
    """
    config_type = spec_of(model_class).config_type
    if config_type is not None and isinstance(config, config_type):
        return config
    if config is not None and not isinstance(config, Mapping | DictConfig):
        raise ConfigError(f"The configuration must be a mapping, not {type(config).__name__}.")
    plain = config if isinstance(config, DictConfig) else OmegaConf.create(dict(config or {}))
    return plain if config_type is None else instance(config_type, EffectiveConfig(plain, {}))


def _given(
    model_class: type[VideoModel], config_file: Path | None, overrides: Sequence[str]
) -> EffectiveConfig:
    return load_config(_config_file(model_class, config_file), overrides)


def _shown(model_class: type[VideoModel], given: EffectiveConfig) -> EffectiveConfig:
    config_type = spec_of(model_class).config_type
    return given if config_type is None else with_defaults(config_type, given)


def _warn(effective: EffectiveConfig) -> None:
    for note in (*effective.notes, *effective.readings):
        log.warning("%s", note)


def _config_file(model_class: type[VideoModel], config_file: Path | None) -> ConfigFile | None:
    if config_file is not None:
        return ConfigFile(environment.without_tilde(config_file), "--config")
    spec = spec_of(model_class)
    if spec.config is None:
        return None
    return ConfigFile(spec.file.parent / spec.config, f"@model in {spec.file.name}:{spec.line}")
