"""One author's folder, ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from reactor_runtime.authoring.model import VideoModel
    from reactor_runtime.authoring.ports import WeightsSource

    from .config import EffectiveConfig


@dataclass(frozen=True)
class Project:
    """What discovery, configuration and the weights search found."""

    path: Path
    model_class: type[VideoModel]
    config: Any
    """What `__init__` is given: an OmegaConf DictConfig, or an instance of `@model(config=…)`'s class."""
    weights: WeightsSource
    effective: EffectiveConfig | None = None
    """The configuration with the origin of each value, where it was loaded from files and overrides."""

    def resolved_config(self) -> dict[str, Any]:
        """The configuration as JSON for operators; values of the environment are masked."""
        from .resolved import as_json, resolved_data

        return {} if self.effective is None else dict(as_json(resolved_data(self.effective)))
