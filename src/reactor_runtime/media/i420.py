"""One conversion per frame: RGB to I420 in a pooled buffer."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# OpenCV would wake its pool of workers for every conversion, and they wait actively: twice the processor time
# for the same wall time on two cores. An author whose model needs more threads says so in `__init__`.
cv2.setNumThreads(1)

POOL_LIMIT = 64
"""Free buffers kept at most; more than the pacer, the encoders and a batch hold between them at 30 fps."""


class BufferPool:
    """Free buffers of one shape. Buffers come back when the frame that holds them has no use for them.

    Any thread. Only the newest shape is kept: a model that changes its size does not go back and forth.
    Without a lock, because a frame may be collected, and come back, in the middle of `take`.
    """

    def __init__(self, limit: int = POOL_LIMIT) -> None:
        # Its `append` and `pop` are atomic.
        self._free: deque[NDArray[np.uint8]] = deque(maxlen=limit)

    def take(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """A uint8 buffer with undefined content."""
        while True:
            try:
                buffer = self._free.pop()
            except IndexError:
                return np.empty(shape, np.uint8)
            if buffer.shape == shape:
                return buffer

    def give_back(self, buffer: NDArray[np.uint8]) -> None:
        self._free.append(buffer)

    def __len__(self) -> int:
        return len(self._free)


@dataclass(eq=False, slots=True, weakref_slot=True)
class I420Frame:
    """A picture in planar YUV 4:2:0, BT.601 limited range.

    `data` is ``(height * 3 / 2, width)`` uint8: the Y plane, then U, then V. Sides are even: an odd source is
    padded by repeating its last row or column. `index` counts the frames of the track in this session.
    """

    data: NDArray[np.uint8]
    width: int
    height: int
    index: int
    pool: BufferPool | None = None
    emitted: float = 0.0
    """When the model gave it, by the clock of the plane."""

    def __del__(self) -> None:
        if self.pool is not None:
            self.pool.give_back(self.data)

    def i420(self) -> I420Frame:
        """Itself: what waits for an encoder may still have to be converted, see `rgb.Frame`."""
        return self

    def to_rgb(self) -> NDArray[np.uint8]:
        """``(height, width, 3)`` uint8 RGB, a new array."""
        return np.asarray(cv2.cvtColor(self.data, cv2.COLOR_YUV2RGB_I420), dtype=np.uint8)


def to_i420(rgb: NDArray[np.uint8], pool: BufferPool, index: int) -> I420Frame:
    """Convert ``(H, W, 3)`` uint8 RGB. Releases the GIL while it works."""
    rgb = even_sides(rgb)
    height, width = rgb.shape[:2]
    buffer = pool.take((height * 3 // 2, width))
    cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420, dst=buffer)
    return I420Frame(buffer, width, height, index, pool)


def black(height: int, width: int, pool: BufferPool, index: int) -> I420Frame:
    """A black picture; sides are rounded up to even."""
    height, width = height + height % 2, width + width % 2
    buffer = pool.take((height * 3 // 2, width))
    buffer[:height] = 16
    buffer[height:] = 128
    return I420Frame(buffer, width, height, index, pool)


def even_sides(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as OpenCV can convert it, with its last row or column repeated where a side is odd.

    Shares memory with `rgb` where that is one already.
    """
    height, width = rgb.shape[:2]
    if height % 2 or width % 2:
        padded = cv2.copyMakeBorder(
            np.ascontiguousarray(rgb), 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE
        )
        return np.asarray(padded, dtype=np.uint8)
    # OpenCV takes rows with gaps, but not pixels with gaps or reversed axes.
    if rgb.strides[2] == 1 and rgb.strides[1] == 3 and rgb.strides[0] >= width * 3:
        return rgb
    return np.ascontiguousarray(rgb)
