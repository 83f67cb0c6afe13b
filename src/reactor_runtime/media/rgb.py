"""Pictures as the model emitted them, on their way to the encoders.

`emit` holds the model for a copy, a third of what a conversion takes: it is an encoder that waits for the
converted picture, on its own thread. A picture that nobody takes, or that is dropped on its way, is never
converted, and the first picture of a batch does not wait for the conversion of the last.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .i420 import BufferPool, I420Frame, even_sides, to_i420


@dataclass(frozen=True)
class Pools:
    """Where the buffers of one session's pictures come from."""

    rgb: BufferPool = field(default_factory=BufferPool)
    i420: BufferPool = field(default_factory=BufferPool)


class RgbFrame:
    """A copy of ``(height, width, 3)`` uint8 RGB that becomes I420 when somebody first asks for that.

    Sides are even: an odd source is padded by repeating its last row or column. `index` counts the frames of
    the track in this session, and `emitted` is when the model gave this one, by the clock of the plane.
    """

    __slots__ = ("__weakref__", "_converting", "_held", "_pools", "emitted", "height", "index", "width")

    def __init__(self, rgb: NDArray[np.uint8], pools: Pools, index: int) -> None:
        """The caller may change `rgb` afterwards. Releases the GIL while it copies."""
        if rgb.shape[0] % 2 or rgb.shape[1] % 2:
            copy = even_sides(rgb)
        else:
            copy = pools.rgb.take(rgb.shape)
            np.copyto(copy, rgb)
        self._pools = pools
        self._held: NDArray[np.uint8] | I420Frame = copy
        self._converting = threading.Lock()
        """Guards `_held`: one converts, the others wait for that. Nothing else is taken meanwhile."""
        self.height, self.width = copy.shape[:2]
        self.index = index
        self.emitted = 0.0

    def i420(self) -> I420Frame:
        """Any thread; releases the GIL while it converts, and others wait for that one conversion."""
        with self._converting:
            held = self._held
            if isinstance(held, np.ndarray):
                self._held = to_i420(held, self._pools.i420, self.index)
                self._pools.rgb.give_back(held)
                held = self._held
            return held

    def __del__(self) -> None:
        held = getattr(self, "_held", None)
        if isinstance(held, np.ndarray):
            self._pools.rgb.give_back(held)


Frame = RgbFrame | I420Frame
"""What waits between model and encoders; from a GPU it comes as I420."""
