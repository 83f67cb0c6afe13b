"""The tracks, under the import path that existing models use."""

from reactor_runtime.authoring.tracks import (
    AudioIn,
    AudioOut,
    InputTrack,
    OutputTrack,
    Track,
    VideoIn,
    VideoOut,
)

__all__ = ["AudioIn", "AudioOut", "InputTrack", "OutputTrack", "Track", "VideoIn", "VideoOut"]
