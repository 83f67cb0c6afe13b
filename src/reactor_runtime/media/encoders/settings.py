"""What an author and an operator may ask of an encoder."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EncoderChoice(StrEnum):
    """Which H.264 encoder serves; VP8 is always libvpx's."""

    AUTO = "auto"
    """x264."""
    X264 = "x264"
    NVENC = "nvenc"
    VP8 = "vp8"
    """No H.264 at all: every client gets VP8."""


class Quality(StrEnum):
    """How much of the processor a picture may cost."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


@dataclass(frozen=True)
class EncoderSettings:
    """For one track. `bitrate` in bits/s, 0 for what suits the size: what it is to have when every network
    carries it, an encoder may be opened with less. `keyframe_interval` in seconds, 0 for on request only."""

    bitrate: int = 0
    keyframe_interval: float = 0.0
    quality: Quality = Quality.FAST
    choice: EncoderChoice = EncoderChoice.AUTO
