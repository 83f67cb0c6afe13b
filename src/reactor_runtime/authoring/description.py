"""A model as data: made once, where the class is, and read by everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .capabilities import capabilities
from .command import CommandSpec, commands_of
from .message import MessageSpec, messages_of
from .spec import spec_of
from .tracks import Track, tracks_of

if TYPE_CHECKING:
    from .model import VideoModel


class Shown(NamedTuple):
    """What clients saw on a track."""

    height: int
    width: int
    codecs: frozenset[str]


@dataclass(frozen=True)
class ModelDescription:
    """What a model is called, takes and gives."""

    name: str
    tracks: Mapping[str, Track]
    """By name, in the order of their declaration; unbound."""
    commands: Mapping[str, CommandSpec]
    capabilities: Mapping[str, Any]
    """As clients of 1.7 read them."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    messages: Mapping[str, MessageSpec] = field(default_factory=dict)
    """Those that are declared; a model may send others."""
    last_shown: dict[str, Shown] = field(default_factory=dict, compare=False)
    """What each track showed in the last session that anybody watched: learnt, so that the next one knows
    which encoders it will need before its first client is there."""

    @cached_property
    def command_names(self) -> frozenset[str]:
        return frozenset(self.commands)


def describe(model_class: type[VideoModel]) -> ModelDescription:
    """Raises `ModelDefinitionError` when the class is no model."""
    spec = spec_of(model_class)
    return ModelDescription(
        spec.name,
        MappingProxyType(dict(tracks_of(model_class))),
        MappingProxyType(dict(commands_of(model_class))),
        capabilities(model_class),
        MappingProxyType(dict(spec.metadata)),
        MappingProxyType(messages_of(model_class)),
    )
