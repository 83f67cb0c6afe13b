"""One encode of one track in one codec, for every peer that takes it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from reactor_runtime.clock import WALL, Clock
from reactor_runtime.errors import EngineError
from reactor_runtime.media.encoders.base import RTP_CLOCK_HZ

from .bitrate import default_bitrate, target_bitrate, worth_reopening
from .encoders import EncodedFrame, EncoderSettings, VideoCodec, VideoEncoder, create_encoder
from .mending import smaller
from .rgb import Frame

log = logging.getLogger(__name__)

QUEUE_FRAMES = 4
"""Frames in front of the encoder; one more drops the oldest."""
STALE_S = 0.05
"""A frame that waited longer than this is skipped when a newer one is there."""
OVERLOAD_S = 0.5
"""An encoder that never caught up for this long cannot keep up: then it takes the newest frame only, because
a queue in front of it would be nothing but delay."""
KEYFRAME_INTERVAL_S = 0.5
"""Keyframes on request come no more often than this, whatever receivers ask."""
IDLE_REPEAT_S = 0.1
"""When a keyframe is wanted and the model is silent, the last picture is encoded again after this long."""

EncoderFactory = Callable[[VideoCodec, int, int, int, EncoderSettings], VideoEncoder]


class FrameSink(Protocol):
    """One receiver of encoded frames: a peer's track, or a recording."""

    def push(self, frame: EncodedFrame) -> None:
        """Called on the encoder thread; must not block."""


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
    ) -> None:
        """`seen` is told of every frame, on the encoder's thread, and must not block."""
        self.track = track
        self.codec = codec
        self.counters = EncodingCounters()
        self.trouble = ""
        """Why the newest picture could not be encoded, in our own words; empty when it could."""
        self.patient = False
        """At the end of a session a late picture is better than none: nothing is skipped for its age."""
        self._settings = settings or EncoderSettings()
        self._factory = factory
        self._seen = seen
        self.clock = clock
        self._sinks: tuple[FrameSink, ...] = ()
        self._newcomers: set[FrameSink] = set()
        self._estimates: dict[FrameSink, int] = {}
        self._frames: deque[tuple[Frame, float]] = deque()
        self._last: tuple[Frame, float] | None = None
        self._behind_since: float | None = None
        """Since when there has been a frame to encode without a break."""
        self._told = False
        self._key_wanted = False
        self._key_sent = float("-inf")
        self._encoder: VideoEncoder | None = None
        self._encoder_bps = 0
        self._opened = 0.0
        self._timestamp = -1
        self._changed = threading.Condition()
        """Guards the queue, the changes of `_sinks`, the keyframe that is wanted, `_busy` and `_closed`; the
        encoder is its thread's alone. Nothing else is taken meanwhile."""
        self._closed = False
        self._busy = False
        self._thread = threading.Thread(target=self._run, name=f"reactor-encode-{track}-{codec}", daemon=True)
        self._thread.start()

    @property
    def sinks(self) -> tuple[FrameSink, ...]:
        """Copy-on-write: a peer that leaves while a frame goes out touches nothing."""
        return self._sinks

    def ready(self) -> bool:
        """Whether a picture may be given now; when the encoder cannot keep up, waiting would not help."""
        return len(self._frames) < 2 or self._overloaded(self.clock.time())

    def push(self, frame: Frame, at: float) -> None:
        """Queue a picture that is due at `at` seconds of the clock. Never blocks."""
        with self._changed:
            if self._closed:
                return
            if self._frames and self._behind_since is None:
                self._behind_since = self.clock.time()
            if len(self._frames) >= QUEUE_FRAMES:
                self._frames.popleft()
                self.counters.dropped += 1
            self._frames.append((frame, at))
            self._changed.notify_all()

    def add(self, sink: FrameSink, estimate: int | None = None) -> None:
        """Send everything from the next keyframe on to `sink`, and make that keyframe soon.

        `estimate` is what its network is thought to carry already: that keyframe is made for it.
        """
        with self._changed:
            if estimate is not None:
                self._estimates[sink] = estimate
            if sink not in self._sinks:
                self._newcomers.add(sink)
                self._sinks = (*self._sinks, sink)
            # A newcomer sees nothing before it: it is not held up by the throttle.
            self._key_sent = float("-inf")
            self._key_wanted = True
            self._changed.notify_all()

    def remove(self, sink: FrameSink) -> None:
        with self._changed:
            self._sinks = tuple(other for other in self._sinks if other is not sink)
            self._newcomers.discard(sink)
            self._estimates.pop(sink, None)

    def request_keyframe(self) -> None:
        """A receiver cannot go on without one (PLI or FIR, RFC 4585/5104)."""
        with self._changed:
            self._key_wanted = True
            self._changed.notify_all()

    def set_estimate(self, sink: FrameSink, bits_per_second: int) -> None:
        """What the network of one sink is thought to carry."""
        with self._changed:
            if sink in self._sinks:
                self._estimates[sink] = bits_per_second

    @property
    def target_bitrate(self) -> int:
        """What the encoder was told to make, in bits a second; 0 before the first frame."""
        return self._encoder_bps

    @property
    def frames_waiting(self) -> int:
        return len(self._frames)

    def estimate(self, sink: FrameSink) -> int | None:
        """What the network of one sink is thought to carry; None before anybody has said so."""
        return self._estimates.get(sink)

    def flush(self) -> int:
        """Drop what waits; the picture that is being encoded goes out, a hole would cost a keyframe."""
        with self._changed:
            gone = len(self._frames)
            self._frames.clear()
            self.counters.flushed += gone
            self._changed.notify_all()
        return gone

    def drain(self, timeout: float) -> bool:
        """Wait until every queued picture has been encoded and handed over."""
        deadline = self.clock.time() + timeout
        with self._changed:
            while (self._frames or self._busy) and not self._closed:
                left = deadline - self.clock.time()
                if left <= 0:
                    return False
                self.clock.wait(self._changed, left)
        return True

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._frames.clear()
            self._sinks = ()
            self._newcomers.clear()
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while True:
            with self._changed:
                work = self._next()
                if work is None:
                    break
                frame, at, key = work
                self._busy = True
            try:
                self._encode(frame, at, key)
                self.trouble = ""
            except Exception as error:
                self.counters.failed += 1
                self.trouble = str(error) if isinstance(error, EngineError) else "It failed; see the log."
                log.exception("Track %r: a frame could not be encoded as %s", self.track, self.codec)
                self._drop_encoder()
            del frame, work
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        self._drop_encoder()
        self._last = None

    def _next(self) -> tuple[Frame, float, bool] | None:
        """Wait, with the lock held, for the next picture and whether it must be a keyframe."""
        while not self._closed:
            now = self.clock.time()
            key_at = self._key_due(now)
            if self._frames:
                frame, at = self._last = self._newest_in_time(now)
                return frame, at, self._take_key(now)
            self._behind_since = None
            if key_at is not None and self._last is not None:
                idle_at = max(key_at, self._last[1] + IDLE_REPEAT_S)
                if now >= idle_at:
                    return self._last[0], now, self._take_key(now)
                self.clock.wait(self._changed, idle_at - now)
            else:
                self._changed.wait()
        return None

    def _newest_in_time(self, now: float) -> tuple[Frame, float]:
        """The next picture; those that would be seen too late are skipped."""
        frame, at = self._frames.popleft()
        while self._frames and not self.patient and (now - at > STALE_S or self._overloaded(now)):
            self.counters.dropped += 1
            if not self._told and self._overloaded(now):
                self._told = True
                self._tell_overload(frame)
            frame, at = self._frames.popleft()
        return frame, at

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

    def _overloaded(self, now: float) -> bool:
        since = self._behind_since
        return since is not None and now - since > OVERLOAD_S

    def _key_due(self, now: float) -> float | None:
        return max(now, self._key_sent + KEYFRAME_INTERVAL_S) if self._key_wanted else None

    def _take_key(self, now: float) -> bool:
        due = self._key_due(now)
        interval = self._settings.keyframe_interval
        if (due is None or due > now) and not (interval and now - self._key_sent >= interval):
            return False
        self._key_wanted = False
        self._key_sent = now
        return True

    def _encode(self, frame: Frame, at: float, key: bool) -> None:
        encoder = self._fitting(frame)
        # Strictly rising: encoders and receivers take two pictures of one time for one.
        self._timestamp = max(self._timestamp + 1, int(at * RTP_CLOCK_HZ))
        for encoded in encoder.encode(frame.i420(), self._timestamp, key):
            self.counters.encoded += 1
            self.counters.keyframes += encoded.key
            self.counters.bits += len(encoded.data) * 8
            self._hand_over(encoded)
            if self._seen is not None:
                self._seen(self.track, encoded)

    def _hand_over(self, encoded: EncodedFrame) -> None:
        for sink in self._sinks:
            if sink in self._newcomers:
                if not encoded.key:
                    continue
                self._newcomers.discard(sink)
            try:
                sink.push(encoded)
            except Exception:
                log.exception("Track %r: a peer could not take a frame; the others go on", self.track)

    def _fitting(self, frame: Frame) -> VideoEncoder:
        """The open encoder if it suits the picture and the network, else a new one."""
        wanted = self._settings.bitrate or default_bitrate(frame.width, frame.height, self.codec)
        target = target_bitrate(wanted, list(self._estimates.values()))
        encoder = self._encoder
        if encoder is not None and (encoder.width, encoder.height) == (frame.width, frame.height):
            if target == self._encoder_bps:
                return encoder
            if encoder.set_bitrate(target):
                self._encoder_bps = target
                return encoder
            if not worth_reopening(self._encoder_bps, target, self.clock.time() - self._opened):
                return encoder
        self._drop_encoder()
        self._encoder = self._open(frame, target)
        self._encoder_bps = target
        self._opened = self.clock.time()
        return self._encoder

    def _open(self, frame: Frame, target: int) -> VideoEncoder:
        try:
            return self._factory(self.codec, frame.width, frame.height, target, self._settings)
        except EngineError:
            raise
        except Exception as error:
            raise EngineError(f"No {self.codec} encoder for {frame.width}x{frame.height}: {error}") from error

    def _drop_encoder(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None
