"""Media from a client, kept for the author: the newest frame, and sound in order from a bounded buffer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .audio_input import AudioInput


class InputBuffers:
    """Per-session input of all tracks (`InputSource`). Engine threads write, author threads read."""

    def __init__(
        self,
        stopped: Callable[[], bool] = lambda: False,
        audio: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        """`audio` gives the declared rate and channels of each audio input."""
        self._latest: dict[str, NDArray[Any]] = {}
        self.audio = {
            name: AudioInput(rate, channels, stopped) for name, (rate, channels) in (audio or {}).items()
        }

    @property
    def dropped_samples(self) -> int:
        return sum(sound.dropped for sound in self.audio.values())

    @property
    def silence_s(self) -> float:
        return sum(sound.silence / sound.rate for sound in self.audio.values())

    def put_video(self, name: str, rgb: NDArray[np.uint8]) -> None:
        """Take a decoded frame ``(H, W, 3)`` uint8 RGB; nobody writes to it afterwards."""
        self._latest[name] = rgb

    def put_audio(
        self, name: str, block: NDArray[np.int16], rate: int, source: object = None
    ) -> NDArray[np.int16] | None:
        """Take a decoded block ``(channels, M)`` int16; see `AudioInput.put`."""
        return self.audio[name].put(block, rate, source)

    def latest(self, name: str) -> NDArray[Any] | None:
        """A copy, on which the author may draw: who asks again sees what the client sent."""
        sound = self.audio.get(name)
        newest = self._latest.get(name) if sound is None else sound.latest()
        return None if newest is None else newest.copy()

    def read(self, name: str, samples: int, timeout: float | None) -> NDArray[np.int16] | None:
        return self.audio[name].read(samples, timeout)

    def wake(self) -> None:
        """Let readers see that the session is to end."""
        for sound in self.audio.values():
            sound.wake()

    def clear(self) -> None:
        self._latest.clear()
        for sound in self.audio.values():
            sound.clear()
