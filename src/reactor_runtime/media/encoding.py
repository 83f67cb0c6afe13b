"""One encode of one track in one codec, for every peer that takes it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from reactor_runtime.clock import WALL, Clock
from reactor_runtime.errors import EngineError

from .audience import Audience, FrameSink
from .backlog import Backlog
from .encoders import EncodedFrame, EncoderSettings, VideoCodec, create_encoder
from .fitting_encoder import EncoderFactory, FittingEncoder
from .keyframes import Keyframes
from .mending import smaller
from .rgb import Frame

log = logging.getLogger(__name__)

IDLE_REPEAT_S = 0.1
"""When a keyframe is wanted and the model is silent, the last picture is encoded again after this long."""


@dataclass
class EncodingCounters:
    encoded: int = 0
    keyframes: int = 0
    dropped: int = 0
    flushed: int = 0
    failed: int = 0
    bits: int = 0

    def add(self, other: EncodingCounters) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(slots=True)
class Work:
    """A picture that is to be encoded now."""

    frame: Frame
    at: float
    key: bool
    estimates: list[int]
    """What the networks of those who take it carry."""
    repeats: bool
    """Whether it went out before."""


class Encoding:
    """A thread with an encoder. Sinks may come and go on any thread."""

    def __init__(
        self,
        track: str,
        codec: VideoCodec,
        *,
        settings: EncoderSettings | None = None,
        factory: EncoderFactory = create_encoder,
        seen: Callable[[str, EncodedFrame], None] | None = None,
        clock: Clock = WALL,
        encoder: FittingEncoder | None = None,
    ) -> None:
        """`seen` is told of every frame, on the encoder's thread, and must not block. `encoder` is one that
        was prepared; otherwise one is opened for the first picture."""
        settings = settings or EncoderSettings()
        self.track = track
        self.codec = codec
        self.clock = clock
        self.counters = EncodingCounters()
        self.trouble = ""
        """Why the newest picture could not be encoded, in our own words; empty when it could."""
        self._seen = seen
        self._audience = Audience()
        self._backlog = Backlog()
        self._keyframes = Keyframes(settings.keyframe_interval)
        self._encoder = encoder or FittingEncoder(codec, settings, factory, clock)
        self._last: tuple[Frame, float] | None = None
        self._changed = threading.Condition()
        """Guards `_audience`, `_backlog`, `_keyframes`, `_busy` and `_closed`; the encoder is its thread's
        alone. Nothing else is taken meanwhile."""
        self._closed = False
        self._busy = False
        self._thread = threading.Thread(target=self._run, name=f"reactor-encode-{track}-{codec}", daemon=True)
        self._thread.start()

    @property
    def sinks(self) -> tuple[FrameSink, ...]:
        return self._audience.sinks

    @property
    def target_bitrate(self) -> int:
        """What the encoder was told to make, in bits a second; 0 before the first frame."""
        return self._encoder.bits_per_second

    @property
    def frames_waiting(self) -> int:
        return len(self._backlog)

    def ready(self) -> bool:
        """Whether a picture may be given now; when the encoder cannot keep up, waiting would not help."""
        return len(self._backlog) < 2 or self._backlog.overloaded(self.clock.time())

    def push(self, frame: Frame, at: float) -> None:
        """Queue a picture that is due at `at` seconds of the clock. Never blocks."""
        with self._changed:
            if self._closed:
                return
            self.counters.dropped += self._backlog.put(frame, at, self.clock.time())
            self._changed.notify_all()

    def add(self, sink: FrameSink, estimate: int | None = None) -> None:
        """Send everything from the next keyframe on to `sink`, and make that keyframe soon.

        `estimate` is what its network is thought to carry already: that keyframe is made for it.
        """
        with self._changed:
            self._audience.add(sink, estimate)
            self._keyframes.welcome()
            self._changed.notify_all()

    def remove(self, sink: FrameSink) -> None:
        with self._changed:
            self._audience.remove(sink)
            self._keyframes.repeat = self._audience.loses_silently()

    def request_keyframe(self) -> None:
        """A receiver cannot go on without one (PLI or FIR, RFC 4585/5104)."""
        with self._changed:
            self._keyframes.request()
            self._changed.notify_all()

    def repeat_keyframes(self, sink: FrameSink, wanted: bool) -> None:
        """While `sink` loses something and does not ask, keyframes come by themselves (`REPEAT_S`)."""
        with self._changed:
            self._keyframes.repeat = self._audience.note_loss(sink, wanted)
            self._changed.notify_all()

    def set_estimate(self, sink: FrameSink, bits_per_second: int) -> None:
        """What the network of one sink is thought to carry."""
        with self._changed:
            self._audience.set_estimate(sink, bits_per_second)

    def estimate(self, sink: FrameSink) -> int | None:
        """What the network of one sink is thought to carry; None before anybody has said so."""
        return self._audience.estimate(sink)

    def skip_nothing(self) -> None:
        """The session ends: a late picture is better than none."""
        self._backlog.draining = True

    def flush(self) -> int:
        """Drop what waits; the picture that is being encoded goes out, a hole would cost a keyframe."""
        with self._changed:
            gone = self._backlog.clear()
            self.counters.flushed += gone
            self._changed.notify_all()
        return gone

    def drain(self, timeout: float) -> bool:
        """Wait until every queued picture has been encoded and handed over."""
        deadline = self.clock.time() + timeout
        with self._changed:
            while (len(self._backlog) or self._busy) and not self._closed:
                left = deadline - self.clock.time()
                if left <= 0:
                    return False
                self.clock.wait(self._changed, left)
        return True

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._backlog.clear()
            self._audience.clear()
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while True:
            with self._changed:
                work = self._next()
                if work is None:
                    break
                self._busy = True
            began = self.clock.time()
            try:
                self._encode(work, began)
                self.trouble = ""
            except Exception as error:
                self.counters.failed += 1
                self.trouble = str(error) if isinstance(error, EngineError) else "It failed; see the log."
                log.exception("Track %r: a frame could not be encoded as %s", self.track, self.codec)
                self._encoder.close()
            del work
            with self._changed:
                self._backlog.took(self.clock.time() - began)
                self._busy = False
                self._changed.notify_all()
        self._encoder.close()
        self._last = None

    def _next(self) -> Work | None:
        """Wait, with the lock held, for the next picture and whether it must be a keyframe."""
        while not self._closed:
            now = self.clock.time()
            if len(self._backlog):
                self._last = self._newest_in_time(now)
                return self._work(*self._last, now)
            self._backlog.caught_up()
            key_at = self._keyframes.due(now)
            if key_at is not None and self._last is not None:
                idle_at = max(key_at, self._last[1] + IDLE_REPEAT_S)
                if now >= idle_at:
                    return self._work(self._last[0], now, now, repeats=True)
                self.clock.wait(self._changed, idle_at - now)
            else:
                self._changed.wait()
        return None

    def _work(self, frame: Frame, at: float, now: float, repeats: bool = False) -> Work:
        return Work(frame, at, self._keyframes.take(now), self._audience.estimates(), repeats)

    def _newest_in_time(self, now: float) -> tuple[Frame, float]:
        """The next picture; those that would be seen too late are skipped."""
        picture, skipped = self._backlog.take(now)
        self.counters.dropped += skipped
        if skipped and self._backlog.tells_overload(now):
            self._tell_overload(picture[0])
        return picture

    def _tell_overload(self, frame: Frame) -> None:
        rows, columns = smaller(frame.height, frame.width)
        log.warning(
            "Track %r: the %s encoder does not follow at %d×%d on this machine; the newest picture is sent, "
            "the others are dropped. Emit less often, or at %d×%d.",
            self.track,
            self.codec.value,
            frame.width,
            frame.height,
            columns,
            rows,
        )

    def _encode(self, work: Work, began: float) -> None:
        waited = 0.0 if work.repeats else max(0.0, began - work.frame.emitted)
        for encoded in self._encoder.encode(work.frame, work.at, work.key, work.estimates):
            encoded.encode_s, encoded.queue_s = self.clock.time() - began, waited
            self._hand_over(encoded)
            self.counters.encoded += 1
            self.counters.keyframes += encoded.key
            self.counters.bits += len(encoded.data) * 8
            if self._seen is not None:
                self._seen(self.track, encoded)

    def _hand_over(self, encoded: EncodedFrame) -> None:
        with self._changed:
            receivers = self._audience.receivers(encoded.key)
        for sink in receivers:
            try:
                sink.push(encoded)
            except Exception:
                log.exception("Track %r: a peer could not take a frame; the others go on", self.track)
