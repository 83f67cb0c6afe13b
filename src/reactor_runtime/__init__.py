"""Turn a video model into something people can play with.

Everything an author needs is here. The rooms behind: `authoring` (these names), `session`, `media`,
`transports`, `protocol`, `runtimes`, `project`, `testing`, `cli`; docs/ says what each is for.
"""

import typing as _typing

from ._version import __version__
from .errors import CommandError

if _typing.TYPE_CHECKING:
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


def __getattr__(name: str) -> _typing.Any:
    """An author's first name brings all of them. `reactor --help` asks for none, and is spared pydantic."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .authoring import names

    for each in names.NAMES:
        globals()[each.__name__] = each
    _call_by_our_name()
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _call_by_our_name() -> None:
    """The rooms may be rebuilt; what tracebacks, reprs and pickles show is the name that was imported."""
    for name in __all__:
        if not name.startswith("__") and name in globals():
            globals()[name].__module__ = __name__


_call_by_our_name()
