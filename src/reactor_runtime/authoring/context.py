"""`get_ctx()`: the author's hold on the running session."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from reactor_runtime.errors import NoSessionError, TrackError

from .active import activate, current, deactivate, use
from .message import declared
from .profiler import Profiler
from .tracks import IMPLICIT_TRACK, Track, default_track

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .ports import SessionPort
    from .uploads import UploadedFile

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
        self._session: SessionPort | None = session
        self._session_id = session.session_id
        self._model_name = session.model_name
        self._seed = session.seed
        self._profiler = Profiler()

    def __repr__(self) -> str:
        state = "ended" if self.ended else "running"
        return f"<Context of session {self.session_id!r} on {self.model_name!r}, {state}>"

    @property
    def ended(self) -> bool:
        """Whether the session is over, and this object with it."""
        return self._session is None

    @property
    def session_id(self) -> str:
        return self._session_id

    @property
    def model_name(self) -> str:
        return self._model_name

    @property
    def seed(self) -> int:
        """The session's seed, 0 to 2³²-1: the one that the client gave, or one that it was told.

        `random`, `numpy.random` and torch are seeded with it already; a generator of your own takes it here.
        """
        return self._seed

    def now(self) -> float:
        """The session's clock: seconds since `start_session` began. Where time is virtual, so is this."""
        return self._require_session("now()").now()

    @property
    def connected(self) -> bool:
        """False while no client is attached, so that a model may pause until one is back."""
        session = self._session
        return session is not None and session.connected

    @property
    def tracks(self) -> Mapping[str, Track]:
        """The tracks of this session by name; none when it has ended."""
        session = self._session
        return session.tracks if session is not None else {}

    def should_stop(self) -> bool:
        """True as soon as the session is to end. Check it in every turn of a loop."""
        session = self._session
        return session is None or session.should_stop()

    def wait_stop(self, timeout: float) -> bool:
        """Sleep up to `timeout` seconds, waking early when the session is to end; then `should_stop()`."""
        session = self._session
        return session is None or session.wait_stop(timeout)

    def get_track(self, name: str | None = None) -> Track:
        """The track `name`, or the default one. Raises `TrackError` when there is no such track."""
        tracks = self._require_session("get_track()").tracks
        track = default_track(tracks) if name is None else tracks.get(name)
        if track is None:
            raise TrackError(_no_such_track(name, tracks))
        return track

    def emit_block(self, frames: Any) -> None:
        """Emit a frame or a batch on the default track; the same as `get_track().emit(frames)`."""
        self.get_track().emit(frames)

    def flush(self) -> int:
        """Drop the pictures and the sound that were emitted and have not left yet, on every track.

        For when the user changes course: what still waits shows the old one. At most one picture follows,
        the one that an encoder has in hand. An `emit` that is held back returns. Returns how many pictures
        were dropped; they are counted as `flushed`.
        """
        return self._require_session("flush()").flush()

    def send(self, data: Any) -> None:
        """Send a JSON message to all clients; what cannot be sent raises `MessageError` here.

        An instance of a class with `@message("progress")` goes out as ``{"type": "progress", …}``.
        """
        self._require_session("send()").send(declared(data))

    def find_upload(self, upload_id: str) -> UploadedFile | None:
        """A file that a client has uploaded. Commands get theirs as arguments; see `UploadedFile`."""
        session = self._session
        return None if session is None else session.find_upload(upload_id)

    def profiler(self) -> Profiler:
        """Times sections of this session's code; see `Profiler`."""
        return self._profiler

    def enable_monitoring(self) -> None:
        """Does nothing. Pacing needs no hint; the call is kept so that existing models run."""

    def disable_monitoring(self) -> None:
        """Does nothing; see `enable_monitoring`."""

    def _end(self) -> None:
        tracks = self.tracks
        self._session = None  # a context that the author kept must not keep the session's frames
        for track in tracks.values():
            track.release()

    def _require_session(self, what: str) -> SessionPort:
        session = self._session
        if session is None:
            raise NoSessionError(
                f"{what} was called on session {self.session_id!r}, which has ended. Do not keep the context "
                f"between sessions: call get_ctx() in each."
            )
        return session


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
