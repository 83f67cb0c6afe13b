"""What a `MemoryPeer` sends with."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from reactor_runtime.media.encoders import EncodedFrame, VideoCodec

from .gate import FrameGate
from .port import PeerEvents

if TYPE_CHECKING:
    from .memory import MemoryClient

FAST_BPS = 1_000_000_000
"""The rate of a wire that carries everything."""


class MemorySender:
    """Implements `transports.port.VideoSender`."""

    def __init__(self, mid: str, codec: VideoCodec, events: PeerEvents) -> None:
        self.mid = mid
        self.codec = codec
        self.gate = FrameGate()
        self.gate.set_rate(FAST_BPS)
        self.sent = self.dropped = 0
        self.client: MemoryClient | None = None
        self._events = events
        self._lock = threading.Lock()
        """Guards the gate. Nothing else is taken meanwhile."""

    def rtp_timestamp(self, timestamp: int) -> int | None:
        return timestamp % 2**32

    def push(self, frame: EncodedFrame) -> None:
        client = self.client
        if client is None or client.closed:
            return
        with self._lock:
            admitted = self.gate.admits(frame.key, len(frame.data), time.monotonic())
        if admitted:
            self.sent += 1
            client.take_frame(self.mid, frame)
        elif self.gate.wants_key():
            self._events.keyframe_requested(self.mid)


class MemoryAudioSender:
    """Implements `transports.port.AudioSender`; nothing is compressed."""

    def __init__(self, mid: str) -> None:
        self.mid = mid
        self.client: MemoryClient | None = None

    def push(self, pcm: bytes, rate: int, channels: int, at: float) -> None:
        client = self.client
        if client is not None and not client.closed:
            client.take_sound(self.mid, at, np.frombuffer(pcm, np.int16).reshape(-1, channels).T)
