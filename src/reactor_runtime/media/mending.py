"""For a picture that `emit` refuses: the line of Python that would mend it, made from what was given.

Each step is done to the picture as well as written down, so that the line is one that helps. Only refused
pictures come here: nothing of this is quick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHANNELS = 3
FITS_SIDE = 1920
FITS_OTHER = 1080
"""What a proposed size fits into, in either orientation."""
_FULL_16_BIT = 65_535
_NEARLY = 0.5
"""A float that leaves [0, 1] by no more than this has overshot; by more, it means another range."""


@dataclass(frozen=True)
class Words:
    """How a library spells what mends a picture; ``{}`` is the picture."""

    order: str
    grey: str
    repeat: str
    to_uint8: str
    clip: str
    finite: str
    spread: str


NUMPY = Words(
    order="{}.transpose",
    grey="np.stack([{}] * 3, axis=-1)",
    repeat="np.repeat({}, 3, axis=-1)",
    to_uint8="{}.astype(np.uint8)",
    clip="np.clip({}, %s)",
    finite="np.nan_to_num({}, posinf=%s, neginf=0)",
    spread="({0} - {0}.min()) / np.ptp({0})",
)
TORCH = Words(
    order="{}.permute",
    grey="torch.stack([{}] * 3, -1)",
    repeat="{}.repeat_interleave(3, -1)",
    to_uint8="{}.to(torch.uint8)",
    clip="torch.clamp({}, %s)",
    finite="torch.nan_to_num({}, posinf=%s, neginf=0)",
    spread="({0} - {0}.min()) / ({0}.max() - {0}.min())",
)


class _Sketch:
    """A picture and the expression that makes it from what was given."""

    def __init__(self, array: NDArray[Any], words: Words, name: str) -> None:
        self.array, self.words, self.text = array, words, name

    def step(self, template: str, make: Callable[[NDArray[Any]], Any]) -> None:
        self.text = template.format(self.text)
        self.array = np.asarray(make(self.array))

    def order(self, *axes: int) -> None:
        self.step(f"{self.words.order}{axes}", lambda array: array.transpose(axes))


def mended(array: NDArray[Any], words: Words = NUMPY, name: str = "frame") -> str:
    """The expression that makes a picture of `array`, which is called `name`; empty where none is known."""
    sketch = _Sketch(array, words, name)
    if not _mend_shape(sketch) or not _mend_values(sketch):
        return ""
    return sketch.text if sketch.text != name else ""


def as_advice(line: str) -> str:
    """The sentence that says the line, to stand behind the one that refuses."""
    return f" Write `{line}`." if line else ""


def fitting(height: int, width: int) -> tuple[int, int]:
    """Height and width of the same shape that every encoder follows; even, as they want it."""
    long, short = max(height, width), min(height, width)
    scale = min(1.0, FITS_SIDE / long, FITS_OTHER / max(1, short))
    return max(2, round(height * scale / 2) * 2), max(2, round(width * scale / 2) * 2)


def smaller(height: int, width: int) -> tuple[int, int]:
    """The next size below one that an encoder does not follow."""
    rows, columns = fitting(height, width)
    if (rows, columns) != (height + height % 2, width + width % 2):
        return rows, columns
    return max(2, height // 4 * 2), max(2, width // 4 * 2)


def resized(height: int, width: int, name: str = "frame") -> str:
    """The expression that brings a picture down to a size that can be followed."""
    rows, columns = fitting(height, width)
    return f"cv2.resize({name}, ({columns}, {rows}), interpolation=cv2.INTER_AREA)"


def _mend_shape(sketch: _Sketch) -> bool:
    shape = sketch.array.shape
    if len(shape) == 5 and shape[0] >= 1:  # a batch of clips, of which most models make one
        sketch.step("{}[0]", lambda array: array[0])
        return _mend_shape(sketch)
    if len(shape) == 2:
        _mend_grey(sketch)
    elif len(shape) == 3 and shape[-1] != CHANNELS:
        _mend_picture(sketch, *shape)
    elif len(shape) == 4 and shape[-1] != CHANNELS:
        _mend_clip(sketch, *shape)
    return sketch.array.ndim in (3, 4) and sketch.array.shape[-1] == CHANNELS and bool(sketch.array.size)


def _mend_grey(sketch: _Sketch) -> None:
    sketch.step(sketch.words.grey, lambda array: np.stack([array] * CHANNELS, axis=-1))


def _repeat(sketch: _Sketch) -> None:
    sketch.step(sketch.words.repeat, lambda array: np.repeat(array, CHANNELS, axis=-1))


def _mend_picture(sketch: _Sketch, first: int, _: int, last: int) -> None:
    if last == CHANNELS + 1:
        sketch.step("{}[..., :3]", lambda array: array[..., :CHANNELS])
    elif last == 1:
        _repeat(sketch)
    elif first == CHANNELS:
        sketch.order(1, 2, 0)
    elif first == CHANNELS + 1:
        sketch.step("{}[:3]", lambda array: array[:CHANNELS])
        sketch.order(1, 2, 0)
    elif first == 1:
        sketch.order(1, 2, 0)
        _repeat(sketch)
    elif last > CHANNELS + 1 and first > CHANNELS + 1:  # grey pictures, one after the other
        _mend_grey(sketch)


def _mend_clip(sketch: _Sketch, count: int, second: int, _: int, last: int) -> None:
    if last == CHANNELS + 1:
        sketch.step("{}[..., :3]", lambda array: array[..., :CHANNELS])
    elif second == CHANNELS:
        sketch.order(0, 2, 3, 1)
    elif count == CHANNELS:
        sketch.order(1, 2, 3, 0)
    elif last == 1:
        _repeat(sketch)
    elif second == 1:
        sketch.order(0, 2, 3, 1)
        _repeat(sketch)
    elif second == CHANNELS + 1:
        sketch.step("{}[:, :3]", lambda array: array[:, :CHANNELS])
        sketch.order(0, 2, 3, 1)


def _mend_values(sketch: _Sketch) -> bool:
    kind = sketch.array.dtype.kind
    if kind == "c":
        sketch.step("{}.real", lambda array: array.real)
        kind = "f"
    if kind == "b":
        _to_uint8(sketch, "({} * 255)")
    elif kind in "iu" and sketch.array.dtype != np.uint8:
        _mend_integers(sketch)
    elif kind == "f":
        _mend_floats(sketch)
    return kind in "biuf"


def _mend_integers(sketch: _Sketch) -> None:
    low, high = int(sketch.array.min()), int(sketch.array.max())
    small = sketch.array.dtype == np.int8  # which holds no 255
    if low >= 0 and high <= 1:  # a mask
        _to_uint8(sketch, "({} * 255.0)" if small else "({} * 255)")
    elif small and low < 0:
        _to_uint8(sketch, "({} + 128.0)")
    elif low >= 0 and high <= 255:
        _to_uint8(sketch, "{}")
    elif low >= 0 and high <= _FULL_16_BIT:
        _to_uint8(sketch, "({} / 257)")
    elif low >= -255 and high <= 2 * 255:
        _to_uint8(sketch, sketch.words.clip % "0, 255")
    else:
        _to_uint8(sketch, f"({sketch.words.spread} * 255)")


def _mend_floats(sketch: _Sketch) -> None:
    finite = sketch.array[np.isfinite(sketch.array)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if finite.size < sketch.array.size:
        full = "255" if high > 1 + _NEARLY else "1"
        peak = float(full)
        sketch.step(sketch.words.finite % full, lambda array: np.nan_to_num(array, posinf=peak, neginf=0))
        high, low = max(high, float(sketch.array.max())), min(low, 0.0)
    if low >= 0 and high <= 1:
        return
    if low >= -_NEARLY and high <= 1 + _NEARLY:
        sketch.step(sketch.words.clip % "0, 1", lambda array: np.clip(array, 0, 1))
    elif low >= -1 and high <= 1:
        sketch.step("({} + 1) / 2", lambda array: (array + 1) / 2)
    elif low >= -1 - _NEARLY and high <= 1 + _NEARLY:
        sketch.step("({} + 1) / 2", lambda array: (array + 1) / 2)
        sketch.step(sketch.words.clip % "0, 1", lambda array: np.clip(array, 0, 1))
    elif low >= 0 and high <= 255:
        _to_uint8(sketch, "{}")
    elif low >= -255 and high <= 2 * 255:
        _to_uint8(sketch, sketch.words.clip % "0, 255")
    else:
        sketch.step(sketch.words.spread, lambda array: array)


def _to_uint8(sketch: _Sketch, template: str) -> None:
    inner = template.format(sketch.text)
    sketch.text = sketch.words.to_uint8.format(inner)
