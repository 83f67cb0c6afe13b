"""The media of one visit: what carries the tracks that a model declares. Any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reactor_runtime.authoring.description import Shown
from reactor_runtime.authoring.media import TrackDirection, TrackKind
from reactor_runtime.authoring.tracks import OutputTrack, Track, VideoOut, default_track
from reactor_runtime.clock import WALL, Clock
from reactor_runtime.media.encoders import EncoderChoice, EncoderSettings, Quality
from reactor_runtime.media.inputs import InputBuffers
from reactor_runtime.media.plane import MediaPlane, VideoTrackConfig
from reactor_runtime.media.sound import AudioTrackConfig, Sound

if TYPE_CHECKING:
    from .observers import Observers


class SessionMedia:
    """Pictures (`plane`) and `sound` that go out, and `inputs` that come in."""

    def __init__(
        self,
        declared: Mapping[str, Track],
        encoder: EncoderChoice,
        stopping: Callable[[], bool],
        observers: Observers,
        clock: Clock,
        last_shown: dict[str, Shown],
    ) -> None:
        """`last_shown` is what the last session's tracks showed; see `MediaPlane`."""
        video = [t for t in declared.values() if isinstance(t, OutputTrack) and t.kind is TrackKind.VIDEO]
        default = default_track(declared)
        self.default_track = None if default is None else default.name
        """The name of the default output track."""
        self.inputs = InputBuffers(stopping, _audio_inputs(declared))
        self.sound = Sound(_audio_outputs(declared), clock, seen=observers.teller("audio_block"))
        self.plane = MediaPlane(
            {t.name: VideoTrackConfig(t.name, float(t.rate), _settings(t, encoder)) for t in video},
            _playout_rate(default, video),
            self.sound,
            observers.teller("frame_encoded"),
            clock,
            last_shown,
        )
        self._pictures = frozenset(track.name for track in video)
        self._clock = clock
        # A live model is held by playout alone; its `emit` is spared the question.
        self._end_step = None if clock is WALL else clock.end_step

    def emit(self, name: str, frame: Any, bucket: int | None) -> None:
        if name in self._pictures:
            self.plane.emit(name, frame, bucket)
        else:
            self.sound.emit(name, frame, bucket)
        if self._end_step is not None and name == self.default_track:
            self._end_step(self.next_frame())

    def latest(self, name: str) -> Any:
        return self.plane.latest(name) if name in self._pictures else self.sound.latest(name)

    def next_frame(self) -> int:
        """The index, on the default output track, of the next frame that the model emits."""
        track = self.default_track
        return self.plane.next_index(track) if track is not None and track in self._pictures else 0

    def flush(self) -> int:
        """Drop pictures and sound that have not left; returns how many pictures that were."""
        gone = self.plane.flush()
        self.sound.flush()
        return gone

    def drain(self, timeout: float) -> bool:
        """Wait until the last pictures and sounds are with the engine; False after `timeout` seconds."""
        deadline = self._clock.time() + timeout
        drained = self.plane.drain(timeout)
        return self.sound.drain(max(0.0, deadline - self._clock.time())) and drained

    def release(self) -> None:
        """The session is to end: nobody is held back in `emit` or `read` any more."""
        self.plane.release()
        self.sound.release()
        self.inputs.wake()

    def losses(self) -> dict[str, int]:
        """What was dropped so far, by place."""
        played, encoded = self.plane.playout.counters, self.plane.encoded()
        return {
            "flushed": played.flushed + encoded.flushed,
            "playout": played.dropped,
            "encoder": encoded.dropped,
            "audio_in": self.inputs.dropped_samples,
            "audio_out": self.sound.dropped,
        }

    def silences(self) -> dict[str, float]:
        """Seconds of silence that the runtime put where the model or the client gave no sound."""
        return {"out": self.sound.silence_s, "in": self.inputs.silence_s}

    def close(self) -> None:
        """Let go of everything; what was not sent by now is lost."""
        self.plane.close()
        self.sound.close()
        self.inputs.clear()


def _settings(track: OutputTrack, choice: EncoderChoice) -> EncoderSettings:
    if not isinstance(track, VideoOut):
        return EncoderSettings(choice=choice)
    return EncoderSettings(track.bitrate, track.keyframe_interval, Quality(track.quality), choice)


def _playout_rate(default: Track | None, video: list[OutputTrack]) -> float:
    """The rate of the whole step: that of the default track, else of the first that declares one."""
    if default is not None and default.kind is TrackKind.VIDEO and default.rate:
        return float(default.rate)
    return next((float(track.rate) for track in video if track.rate), 0.0)


def _audio_outputs(declared: Mapping[str, Track]) -> dict[str, AudioTrackConfig]:
    return {
        track.name: AudioTrackConfig(track.name, int(track.rate), track.channels)
        for track in declared.values()
        if track.kind is TrackKind.AUDIO and track.direction is TrackDirection.OUT
    }


def _audio_inputs(declared: Mapping[str, Track]) -> dict[str, tuple[int, int]]:
    return {
        track.name: (int(track.rate), track.channels)
        for track in declared.values()
        if track.kind is TrackKind.AUDIO and track.direction is TrackDirection.IN
    }
