"""Media from a client, kept for the author: the newest frame, and audio in order from a bounded buffer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

AUDIO_SECONDS = 2.0
"""Audio kept for `read`; older samples are dropped and counted."""


class InputBuffers:
    """Per-session input of all tracks (`InputSource`). Engine threads write, author threads read."""

    def __init__(self, stopped: Callable[[], bool] = lambda: False) -> None:
        self._latest: dict[str, NDArray[Any]] = {}
        self._audio: dict[str, list[NDArray[np.int16]]] = {}
        self._changed = threading.Condition()
        self._stopped = stopped
        self.dropped_samples = 0

    def put_video(self, name: str, rgb: NDArray[np.uint8]) -> None:
        """Take a decoded frame ``(H, W, 3)`` uint8 RGB; nobody writes to it afterwards."""
        self._latest[name] = rgb

    def put_audio(self, name: str, block: NDArray[np.int16], rate: int) -> None:
        """Take a decoded block ``(channels, M)`` int16 at `rate`."""
        with self._changed:
            self._latest[name] = block
            blocks = self._audio.setdefault(name, [])
            blocks.append(block)
            while sum(b.shape[1] for b in blocks) > AUDIO_SECONDS * rate:
                self.dropped_samples += blocks.pop(0).shape[1]
            self._changed.notify_all()

    def latest(self, name: str) -> NDArray[Any] | None:
        return self._latest.get(name)

    def read(self, name: str, samples: int, timeout: float | None) -> NDArray[np.int16] | None:
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while sum(b.shape[1] for b in self._audio.get(name, ())) < samples:
                left = 0.1 if deadline is None else min(0.1, deadline - time.monotonic())
                if left <= 0 or self._stopped():
                    return None
                self._changed.wait(left)
            return self._take(self._audio[name], samples)

    def clear(self) -> None:
        with self._changed:
            self._latest.clear()
            self._audio.clear()
            self._changed.notify_all()

    @staticmethod
    def _take(blocks: list[NDArray[np.int16]], samples: int) -> NDArray[np.int16]:
        joined = np.concatenate(blocks, axis=1)
        blocks[:] = [joined[:, samples:]] if joined.shape[1] > samples else []
        return joined[:, :samples]
