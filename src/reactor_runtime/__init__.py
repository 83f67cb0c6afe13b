"""Turn a video model into something people can play with.

Everything an author needs is here. The rooms behind: `authoring` (these names), `session`, `media`,
`transports`, `protocol`, `runtimes`, `project`, `testing`, `cli`; docs/ says what each is for.
"""

from ._version import __version__
from .authoring.command import command
from .authoring.context import get_ctx
from .authoring.decorator import model
from .authoring.media import MediaBundle, TrackData, TrackDirection, TrackKind
from .authoring.model import VideoModel
from .authoring.tracks import AudioIn, AudioOut, InputTrack, OutputTrack, Track, VideoIn, VideoOut
from .authoring.uploads import UploadedFile
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
    "model",
]

# The rooms may be rebuilt; what an author sees in a traceback, a repr or a pickle is the name they imported.
for _name in __all__:
    if not _name.startswith("__"):
        globals()[_name].__module__ = __name__
del _name
