"""The receiving half of one video section: pictures of a client, of a size that is bounded."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import reactor_webrtc as rw
from numpy.typing import NDArray

from reactor_runtime.transports.pictures import Size, picture_size, too_large

UNREADABLE: Size = (0, 0)
"""Stands for a picture whose header nobody can read."""


class VideoReceiver:
    """All methods run on the engine's threads, which hold the GIL."""

    def __init__(
        self,
        codec: str,
        on_picture: Callable[[NDArray[np.uint8]], None],
        on_refused: Callable[[int, int], None],
    ) -> None:
        self.codec = codec
        self._on_picture = on_picture
        self._on_refused = on_refused
        self.watching = False
        """Whether the engine shows its compressed pictures."""
        self._waiting = False
        """For a picture that says its size: those since are made from one that was refused."""

    def check(self, frame: rw.EncodedFrame) -> rw.FrameAction:
        """A compressed picture, before the engine decodes it."""
        try:
            size = picture_size(self.codec, frame.data)
        except ValueError:
            size = UNREADABLE
        if size is not None:
            self._waiting = size == UNREADABLE or too_large(size)
            if self._waiting:
                self._on_refused(*size)
        return rw.FrameAction.Drop if self._waiting else rw.FrameAction.Forward

    def take(self, bgra: bytes, width: int, height: int) -> None:
        """A decoded picture."""
        if too_large((width, height)):
            self._on_refused(width, height)
            return
        pixels = np.frombuffer(bgra, np.uint8).reshape(height, width, 4)
        self._on_picture(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB), dtype=np.uint8))
