"""The sending half of one video section.

The engine has two ways to take compressed pictures. Its pre-encoded track keeps them in a first-in-first-out
queue that loses step for ever when the engine drops a frame. So we use the other one, the inline encoder: we
push a tiny raw frame as a signal, and the engine asks back, on its encoder thread, for the bytes. The queue
between the two is ours: a signal that gets lost is noticed and made up for.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import reactor_webrtc as rw

from reactor_runtime.clock import WALL
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.media.encoders.base import RTP_CLOCK_HZ
from reactor_runtime.transports.gate import FrameGate

from .sound import engine_offset

QUEUE_FRAMES = 4
"""Frames that may wait for the engine to ask; one more drops them all up to the next keyframe."""
SIGNAL_WIDTH, SIGNAL_HEIGHT = 64, 36
SIGNAL = bytes(SIGNAL_WIDTH * SIGNAL_HEIGHT * 4)
"""The raw frame whose only purpose is to be counted; the smaller the cheaper."""
RTP_TICKS_PER_MS = RTP_CLOCK_HZ // 1000
SIGNAL_STEP_US = 1000
"""The engine ignores a second frame in the same millisecond."""


class InlineVideoSender:
    """Implements `transports.port.VideoSender`."""

    def __init__(self, mid: str, codec: VideoCodec, request_key: Callable[[], None]) -> None:
        self.mid = mid
        self.codec = codec
        self.gate = FrameGate()
        self.open = False
        self.dropped = 0
        self.bound = threading.Event()
        """Set when the engine has asked for the first time: its encoder belongs to this track."""
        self.track: rw.Track | None = None
        self._request_key = request_key
        self._waiting: deque[EncodedFrame] = deque()
        self._lock = threading.Lock()
        """Guards `_waiting`: the encoder's thread puts, the engine's takes. Nothing else is taken then."""
        self._signalled_us = 0
        self._rtp_offset: int | None = None
        self._offset_us = engine_offset()

    def attach(self, track: rw.Track) -> None:
        self.track = track

    def resume(self) -> None:
        """The section sends again, if it did before: with a keyframe first."""
        self.gate.reset()
        self.open = self.bound.is_set()

    def detach(self) -> None:
        """Send no more, and let go of the track: the engine holds us for as long as it lives."""
        self.open = False
        self.track = None

    def push(self, frame: EncodedFrame) -> None:
        if not self.open:
            return
        if not self.gate.admits(frame.key, len(frame.data), WALL.time()):
            if self.gate.wants_key():
                self._request_key()
            return
        self._queue(frame)
        self._signal(self._capture_us(frame.timestamp))

    def signal(self) -> None:
        """Make the engine ask once, although nothing may wait."""
        if self.track is not None:
            self.track.push_video_frame(SIGNAL, SIGNAL_WIDTH, SIGNAL_HEIGHT)

    def nudge(self) -> int:
        """Signal once more if anything waits; returns how many bytes that are.

        A lost signal is made up for with the next frame, but behind the last one there is none.
        """
        if not self.open:
            return 0
        with self._lock:
            waiting = sum(len(frame.data) for frame in self._waiting)
        if waiting:
            self._signal()
        return waiting

    def encode(self, asked: rw.RawVideoFrameInfo) -> tuple[bytes, bool] | None:
        """The engine asks for the next frame. Engine thread; None means there is none."""
        self.bound.set()
        with self._lock:
            frame = self._waiting.popleft() if self._waiting else None
            more = bool(self._waiting)
        if more:
            # Of two signals that come close together the engine hears one.
            self._signal()
        if asked.request_key_frame and not (frame and frame.key):
            # A receiver cannot go on (PLI, FIR). The engine says it here, and not always as feedback.
            self._request_key()
        if frame is None:
            return None
        return frame.data, frame.key

    def learn_timestamp(self, frame: rw.EncodedFrame) -> rw.FrameAction:
        """A frame on its way out, with its timestamp on the wire. Engine thread."""
        if self._rtp_offset is None and frame.capture_time_ms:
            self._rtp_offset = (frame.timestamp - frame.capture_time_ms * RTP_TICKS_PER_MS) % 2**32
        return rw.FrameAction.Forward

    def rtp_timestamp(self, timestamp: int) -> int | None:
        if self._rtp_offset is None:
            return None
        capture_ms = self._capture_us(timestamp) // 1000
        return (self._rtp_offset + capture_ms * RTP_TICKS_PER_MS) % 2**32

    def _capture_us(self, timestamp: int) -> int:
        """A frame's time on the engine's clock."""
        return timestamp * 1_000_000 // RTP_CLOCK_HZ + self._offset_us

    def _signal(self, at_us: int = 0) -> None:
        """Make the engine ask for the frame of this time, or for what waits beside the last one."""
        track = self.track
        if track is None:
            return
        with self._lock:
            at_us = self._signalled_us = max(at_us, self._signalled_us + SIGNAL_STEP_US)
        track.push_video_frame(SIGNAL, SIGNAL_WIDTH, SIGNAL_HEIGHT, capture_time_us=at_us)

    def _queue(self, frame: EncodedFrame) -> None:
        with self._lock:
            if len(self._waiting) >= QUEUE_FRAMES:
                self.dropped += len(self._waiting)
                self._waiting.clear()
                if not frame.key:
                    self.dropped += 1
                    self.gate.reset()
                    return
            self._waiting.append(frame)


def listen(track: rw.Track, on_bitrate: Callable[[int], None], on_keyframe: Callable[[], None]) -> None:
    """Forward the engine's feedback. Its callbacks hold the GIL on a native thread: they must be short."""

    def feedback(event: rw.KeyFrameRequest | rw.RateUpdate) -> None:
        if isinstance(event, rw.RateUpdate):
            on_bitrate(event.bitrate_bps)
        else:
            on_keyframe()

    track.on_encoder_feedback(feedback)
