"""What authors write with, in one place; the package's root hands these names on."""

from __future__ import annotations

from .command import command
from .context import get_ctx
from .decorator import model
from .media import MediaBundle, TrackData, TrackDirection, TrackKind
from .message import message
from .model import VideoModel
from .tracks import (
    AudioIn,
    AudioOut,
    InputTrack,
    OutputTrack,
    Track,
    VideoIn,
    VideoOut,
)
from .uploads import UploadedFile

NAMES = (
    AudioIn,
    AudioOut,
    InputTrack,
    MediaBundle,
    OutputTrack,
    Track,
    TrackData,
    TrackDirection,
    TrackKind,
    UploadedFile,
    VideoIn,
    VideoModel,
    VideoOut,
    command,
    get_ctx,
    message,
    model,
)
