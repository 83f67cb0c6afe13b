"""Turn a video model into something people can play with.

Everything an author needs is here. The rooms behind: `authoring` (these names), `session`, `media`,
`transports`, `protocol`, `runtimes`, `project`, `testing`, `cli`; docs/ says what each is for.
"""

from reactor_runtime.authoring.command import command
from reactor_runtime.authoring.context import get_ctx
from reactor_runtime.authoring.decorator import model
from reactor_runtime.authoring.media import MediaBundle, TrackData, TrackDirection, TrackKind
from reactor_runtime.authoring.message import message
from reactor_runtime.authoring.model import VideoModel
from reactor_runtime.authoring.tracks import (
    AudioIn,
    AudioOut,
    InputTrack,
    OutputTrack,
    Track,
    VideoIn,
    VideoOut,
)
from reactor_runtime.authoring.uploads import UploadedFile

from ._version import __version__
from .errors import CommandError

__all__ = [
    "AudioIn",
    "AudioOut",
    "CommandError",
    "InputTrack",
    "MediaBundle",
    "OutputTrack",
    "Track",
    "TrackData",
    "TrackDirection",
    "TrackKind",
    "UploadedFile",
    "VideoIn",
    "VideoModel",
    "VideoOut",
    "__version__",
    "command",
    "get_ctx",
    "message",
    "model",
]

# The rooms may be rebuilt; what an author sees in a traceback, a repr or a pickle is the name they imported.
for _name in __all__:
    if not _name.startswith("__"):
        globals()[_name].__module__ = __name__
del _name
