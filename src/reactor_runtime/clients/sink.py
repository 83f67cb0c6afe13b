"""One client's share of a video track."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reactor_runtime.media.encoders import EncodedFrame
    from reactor_runtime.transports.wire import VideoSender

WATCHED_FRAMES = 64
"""Frames that a client may wait for at once; one more forgets the oldest."""


class FrameSink:
    """A peer's track as the encoding sees it."""

    def __init__(self, sender: VideoSender) -> None:
        self.sender = sender
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
        self.sender.push(frame)
        while self._watched and frame.index >= self._watched[0][0]:
            self._watched.popleft()[1](frame)

    def newly_dropped(self) -> int:
        """How many frames the peer's network has not carried since this was last asked."""
        dropped = self.sender.gate.dropped + self.sender.dropped
        before, self._reported = self._reported, dropped
        return dropped - before

    def watch(self, index: int, report: Callable[[EncodedFrame], None]) -> None:
        """Call `report`, on the encoder thread, with the first frame from `index` on."""
        self._watched.append((index, report))
