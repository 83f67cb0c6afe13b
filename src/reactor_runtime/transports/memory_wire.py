"""A wire inside one process: what a client would get lands in whatever takes the place of one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reactor_runtime.clock import WALL

from . import wire
from .gate import FrameGate

if TYPE_CHECKING:
    from reactor_runtime.media.encoders import EncodedFrame, VideoCodec

    from .far_end import FarEnd

MESSAGE_LIMIT = 256 * 1024
"""Bytes of a data channel message, as browsers announce it."""
FAST_BPS = 1_000_000_000
"""The rate of a wire that carries everything."""


class MemoryWire:
    """Implements `transports.wire.Wire`."""

    def __init__(self, handle: wire.Handle) -> None:
        self.handle = handle
        self.closed = False
        self.far: FarEnd | None = None
        """None before the wire is up, and when it is no more."""
        self.video_senders: Sequence[MemorySender] = ()
        self.audio_senders: Sequence[MemoryAudioSender] = ()
        self._open: set[str] = set()
        self._unread: list[tuple[str, bytes]] = []

    def send(self, label: str, data: bytes, *, binary: bool = False) -> bool:
        del binary
        if self.far is None or label not in self._open or len(data) > MESSAGE_LIMIT:
            return False
        self._unread.append((label, data))
        self._release(self.far)
        return True

    def buffered(self) -> int:
        if self.far is not None:
            self._release(self.far)
        return sum(len(data) for _, data in self._unread)

    async def stats(self) -> dict[str, Any]:
        pictures = [{"mid": s.mid, "frames_sent": s.sent} for s in self.video_senders]
        sounds = [
            {"mid": mid, "packets_sent": packets, "bytes_sent": size}
            for mid, (packets, size) in ((each.mid, each.sent) for each in self.audio_senders)
        ]
        return {"outbound": [*pictures, *sounds]}

    async def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        far, self.far = self.far, None
        if far is not None:
            far.lose_wire()

    # --- for the far end ---

    def report(self, event: Any) -> None:
        if not self.closed:
            self.handle(event)

    def link(self, far: FarEnd) -> None:
        """The wire is up."""
        self.far = far
        self.report(wire.StateChanged(wire.PeerState.CONNECTING))
        self.report(wire.StateChanged(wire.PeerState.CONNECTED))

    def unlink(self) -> None:
        self.far = None
        for label in sorted(self._open):
            self.report(wire.Closed(label))
        self._open.clear()
        self.report(wire.StateChanged(wire.PeerState.CLOSED))

    def open_channel(self, label: str) -> None:
        if len(self._open) >= wire.CHANNELS_LIMIT:
            self.report(wire.ChannelRefused())
            return
        self._open.add(label)
        self.report(wire.Opened(label))

    def deliver(self, label: str, data: bytes, binary: bool) -> None:
        self.report(wire.MessageReceived(label, data, binary))

    def _release(self, far: FarEnd) -> None:
        while far.reading and self._unread:
            far.take(*self._unread.pop(0))


class MemorySender:
    """Implements `transports.wire.VideoSender`."""

    def __init__(self, mid: str, codec: VideoCodec, owner: MemoryWire) -> None:
        self.mid, self.codec = mid, codec
        self.gate = FrameGate()
        self.gate.set_rate(FAST_BPS)
        self.sent = self.dropped = 0
        self._wire = owner
        self._lock = threading.Lock()
        """Guards the gate. Nothing else is taken meanwhile."""

    def rtp_timestamp(self, timestamp: int) -> int | None:
        return timestamp % 2**32

    def push(self, frame: EncodedFrame) -> None:
        far = self._wire.far
        if far is None:
            return
        with self._lock:
            admitted = self.gate.admits(frame.key, len(frame.data), WALL.time())
        if admitted:
            self.sent += 1
            far.take_frame(self.mid, frame)
        elif self.gate.wants_key():
            self._wire.handle(wire.KeyframeRequested(self.mid))


class MemoryAudioSender:
    """Implements `transports.wire.AudioSender`; nothing is compressed."""

    def __init__(self, mid: str, owner: MemoryWire) -> None:
        self.mid = mid
        self.sent = (0, 0)
        """Packets and their bytes, of one moment: who asks is on another thread."""
        self._wire = owner

    def push(self, pcm: bytes, rate: int, channels: int, at: float) -> None:
        if self._wire.far is not None:
            packets, size = self.sent
            self.sent = (packets + 1, size + len(pcm))
            block = np.frombuffer(pcm, np.int16).reshape(-1, channels).T
            self._wire.far.take_sound(self.mid, at, block)
