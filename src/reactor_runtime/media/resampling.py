"""From one rate and channel count to another, without a seam between blocks."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

_LAYOUTS = {1: "mono", 2: "stereo"}


class Resampler:
    """Blocks ``(channels, M)`` int16 in, blocks at another rate out. One thread at a time.

    It keeps the last samples of a block for the next one, so a stream needs one of its own; it lags by some
    tens of samples.
    """

    def __init__(self, rate: int, channels: int) -> None:
        """`rate` and `channels` are those of the result."""
        self.rate = rate
        self.channels = channels
        self._given: tuple[int, int] | None = None
        self._native: av.AudioResampler | None = None

    def convert(self, block: NDArray[np.int16], rate: int) -> NDArray[np.int16]:
        """``(channels, M)`` int16 at our rate; may be empty, and may be `block` itself."""
        given = (rate, block.shape[0])
        if given != self._given:
            self._given = given
            same = given == (self.rate, self.channels)
            self._native = None if same else self._open()
        if self._native is None or not block.shape[1]:
            return block
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block), format="s16p", layout=_LAYOUTS[block.shape[0]]
        )
        frame.sample_rate = rate
        parts = [np.asarray(part.to_ndarray(), dtype=np.int16) for part in self._native.resample(frame)]
        return np.concatenate(parts, axis=1) if parts else np.empty((self.channels, 0), np.int16)

    def _open(self) -> av.AudioResampler:
        return av.AudioResampler(format="s16p", layout=_LAYOUTS[self.channels], rate=self.rate)
