"""One session and everything that must die with it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reactor_runtime.authoring.media import TrackDirection, TrackKind
from reactor_runtime.authoring.tracks import (
    InputTrack,
    OutputTrack,
    Track,
    VideoOut,
    default_track,
)
from reactor_runtime.clock import WALL, Clock
from reactor_runtime.media.encoders import EncoderChoice, EncoderSettings, Quality
from reactor_runtime.media.inputs import InputBuffers
from reactor_runtime.media.plane import MediaPlane, VideoTrackConfig
from reactor_runtime.media.sound import AudioTrackConfig, Sound
from reactor_runtime.protocol.jsonable import to_json
from reactor_runtime.session.audit.given import Given
from reactor_runtime.session.audit.seeds import SEED_LIMIT
from reactor_runtime.session.losses import Losses
from reactor_runtime.session.observers import NOBODY, Observers
from reactor_runtime.session.outbox import Outbox
from reactor_runtime.session.sent import SentCounts
from reactor_runtime.session.uploads import Uploads

if TYPE_CHECKING:
    from reactor_runtime.authoring.description import ModelDescription
    from reactor_runtime.authoring.uploads import UploadedFile


class Session:
    """State of one visit (`SessionPort`, `OutputSink`). Author threads call it; so does the event loop."""

    def __init__(
        self,
        number: int,
        session_id: str,
        model: ModelDescription,
        wake: Callable[[Session], None],
        encoder: EncoderChoice = EncoderChoice.AUTO,
        max_upload: int = 0,
        observers: Observers = NOBODY,
        clock: Clock = WALL,
        seed: int | None = None,
    ) -> None:
        """`max_upload` bounds the files that clients send, in MiB. Without a `seed` one is drawn. `clock`
        gives the author's time in seconds, from any beginning."""
        self.number = number
        self.clock = clock
        # A live model is held by playout alone; its `emit` is spared the question.
        self._end_step = None if clock is WALL else clock.end_step
        self.seed = secrets.randbelow(SEED_LIMIT) if seed is None else seed
        self._began: float | None = None
        self.started = clock.time()
        self.session_id = session_id
        self.owner = ""
        """The subject of the token that started it; empty until that is known."""
        self.model_name = model.name
        self.stopping = threading.Event()
        self.entered = threading.Event()
        """Set when `start_session` is about to be called, or never will be: commands wait for it."""
        self.outbox = Outbox(lambda: wake(self))
        self.lost = Losses()
        self.sent = SentCounts()
        self.observers = observers
        self._message_sent = observers.teller("message_sent")
        self.uploads = Uploads(max_upload)
        self.given = Given()
        declared = model.tracks
        video = [t for t in declared.values() if isinstance(t, OutputTrack) and t.kind is TrackKind.VIDEO]
        self._default = default_track(declared)
        self.inputs = InputBuffers(self.stopping.is_set, _audio_inputs(declared))
        self.sound = Sound(_audio_outputs(declared), clock, seen=observers.teller("audio_block"))
        self.plane = MediaPlane(
            {t.name: VideoTrackConfig(t.name, float(t.rate), _settings(t, encoder)) for t in video},
            _playout_rate(self._default, video),
            self.sound,
            observers.teller("frame_encoded"),
            clock,
        )
        self._connected = threading.Event()
        self._tracks = {name: self._bind(track) for name, track in declared.items()}

    @property
    def tracks(self) -> Mapping[str, Track]:
        return self._tracks

    @property
    def connected(self) -> bool:
        return self._connected.is_set()

    def set_connected(self, connected: bool) -> None:
        """Whether some client is attached; the model reads it as `get_ctx().connected`."""
        if connected:
            self._connected.set()
        else:
            self._connected.clear()

    def enter(self) -> None:
        """`start_session` is about to be called."""
        self.plane.begin()
        self._began = self.clock.time()
        self.entered.set()

    def should_stop(self) -> bool:
        return self.stopping.is_set()

    def wait_stop(self, timeout: float) -> bool:
        return self.clock.wait_event(self.stopping, timeout)

    def now(self) -> float:
        """Seconds since `start_session` began, on the author's clock."""
        return 0.0 if self._began is None else self.clock.time() - self._began

    def send(self, data: Any) -> None:
        text = to_json(data)
        self.outbox.put(text)
        if self._message_sent is not None:
            self._message_sent(text)

    def find_upload(self, upload_id: str) -> UploadedFile | None:
        return self.uploads.find(upload_id)

    def emit(self, name: str, frame: Any, bucket: int | None) -> None:
        if self._tracks[name].kind is TrackKind.AUDIO:
            self.sound.emit(name, frame, bucket)
        else:
            self.plane.emit(name, frame, bucket)
        if self._end_step is not None and name == self.default_track:
            self._end_step(self.next_frame())

    def latest(self, name: str) -> Any:
        if self._tracks[name].kind is TrackKind.AUDIO:
            return self.sound.latest(name)
        return self.plane.latest(name)

    def flush(self) -> int:
        """Drop pictures and sound that have not left; returns how many pictures that were."""
        gone = self.plane.flush()
        self.sound.flush()
        return gone

    def drain(self, timeout: float) -> bool:
        """Wait until the last pictures and sounds are with the engine; False after `timeout` seconds."""
        deadline = self.clock.time() + timeout
        drained = self.plane.drain(timeout)
        return self.sound.drain(max(0.0, deadline - self.clock.time())) and drained

    def stop(self) -> None:
        """Make `should_stop()` true and hold nobody back in `emit` any more."""
        self.stopping.set()
        self.plane.release()
        self.sound.release()
        self.inputs.wake()

    @property
    def default_track(self) -> str | None:
        """The name of the default output track."""
        return None if self._default is None else self._default.name

    def next_frame(self) -> int:
        """The index, on the default output track, of the next frame that the model emits."""
        track = self._default
        if track is None or track.kind is not TrackKind.VIDEO or track.direction is not TrackDirection.OUT:
            return 0
        return self.plane.next_index(track.name)

    def losses(self) -> dict[str, int]:
        """What was dropped so far, by place."""
        return {
            "flushed": self.plane.playout.counters.flushed
            + sum(encoding.counters.flushed for encoding in self.plane.encodings),
            "playout": self.plane.playout.counters.dropped,
            "encoder": sum(encoding.counters.dropped for encoding in self.plane.encodings),
            "messages": self.outbox.dropped,
            **self.lost.counts(),
            "audio_in": self.inputs.dropped_samples,
            "audio_out": self.sound.dropped,
            "observers": self.observers.untold,
        }

    def silences(self) -> dict[str, float]:
        """Seconds of silence that the runtime put where the model or the client gave no sound."""
        return {"out": self.sound.silence_s, "in": self.inputs.silence_s}

    def close(self) -> None:
        """Let go of everything; what was not sent by now is lost."""
        self.stop()
        self.entered.set()
        self.outbox.close()
        self.plane.close()
        self.sound.close()
        self.inputs.clear()
        self.uploads.close()

    def _bind(self, track: Track) -> Track:
        if isinstance(track, OutputTrack):
            return track.bind(self)
        if isinstance(track, InputTrack):
            return track.bind(self.inputs)
        raise TypeError(f"{track!r} is neither an input nor an output")


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
