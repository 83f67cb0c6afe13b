"""`VideoModel`, the class that every model extends."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

from reactor_runtime.errors import ModelDefinitionError

from .binding import report_progress, weights_path
from .command import collect_commands
from .message import keep_local_messages
from .progress import checked
from .tracks import IMPLICIT_TRACK, Track, tracks_of

if TYPE_CHECKING:
    from pathlib import Path

    from .media import MediaBundle

# What the runtime calls, with the arguments it gives besides `self`.
_HOOKS = {"start_session": (), "on_media": ("bundle",), "warmup": (), "reset": ()}


class VideoModel:
    """A real-time video model. Extend it, decorate the class with `@model`, and write `start_session`.

    `__init__(self, config)`, `warmup`, `start_session` and `reset` run on one long-lived thread, commands on
    another, `on_media` on a third.
    """

    main_video = IMPLICIT_TRACK

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Check the class while its body runs, so that the author's own line is in the traceback."""
        super().__init_subclass__(**kwargs)
        _check_track_names(cls)
        _check_hooks(cls)
        tracks_of(cls)
        # Annotations that are strings may name what is local to the function that defines the class.
        collect_commands(cls, sys._getframe(1).f_locals)
        keep_local_messages(cls, sys._getframe(1).f_locals)

    @classmethod
    def weights(cls, name: str) -> Path:
        """The folder of the weights `name`, which the decorator must list. Raises `WeightsError`.

        Valid from `__init__` on, on `VideoModel` itself as on the model's class. May download: it blocks.
        """
        return weights_path(cls, name)

    @classmethod
    def progress(cls, share: float | None, message: str = "") -> None:
        """Tell who waits how far loading is: `share` from 0 to 1 or None where nobody knows, and a sentence.

        For `__init__`, `warmup` and threads they start; elsewhere it has no effect. Raises `ProgressError`.
        """
        report_progress(cls, checked(share, message))

    def warmup(self) -> None:
        """Run once after `__init__` and before the model is ready: compile, capture graphs, a dummy block."""

    def start_session(self) -> Any:
        """The generation loop, once per user. Returning ends the session. May be an `async def`."""
        raise NotImplementedError(f"{type(self).__qualname__} has no start_session.")

    def on_media(self, bundle: MediaBundle) -> None:
        """Every inbound frame, in order, on the media thread."""

    def reset(self) -> None:
        """Run after every session, on the model thread: forget this user, keep the weights."""


def _check_hooks(cls: type) -> None:
    for name, arguments in _HOOKS.items():
        hook = vars(cls).get(name)
        if hook is None:
            continue
        where = f"{cls.__qualname__}.{name}"
        if not inspect.isfunction(hook):
            raise ModelDefinitionError(
                f"{where} is {type(hook).__name__}, not a method: write `def {name}(self…)`."
            )
        _check_hook_kind(where, name, hook)
        try:
            inspect.signature(hook).bind(None, *arguments)
        except TypeError as error:
            wanted = ", ".join(("self", *arguments))
            raise ModelDefinitionError(f"{where} must be `def {name}({wanted})`: {error}.") from None


def _check_hook_kind(where: str, name: str, hook: Any) -> None:
    if inspect.isgeneratorfunction(hook) or inspect.isasyncgenfunction(hook):
        raise ModelDefinitionError(
            f"{where} contains `yield`, so calling it would run nothing. Emit frames with "
            f"get_ctx().get_track().emit(frame) instead."
        )
    if inspect.iscoroutinefunction(hook) and name == "on_media":
        raise ModelDefinitionError(
            f"{where} is `async def`, and the media thread has no event loop: frames must be taken in order. "
            f"Write `def on_media`."
        )


def _check_track_names(cls: type) -> None:
    for name, value in vars(cls).items():
        if isinstance(value, Track) and name != IMPLICIT_TRACK.name and hasattr(VideoModel, name):
            raise ModelDefinitionError(
                f"{cls.__qualname__}: a track cannot be called {name!r}, because VideoModel.{name} is a "
                f"method of every model. Choose another name."
            )
