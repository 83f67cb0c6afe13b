"""All outgoing media of one session."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reactor_runtime.authoring.description import Shown
from reactor_runtime.clock import WALL, Clock

from .audience import FrameSink
from .encoders import EncoderSettings, VideoCodec, create_encoder
from .encoding import Encoding, EncodingCounters
from .fitting_encoder import FittingEncoder
from .frames import to_rgb_batch
from .i420 import I420Frame, black
from .mending import fitting, resized
from .playout import Playout
from .rgb import Frame, Pools, RgbFrame
from .sync import Picture
from .tensors import is_on_accelerator, to_i420_batch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .encoders import EncodedFrame
    from .sound import Sound

log = logging.getLogger(__name__)

FOLLOWED_PIXELS = 3840 * 2160
"""Pixels of a picture up to which an encoder has been seen to follow; 8192×8192 takes two seconds, and with
VP8 nine."""
DEFAULT_SIZE = (480, 832)
"""Height and width of a black frame before the first real one."""


@dataclass(frozen=True)
class VideoTrackConfig:
    """What the plane must know about one declared video output."""

    name: str
    rate: float = 0.0
    encoder: EncoderSettings = field(default_factory=EncoderSettings)


@dataclass
class _TrackState:
    size: tuple[int, int] = DEFAULT_SIZE
    next_index: int = 0
    last: Frame | None = None
    """The newest emitted one,"""
    shown: Frame | None = None
    """and the newest that has left for the encoders."""
    codecs: frozenset[VideoCodec] = frozenset()
    """Those that clients took it with."""


class MediaPlane:
    """Takes what the model emits (`OutputSink`) and encodes it for whoever subscribed.

    `emit` runs on the author's threads; `subscribe` and the rest on any thread.
    """

    def __init__(
        self,
        tracks: Mapping[str, VideoTrackConfig],
        rate: float = 0.0,
        sound: Sound | None = None,
        seen: Callable[[str, EncodedFrame], None] | None = None,
        clock: Clock = WALL,
        last_shown: dict[str, Shown] | None = None,
    ) -> None:
        """`sound` is what the model emits beside its pictures, and what they keep in step with.

        `seen` is told of every encoded frame, on the encoder's thread, and must not block. `last_shown` is
        what is expected of each track; what is shown here is left there.
        """
        self._configs = dict(tracks)
        self._states = {name: _TrackState() for name in tracks}
        self._pools = Pools()
        self._lock = threading.Lock()
        """Guards the numbering of frames, `_prepared`, `_ending`, `_ended`, `_closed`, and who replaces
        `_encodings`; who reads that needs none. An encoding's own may be taken meanwhile."""
        self._encodings: dict[tuple[str, VideoCodec], Encoding] = {}
        self._prepared: dict[tuple[str, VideoCodec], FittingEncoder] = {}
        """Encoders for clients that will come, one for each track and codec."""
        self._ending: list[Encoding] = []
        """Nobody takes them any more; what is under way in them still counts."""
        self._ended = EncodingCounters()
        """Of those that have ended."""
        self._clock = clock
        self._started = clock.time()
        self._sound = sound if sound is not None and sound.declared else None
        self._seen = seen
        self._last_shown = {} if last_shown is None else last_shown
        self._closed = False
        company = None if self._sound is None else _InStep(self._sound)
        self.playout = Playout(tuple(tracks), rate, self._deliver, self._ready, company, clock)

    def emit(self, name: str, frame: Any, bucket: int | None) -> None:
        """Check and copy now, in the caller's thread, and queue; see `OutputSink.emit`."""
        state = self._states[name]
        count, take = self._prepare(state, frame)
        if not count:
            return
        with self._lock:
            first = state.next_index
            state.next_index += count
        frames = [take(position, first + position) for position in range(count)]
        given = self._clock.time()
        for each in frames:
            each.emitted = given
        state.last = frames[-1]
        size = (frames[-1].height, frames[-1].width)
        if size != state.size and size[0] * size[1] > FOLLOWED_PIXELS >= state.size[0] * state.size[1]:
            self._tell_size(name, *size)
        state.size = size
        if self._sound is not None:
            self._sound.picture_emitted((name, first), count, bucket)
        self.playout.submit(name, frames, bucket)

    def _tell_size(self, name: str, height: int, width: int) -> None:
        rows, columns = fitting(height, width)
        log.warning(
            "Track %r: encoding takes seconds for each picture of %d×%d, and the client sees the newest "
            "only. Encode at %d×%d: emit(%s).",
            name,
            width,
            height,
            columns,
            rows,
            resized(height, width),
        )

    def notices(self) -> dict[str, str]:
        """Why the pictures of a track do not come, or come late, by track; for the client."""
        found = {encoding.track: encoding.trouble for encoding in self.encodings if encoding.trouble}
        for name, state in self._states.items():
            height, width = state.size
            if name not in found and height * width > FOLLOWED_PIXELS:
                rows, columns = fitting(height, width)
                found[name] = (
                    f"Encoding takes seconds for each picture of {width}×{height}; {columns}×{rows} would "
                    "work, and whatever is smaller."
                )
        return found

    def _prepare(self, state: _TrackState, frame: Any) -> tuple[int, Callable[[int, int], Frame]]:
        """How many frames these are, and what makes one of them, given its place and its index."""
        if frame is None:
            return 1, lambda _, index: black(*state.size, self._pools.i420, index)
        if is_on_accelerator(frame):
            planes = to_i420_batch(frame)
            return len(planes), lambda place, index: I420Frame(
                planes[place], planes.shape[2], planes.shape[1] * 2 // 3, index
            )
        batch = to_rgb_batch(frame)
        return len(batch), lambda place, index: RgbFrame(batch[place], self._pools, index)

    def latest(self, name: str) -> NDArray[np.uint8] | None:
        last = self._states[name].last
        return None if last is None else last.i420().to_rgb()

    def next_index(self, name: str) -> int:
        """The number of the next frame that will be emitted on the track."""
        return self._states[name].next_index

    def clock(self) -> float:
        """Seconds since the session's media began."""
        return self._clock.time() - self._started

    def expect(self) -> None:
        """Clients will come: open the encoders that those of the last session took, where there is none yet.

        Opening one takes 4 ms and holds the interpreter, so it is done before there is an offer to answer.
        One that nobody takes ends with the session.
        """
        with self._lock:
            if self._closed:
                return
            for name, shown in self._last_shown.items():
                for codec in map(VideoCodec, shown.codecs):
                    key = (name, codec)
                    if key in self._encodings or key in self._prepared:
                        continue
                    encoder = FittingEncoder(codec, self._configs[name].encoder, create_encoder, self._clock)
                    encoder.prepare(shown.width, shown.height)
                    self._prepared[key] = encoder

    def subscribe(
        self, name: str, codec: VideoCodec, sink: FrameSink, estimate: int | None = None
    ) -> Encoding:
        """Send the track to `sink`, sharing the encode with everybody who takes the same codec.

        `estimate` is what its network is thought to carry, where that is known already.
        """
        with self._lock:
            key = (name, codec)
            encoding = self._encodings.get(key)
            if encoding is None:
                encoding = Encoding(
                    name,
                    codec,
                    settings=self._configs[name].encoder,
                    seen=self._seen,
                    clock=self._clock,
                    encoder=self._prepared.pop(key, None),
                )
                self._encodings = {**self._encodings, key: encoding}
            encoding.add(sink, estimate)
            state = self._states[name]
            state.codecs |= {codec}
            shown = state.shown
        if shown is not None and not encoding.counters.encoded:
            # A model that is silent now has still drawn something; show that to the newcomer.
            encoding.push(shown, self._clock.time())
        return encoding

    def unsubscribe(self, sink: FrameSink) -> None:
        """Forget `sink`; an encoding that nobody takes any more ends."""
        unused = []
        with self._lock:
            for key, encoding in list(self._encodings.items()):
                encoding.remove(sink)
                if not encoding.sinks:
                    self._encodings = {k: e for k, e in self._encodings.items() if k != key}
                    self._ending.append(encoding)
                    unused.append(encoding)
        self._end(unused)

    def _end(self, encodings: Iterable[Encoding]) -> None:
        """Each counts at every moment, and once: while it ends, and when it has."""
        for encoding in encodings:
            encoding.close()
            with self._lock:
                self._ending.remove(encoding)
                self._ended.add(encoding.counters)

    def encoded(self) -> EncodingCounters:
        """All that was encoded so far, whoever took it."""
        total = EncodingCounters()
        with self._lock:
            total.add(self._ended)
            for encoding in (*self._encodings.values(), *self._ending):
                total.add(encoding.counters)
        return total

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        return tuple(self._encodings.values())

    def begin(self) -> None:
        """The model begins now."""
        self.playout.begin()

    def release(self) -> None:
        """The session is to end: nobody is held back in `emit` any more."""
        self.playout.release()

    def flush(self) -> int:
        """Drop what no encoder has taken yet; returns how many pictures that were."""
        gone = self.playout.flush()
        gone += max((encoding.flush() for encoding in self.encodings), default=0)
        if self._sound is not None:
            # Sound that still comes for a dropped picture must not wait for it to leave.
            now = self._clock.time()
            for name, state in self._states.items():
                if state.next_index:
                    self._sound.picture_left((name, state.next_index - 1), now)
        return gone

    def drain(self, timeout: float) -> bool:
        """Wait until all that was emitted is with the engine; False when `timeout` s were not enough."""
        deadline = self._clock.time() + timeout
        for encoding in self.encodings:
            encoding.skip_nothing()
        drained = self.playout.drain(timeout)
        for encoding in self.encodings:
            drained = encoding.drain(max(0.0, deadline - self._clock.time())) and drained
        return drained

    def close(self) -> None:
        """End the threads and let go of every frame."""
        self.playout.close()
        with self._lock:
            self._closed = True
            encodings, self._encodings = list(self._encodings.values()), {}
            prepared, self._prepared = list(self._prepared.values()), {}
            self._ending += encodings
        self._end(encodings)
        for encoder in prepared:
            encoder.close()
        for name, state in self._states.items():
            if state.last is not None and state.codecs:
                self._last_shown[name] = Shown(*state.size, state.codecs)
            state.last = state.shown = None

    def _ready(self) -> bool:
        return all(encoding.ready() for encoding in self._encodings.values())

    def _deliver(self, picture: Picture, at: float) -> None:
        for track, frame in picture.items():
            self._states[track].shown = frame
        for (track, _), encoding in self._encodings.items():
            if track in picture:
                encoding.push(picture[track], at)


class _InStep:
    """The sound beside the pictures; see `sync.Company`."""

    def __init__(self, sound: Sound) -> None:
        self._sound = sound

    def keeps_step(self) -> bool:
        return True

    def hold(self, picture: Picture, due_in: float) -> float:
        return max(self._sound.hold((track, frame.index), due_in) for track, frame in picture.items())

    def left(self, picture: Picture, at: float) -> float:
        return max(self._sound.picture_left((track, frame.index), at) for track, frame in picture.items())
