"""The model's configuration: one YAML file, and overrides on top of it.

The file is the one the decorator names, or the one ``-c`` puts in its place. Interpolations stay unresolved
until somebody reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from omegaconf import DictConfig, OmegaConf

from .config_file import ConfigFile, read_file
from .excerpt import quoted
from .override import FLAG, apply_override

__all__ = ["FLAG", "ConfigFile", "EffectiveConfig", "load_config"]


@dataclass(frozen=True)
class EffectiveConfig:
    """The merged configuration, and who set each dotted key (``config.yml:3``, ``--model.fps``)."""

    config: DictConfig
    origins: dict[str, str]
    lines: dict[str, str] = field(default_factory=dict)
    """The text of each place in a file."""
    raw: dict[str, str] = field(default_factory=dict)
    """What was typed for a key, where that is one plain word."""
    notes: list[str] = field(default_factory=list)
    """What a person should be told."""
    readings: list[str] = field(default_factory=list)
    """The same, about the type of a value; where a class declares the types, nobody has to be told."""
    types: dict[str, str] = field(default_factory=dict)
    """The type a class declares for a key."""

    def place(self, key: str) -> str:
        """Where `key`, or the nearest one above it, was set; empty for nowhere."""
        while key not in self.origins and "." in key:
            key = key.rpartition(".")[0]
        return self.origins.get(key, "")

    def place_and_text(self, key: str) -> str:
        """The place, with the text of its line where it is in a file."""
        place = self.place(key)
        line = self.lines.get(place, "")
        return f"{place}: {quoted(line)}" if line else place


def load_config(file: ConfigFile | None, overrides: Sequence[str] = ()) -> EffectiveConfig:
    """Raises `ConfigError`. `overrides` are ``key=value``, without the ``--model.`` in front."""
    if file is None:
        loaded = EffectiveConfig(OmegaConf.create({}), {})
    else:
        content = read_file(file)
        loaded = EffectiveConfig(
            content.config, content.origins, content.lines, content.raw, content.notes, content.readings
        )
    known = OmegaConf.to_container(loaded.config, resolve=False)
    for override in overrides:
        apply_override(loaded, known, override)
    return loaded
