"""`get_ctx()`: the author's hold on the running session."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from reactor_runtime.errors import NoSessionError, TrackError

from .active import activate, current, deactivate, use
from .profiler import Profiler
from .tracks import IMPLICIT_TRACK, Track, default_track

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .ports import SessionPort

__all__ = ["Context", "activate", "deactivate", "get_ctx", "use"]

_SOUNDS_LIKE_AUDIO = ("mic", "audio", "voice", "speech", "sound")


def get_ctx() -> Context:
    """The session this code runs in.

    Valid in `start_session`, in commands, in `on_media`, in what they call, and on threads they start. Raises
    `NoSessionError`, a RuntimeError, anywhere else, also after the session has ended.
    """
    return current()


class Context:
    """One session, for the author. Every method may be called from any thread of the session."""

    def __init__(self, session: SessionPort) -> None:
        self._session = session
        self._profiler = Profiler()
        self._ended = False

    def __repr__(self) -> str:
        state = "ended" if self._ended else "running"
        return f"<Context of session {self.session_id!r} on {self.model_name!r}, {state}>"

    @property
    def ended(self) -> bool:
        """Whether the session is over, and this object with it."""
        return self._ended

    @property
    def session_id(self) -> str:
        return self._session.session_id

    @property
    def model_name(self) -> str:
        return self._session.model_name

    @property
    def connected(self) -> bool:
        """False while no client is attached, so that a model may pause until one is back."""
        return not self._ended and self._session.connected

    @property
    def tracks(self) -> Mapping[str, Track]:
        """The tracks of this session by name."""
        return self._session.tracks

    def should_stop(self) -> bool:
        """True as soon as the session is to end. Check it in every turn of a loop."""
        return self._ended or self._session.should_stop()

    def wait_stop(self, timeout: float) -> bool:
        """Sleep up to `timeout` seconds, waking early when the session is to end; then `should_stop()`."""
        return self._ended or self._session.wait_stop(timeout)

    def get_track(self, name: str | None = None) -> Track:
        """The track `name`, or the default one. Raises `TrackError` when there is no such track."""
        self._require_running("get_track()")
        track = default_track(self.tracks) if name is None else self.tracks.get(name)
        if track is None:
            raise TrackError(_no_such_track(name, self.tracks))
        return track

    def emit_block(self, frames: Any) -> None:
        """Emit a frame or a batch on the default track; the same as `get_track().emit(frames)`."""
        self.get_track().emit(frames)

    def send(self, data: Any) -> None:
        """Send a JSON message to all clients; what cannot be sent raises `MessageError` here."""
        self._require_running("send()")
        self._session.send(data)

    def profiler(self) -> Profiler:
        """Times sections of this session's code; see `Profiler`."""
        return self._profiler

    def enable_monitoring(self) -> None:
        """Does nothing. Pacing needs no hint; the call is kept so that existing models run."""

    def disable_monitoring(self) -> None:
        """Does nothing; see `enable_monitoring`."""

    def _end(self) -> None:
        self._ended = True
        for track in self.tracks.values():
            track.release()

    def _require_running(self, what: str) -> None:
        if self._ended:
            raise NoSessionError(
                f"{what} was called on session {self.session_id!r}, which has ended. Do not keep the context "
                f"between sessions: call get_ctx() in each."
            )


def _no_such_track(name: str | None, tracks: Mapping[str, Track]) -> str:
    declared = ", ".join(tracks)
    if name is None:
        return (
            f"This model has no video output to be the default track; it has: {declared}. Name the track, as "
            f"in get_track({next(iter(tracks), 'main_video')!r}), or declare one with default=True."
        )
    if not isinstance(name, str):
        return f"get_track({name!r}): give the name of a track as a string. This model has: {declared}."
    close = difflib.get_close_matches(name, tracks, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    line = _line_to_add(name)
    if IMPLICIT_TRACK.name in tracks and tracks[IMPLICIT_TRACK.name].is_implicit:
        line += (
            f" Keep the picture with `{IMPLICIT_TRACK.name} = VideoOut()`, which a model has only while it "
        )
        line += "declares no track."
    return f"This model has no track {name!r}; it has: {declared}.{hint} {line}"


def _line_to_add(name: str) -> str:
    if not name.isidentifier():
        return "A track is declared in the class body, under a name that is a Python identifier."
    kind = "Audio" if any(word in name.lower() for word in _SOUNDS_LIKE_AUDIO) else "Video"
    return (
        f"To receive it from the client, add the line `{name} = {kind}In()` to the body of the model class; "
        f"to send it, `{name} = {kind}Out()`."
    )
