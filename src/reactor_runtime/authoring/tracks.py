"""Tracks: class attributes that say which media a model sends and receives.

A declared track belongs to the class and never changes. For each session the runtime makes copies with
`bind`; all state of a session is behind the port of such a copy.
"""

from __future__ import annotations

import copy
import math
import operator
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

from reactor_runtime.errors import ModelDefinitionError, NoSessionError, TrackDirectionError, TrackError

from . import active
from .media import TrackDirection, TrackInfo, TrackKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from .ports import InputSource, OutputSink

DEFAULT_AUDIO_RATE = 48_000
MAX_VIDEO_RATE = 1_000
MIN_VIDEO_BITRATE = 50_000
MAX_VIDEO_BITRATE = 100_000_000
MAX_KEYFRAME_INTERVAL = 600
VIDEO_QUALITIES = ("fast", "balanced", "best")
MIN_AUDIO_RATE = 1_000
MAX_AUDIO_RATE = 384_000


class Track:
    """A named stream of video or audio. Declare one of `VideoOut`, `AudioOut`, `VideoIn`, `AudioIn`.

    `rate` is frames or samples a second (0: undeclared), `channels` is 0 for video, `name` is the attribute's
    name. All methods may be called from any thread of the session.
    """

    kind: TrackKind
    direction: TrackDirection

    def __init__(self, *, rate: float = 0, channels: int = 0, default: bool = False) -> None:
        if not isinstance(self, VideoOut | AudioOut | VideoIn | AudioIn):
            raise ModelDefinitionError(
                f"{type(self).__name__} says nothing about kind and direction. "
                f"Declare VideoOut(), AudioOut(), VideoIn() or AudioIn()."
            )
        if not isinstance(default, bool):
            raise ModelDefinitionError(f"{type(self).__name__}(default={default!r}): give True or False.")
        self.name = ""
        self.rate = rate
        self.channels = channels
        self.default = default
        self._declared = self
        self._ended = False

    def __set_name__(self, owner: type, name: str) -> None:
        # A second name for one object (`a = b = VideoOut()`) is reported by tracks_of: Python would wrap an
        # error raised here.
        self.name = self.name or name

    def __get__(self, instance: object | None, owner: type | None = None) -> Self:
        """On an instance, during a session: this session's track. Otherwise the declaration."""
        context = active.current_or_none() if instance is not None else None
        if context is not None:
            bound = context.tracks.get(self.name)
            if bound is not None and bound._declared is self:
                return cast("Self", bound)
        return self

    def __repr__(self) -> str:
        facts = [repr(self.name)] if self.name else []
        facts += [f"rate={self.rate:g}"] if self.rate else []
        facts += [f"channels={self.channels}"] if self.channels else []
        facts += ["default=True"] if self.default else []
        return f"{type(self).__name__}({', '.join(facts)})"

    @property
    def is_implicit(self) -> bool:
        """Whether this is the `main_video` of a model that declares no track."""
        return self._declared is IMPLICIT_TRACK

    def to_info(self) -> TrackInfo:
        return TrackInfo(self.name, self.kind, float(self.rate), self.direction)

    def release(self) -> None:
        """Cut a session's track off; the runtime does so when the session has ended."""
        self._ended = True

    def emit(self, frame: Any = None, bucket: int | None = None) -> None:
        """Send media to the client. Output tracks only; see `OutputTrack.emit`."""
        self._refuse("emit()", "only output tracks can emit")

    async def emit_async(self, frame: Any = None, bucket: int | None = None) -> None:
        """`emit` for `async def start_session`: see `OutputTrack.emit_async`."""
        self._refuse("emit_async()", "only output tracks can emit")

    def latest(self) -> NDArray[Any] | None:
        """The newest media of this track in this session, or None before the first."""
        raise NotImplementedError

    def read(self, n_samples: int, timeout: float | None = None) -> NDArray[np.int16] | None:
        """Take audio in order. Audio inputs only; see `AudioIn.read`."""
        self._refuse("read()", "only an AudioIn track can be read in order; use latest()")

    def _refuse(self, what: str, why: str) -> NoReturn:
        raise TrackDirectionError(f"Track {self.name!r} is {self!r} and has no {what}: {why}.")

    def _copy_for_session(self) -> Self:
        bound = copy.copy(self)
        bound._ended = False
        return bound

    def _unbound(self) -> TrackError | NoSessionError:
        if self._ended:
            return NoSessionError(
                f"Track {self.name!r} belongs to a session that has ended. "
                f"Do not keep tracks between sessions: call get_ctx().get_track({self.name!r}) in each."
            )
        return TrackError(
            f"Track {self.name!r} is not attached to a session: either no session is running in this thread, "
            f"or the model does not declare this track. Use get_ctx().get_track({self.name!r}) in "
            f"start_session."
        )


