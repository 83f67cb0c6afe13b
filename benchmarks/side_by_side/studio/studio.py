"""What the model of every contender does: the same moving picture, times and switches."""

from __future__ import annotations

import os
import time

import numpy as np
from numpy.typing import NDArray
from timecode import CODE_HEIGHT, stamp

SIZE = (int(os.environ.get("BENCH_WIDTH", "832")), int(os.environ.get("BENCH_HEIGHT", "480")))
FPS = 30.0
SLICE_S = 0.1
MARGIN = 256
"""Pixels of the canvas beyond the picture, for it to move over."""


class Studio:
    """Each step: `wait()` as long as a model would compute, then emit what `draw()` gives, at once."""

    def __init__(self, size: tuple[int, int] = SIZE) -> None:
        self.width, self.height = size
        self._canvas = texture(self.height + MARGIN, self.width + MARGIN)
        self._sprite = texture(self.height // 4, self.width // 4)[:, :, ::-1]
        self._counter = 0
        self._last: float | None = None
        self.fps = FPS
        self.tag = 0
        self._slow = 0.0

    def configure(self, fps: float = 0.0, slow: float = 0.0, tag: int = 0) -> int:
        """Change the rate, ask for one slow step of so many seconds, mark all later frames. Any thread."""
        if fps > 0:
            self.fps = fps
        self._slow = slow
        self.tag = tag
        return tag

    def wait(self) -> None:
        """The model computes: it is busy until the next frame is due, or for the slow step."""
        last, self._last = self._last, None
        if self._slow > 0:
            slow, self._slow = self._slow, 0.0
            time.sleep(slow)
            return
        # In slices: the rate may change meanwhile.
        while last is not None and (left := last + 1 / self.fps - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_S))
        now = time.monotonic()
        due = now if last is None else last + 1 / self.fps
        self._last = due if due > now - 1 / self.fps else now

    def draw(self) -> NDArray[np.uint8]:
        """A new ``(H, W, 3)`` uint8 RGB with the present moment in it."""
        picture = self.picture(self._counter)
        stamp(picture, self._counter, self.tag)
        self._counter += 1
        return picture

    def picture(self, step: int) -> NDArray[np.uint8]:
        """The picture of one step, without the time code."""
        x, y = _swing(step * 3), _swing(step)
        picture = self._canvas[y : y + self.height, x : x + self.width].copy()
        self._paste(picture, step)
        return picture

    def _paste(self, picture: NDArray[np.uint8], step: int) -> None:
        high, wide = self._sprite.shape[:2]
        left = step * 7 % (self.width - wide)
        top = CODE_HEIGHT + step * 2 % (self.height - high - CODE_HEIGHT)
        picture[top : top + high, left : left + wide] = self._sprite


def texture(height: int, width: int) -> NDArray[np.uint8]:
    """Noise of several grain sizes: as hard to compress as a detailed scene."""
    random = np.random.default_rng(7)
    total = np.full((height, width, 3), 128.0, np.float32)
    for grain, strength in ((1, 6.0), (4, 14.0), (16, 24.0), (64, 36.0)):
        small = random.normal(0, strength, (height // grain + 2, width // grain + 2, 3)).astype(np.float32)
        total += _grow(small, grain)[:height, :width]
    return np.clip(total, 0, 255).astype(np.uint8)


def _grow(small: NDArray[np.float32], grain: int) -> NDArray[np.float32]:
    """Enlarge by `grain`, blended along both sides."""
    for axis in (0, 1):
        following = np.roll(small, -1, axis)
        shares = np.arange(grain, dtype=np.float32) / grain
        steps = [small * (1 - share) + following * share for share in shares]
        shape = list(small.shape)
        shape[axis] *= grain
        small = np.stack(steps, axis + 1).reshape(shape)
    return small


def _swing(position: int) -> int:
    """To and fro over the margin."""
    around = position % (2 * MARGIN)
    return around if around < MARGIN else 2 * MARGIN - 1 - around
