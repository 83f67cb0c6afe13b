"""One client's share of a video track."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from reactor_runtime.session.sent import Sent

if TYPE_CHECKING:
    from reactor_runtime.media.encoders import EncodedFrame
    from reactor_runtime.transports.wire import VideoSender

WATCHED_FRAMES = 64
"""Frames that a client may wait for at once; one more forgets the oldest."""


class FrameSink:
    """A peer's track as the encoding sees it."""

    def __init__(self, sender: VideoSender, track: str) -> None:
        self.sender = sender
        self.track = track
        self.sent = Sent()
        self._counted = Sent()
        self._waiting = False
        self._reported = 0
        self._paused = False
        self._needs_key = False
        self._watched: deque[tuple[int, Callable[[EncodedFrame], None]]] = deque(maxlen=WATCHED_FRAMES)

    def pause(self, paused: bool) -> None:
        self._needs_key = self._needs_key or paused
        self._paused = paused

    def push(self, frame: EncodedFrame) -> None:
        """Encoder thread. After a pause the client begins again with a keyframe."""
        if self._paused or (self._needs_key and not frame.key):
            return
        self._needs_key = False
        dropped = self.sender.gate.dropped + self.sender.dropped
        self.sender.push(frame)
        if self.sender.gate.dropped + self.sender.dropped == dropped:
            self.sent.frames += 1
            self.sent.bytes += len(frame.data)
        waiting = self.sender.gate.needs_key
        self.sent.keyframe_waits += waiting and not self._waiting
        self._waiting = waiting
        while self._watched and frame.index >= self._watched[0][0]:
            self._watched.popleft()[1](frame)

    def newly_dropped(self) -> int:
        """How many frames the peer's network has not carried since this was last asked."""
        dropped = self.sender.gate.dropped + self.sender.dropped
        before, self._reported = self._reported, dropped
        return dropped - before

    def newly_sent(self) -> Sent:
        """What has gone out since this was last asked."""
        before, self._counted = self._counted, replace(self.sent)
        return self._counted.since(before)

    def watch(self, index: int, report: Callable[[EncodedFrame], None]) -> bool:
        """Call `report`, on the encoder thread, with the first frame from `index` on. True when another one
        was forgotten for it."""
        full = len(self._watched) == WATCHED_FRAMES
        self._watched.append((index, report))
        return full
