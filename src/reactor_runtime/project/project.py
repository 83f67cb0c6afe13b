"""One author's folder, ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from omegaconf import DictConfig

    from reactor_runtime.authoring.model import VideoModel
    from reactor_runtime.authoring.ports import WeightsSource


@dataclass(frozen=True)
class Project:
    """What discovery, configuration and the weights search found."""

    path: Path
    model_class: type[VideoModel]
    config: DictConfig
    weights: WeightsSource