class OutputTrack(Track):
    """Media from the model to the client."""

    direction = TrackDirection.OUT
    _sink: OutputSink | None = None

    def bind(self, sink: OutputSink) -> Self:
        """A copy for one session, whose frames go to `sink`."""
        bound = self._copy_for_session()
        bound._sink = sink
        return bound

    def release(self) -> None:
        super().release()
        self._sink = None  # a track that the author kept must not keep the session's frames

    def emit(self, frame: Any = None, bucket: int | None = None) -> None:
        """Send `frame` to the client; may block to pace the model.

        Video: ``(H, W, 3)`` or a batch ``(N, H, W, 3)``, uint8 RGB or float in [0, 1]; torch tensors (also
        CHW) and PIL images; None is a black frame. Audio: ``(M,)`` or ``(channels, M)``, int16 or float in
        [-1, 1]; None is silence. The array may be reused after the call. Frames emitted on several tracks
        with the same `bucket` are presented together; without one, the tracks' emits are counted.

        Raises `FrameError` for anything else, and `TrackError` or `NoSessionError` outside a session.
        """
        self._require_sink().emit(self.name, frame, _bucket(bucket))

    async def emit_async(self, frame: Any = None, bucket: int | None = None) -> None:
        """`emit` that lets the event loop go on while it converts the frame and paces the model.

        Await each before the next one; the array may be reused after that. Raises what `emit` does.
        """
        import asyncio  # here: whoever imports the package has not asked for it

        await asyncio.to_thread(self.emit, frame, bucket)

    def latest(self) -> NDArray[Any] | None:
        """The newest array emitted in this session, or None."""
        return self._require_sink().latest(self.name)

    def _require_sink(self) -> OutputSink:
        sink = self._sink
        if sink is None:
            raise self._unbound()
        return sink


class InputTrack(Track):
    """Media from the client to the model."""

    direction = TrackDirection.IN
    _source: InputSource | None = None

    def bind(self, source: InputSource) -> Self:
        """A copy for one session, whose media comes from `source`."""
        bound = self._copy_for_session()
        bound._source = source
        return bound

    def release(self) -> None:
        super().release()
        self._source = None

    def latest(self) -> NDArray[Any] | None:
        """The newest frame ``(H, W, 3)`` uint8 RGB or block ``(channels, M)`` int16, or None before it."""
        return self._require_source().latest(self.name)

    def _require_source(self) -> InputSource:
        source = self._source
        if source is None:
            raise self._unbound()
        return source


class VideoOut(OutputTrack):
    """Video to the client. With `rate` it sees that many distinct frames a second; 0 follows the model.

    `bitrate` in bits a second is an upper bound; 0 takes what suits the size. `keyframe_interval` in seconds
    puts a keyframe at least that often; 0, the default, sends one when a receiver asks, which is cheaper.
    `quality` trades the processor's time for the picture: "fast", "balanced" or "best".
    """

    kind = TrackKind.VIDEO

    def __init__(
        self,
        rate: float = 0,
        default: bool = False,
        *,
        bitrate: int = 0,
        keyframe_interval: float = 0,
        quality: str = "fast",
    ) -> None:
        super().__init__(
            rate=_number("VideoOut", rate, 0, MAX_VIDEO_RATE, "frames a second"), default=default
        )
        if quality not in VIDEO_QUALITIES:
            raise ModelDefinitionError(
                f"VideoOut(quality={quality!r}): give one of {', '.join(map(repr, VIDEO_QUALITIES))}."
            )
        self.quality = quality
        self.bitrate = int(_number("VideoOut", bitrate, 0, MAX_VIDEO_BITRATE, "bits a second", "bitrate"))
        if 0 < self.bitrate < MIN_VIDEO_BITRATE:
            raise ModelDefinitionError(
                f"VideoOut(bitrate={bitrate!r}): below {MIN_VIDEO_BITRATE} bits a second there is no picture."
            )
        self.keyframe_interval = _number(
            "VideoOut", keyframe_interval, 0, MAX_KEYFRAME_INTERVAL, "seconds", "keyframe_interval"
        )


