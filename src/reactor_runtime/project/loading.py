"""From a folder to something that can run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reactor_runtime.authoring.decorator import spec_of

from . import environment
from .config import ConfigFile, EffectiveConfig, load_config
from .discovery import find_model, project_folder
from .project import Project
from .weights import WeightsStore

if TYPE_CHECKING:
    from reactor_runtime.authoring.model import VideoModel


def load_project(
    path: Path,
    config_file: Path | None = None,
    overrides: Sequence[str] = (),
    weights_dir: Path | None = None,
) -> Project:
    """Find the model in the folder `path` and its configuration; construct nothing. Raises `ProjectError`.

    `config_file` is relative to the current folder; `overrides` are ``key=value`` texts.
    """
    model_class = find_model(path)
    effective = effective_config(model_class, config_file, overrides)
    folder = project_folder(path)
    store = WeightsStore(folder, weights_dir or environment.weights_dir())
    return Project(folder, model_class, effective.config, store)


def effective_config(
    model_class: type[VideoModel], config_file: Path | None = None, overrides: Sequence[str] = ()
) -> EffectiveConfig:
    """What the model will be given, with the origin of each value. Raises `ConfigError`."""
    return load_config(_config_file(model_class, config_file), overrides)


def _config_file(model_class: type[VideoModel], config_file: Path | None) -> ConfigFile | None:
    if config_file is not None:
        return ConfigFile(config_file.expanduser(), "--config")
    spec = spec_of(model_class)
    if spec.config is None:
        return None
    return ConfigFile(spec.file.parent / spec.config, f"@model in {spec.file.name}:{spec.line}")