class AudioOut(OutputTrack):
    """Audio to the client: `rate` samples a second, `channels` 1 or 2; resampled to 48 kHz for the wire."""

    kind = TrackKind.AUDIO

    def __init__(self, rate: float = DEFAULT_AUDIO_RATE, channels: int = 1, default: bool = False) -> None:
        super().__init__(
            rate=_audio_rate("AudioOut", rate), channels=_channels("AudioOut", channels), default=default
        )


class VideoIn(InputTrack):
    """Video from the client, such as a webcam."""

    kind = TrackKind.VIDEO

    def __init__(self) -> None:
        super().__init__()


class AudioIn(InputTrack):
    """Audio from the client, such as a microphone, delivered at `rate` with `channels`."""

    kind = TrackKind.AUDIO

    def __init__(self, rate: float = DEFAULT_AUDIO_RATE, channels: int = 1) -> None:
        super().__init__(rate=_audio_rate("AudioIn", rate), channels=_channels("AudioIn", channels))

    def read(self, n_samples: int, timeout: float | None = None) -> NDArray[np.int16] | None:
        """Take the next `n_samples`, ``(channels, n_samples)`` int16; waits for them up to `timeout` seconds.

        With `timeout=None` it waits until they are there or the session ends. None when they did not come.
        """
        if isinstance(n_samples, bool) or not isinstance(n_samples, int) or n_samples < 1:
            raise TrackError(
                f"Track {self.name!r}: read({n_samples!r}) needs a number of samples of 1 or more."
            )
        return self._require_source().read(self.name, n_samples, timeout)


def tracks_of(cls: type) -> dict[str, Track]:
    """The tracks of a model class by name: those of the class itself first, then its bases'.

    A class that declares none has one video output, `main_video`. Raises `ModelDefinitionError`.
    """
    found: dict[str, Track] = {}
    seen: set[str] = set()
    for base in cls.__mro__:
        own = {
            name: value for name, value in vars(base).items() if _declared_track(value) and name not in seen
        }
        _check_own(base, own)
        found |= own
        # A child may switch a base's track off: `webcam = None`.
        seen |= vars(base).keys()
    return found or {IMPLICIT_TRACK.name: IMPLICIT_TRACK}


def default_track(tracks: Mapping[str, Track]) -> Track | None:
    """What `get_track()` without a name means: the one declared default, else the first video output."""
    for track in tracks.values():
        if track.default:
            return track
    for track in tracks.values():
        if isinstance(track, VideoOut):
            return track
    return None


def _declared_track(value: object) -> bool:
    return isinstance(value, Track) and value is not IMPLICIT_TRACK


def _check_own(cls: type, own: dict[str, Track]) -> None:
    for name, track in own.items():
        track.name = track.name or name  # set on the class after its body ran
        if track.name != name:
            raise ModelDefinitionError(
                f"{cls.__qualname__}: {track.name!r} and {name!r} are one and the same "
                f"{type(track).__name__}. Create one for each: `{name} = {type(track).__name__}()`."
            )
    defaults = [name for name, track in own.items() if track.default]
    if len(defaults) > 1:
        raise ModelDefinitionError(
            f"{cls.__qualname__}: {' and '.join(defaults)} are all declared with default=True. Keep one."
        )


def _number(owner: str, value: object, low: float, high: float, unit: str, name: str = "rate") -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ModelDefinitionError(f"{owner}({name}={value!r}): give a number of {unit}.")
    if not low <= value <= high:
        raise ModelDefinitionError(f"{owner}({name}={value!r}): give {unit} from {low} to {high}.")
    return value


def _audio_rate(owner: str, rate: object) -> float:
    number = _number(owner, rate, MIN_AUDIO_RATE, MAX_AUDIO_RATE, "samples a second")
    if number != int(number):
        raise ModelDefinitionError(f"{owner}(rate={rate!r}): give a whole number of samples a second.")
    return int(number)


def _channels(owner: str, channels: int) -> int:
    if type(channels) is not int or channels not in (1, 2):
        raise ModelDefinitionError(f"{owner}(channels={channels!r}): give 1 (mono) or 2 (stereo).")
    return channels


def _bucket(bucket: Any) -> int | None:
    if bucket is None:
        return None
    try:
        return operator.index(bucket)
    except TypeError:
        raise TrackError(f"emit(bucket={bucket!r}): give a whole number, or None.") from None


# What a model has that declares no track. VideoModel carries it, so that `self.main_video` works there too.
IMPLICIT_TRACK = VideoOut()
IMPLICIT_TRACK.name = "main_video"
