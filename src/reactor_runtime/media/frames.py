"""What `emit` takes on a video track, checked and brought into one form."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray

from reactor_runtime.errors import FrameError

from .foreign import line_for, plain_array, refuse_odd_tensor
from .images import from_image
from .mending import TORCH, as_advice, mended, resized

ACCEPTED = (
    "accepted: (H, W, 3) or (N, H, W, 3), uint8 RGB or float in [0, 1], as a numpy array or a torch tensor "
    "(torch also channels first), or a PIL image"
)
MAX_SIDE = 8192
"""Pixels a side; beyond what the encoders and browsers decode in real time."""
FLOAT_SLACK = 1.0 / 255.0
"""How far a float may leave [0, 1] before we call it an error: decoders overshoot by rounding."""
UINT8 = np.dtype(np.uint8)

RgbBatch = NDArray[np.uint8]


def to_rgb_batch(frame: Any) -> RgbBatch:
    """Bring `frame` into ``(N, H, W, 3)`` uint8 RGB; N may be 0.

    The result may share memory with `frame`. Raises `FrameError`, which says what was given.
    """
    array = _as_array(frame)
    if array.ndim == 3:
        array = array[np.newaxis]
    if array.ndim != 4 or array.shape[-1] != 3:
        raise FrameError(
            f"emit() got an array of shape {_shape(frame, array)}; {ACCEPTED}.{_advice(frame, array)}"
        )
    _check_size(array, frame)
    if array.dtype != UINT8:
        if array.dtype.kind != "f":
            raise FrameError(f"emit() got dtype {array.dtype}; {ACCEPTED}.{_advice(frame, array)}")
        array = _scale(array, frame)
    return _merged(array) if _is_planar(array) else array


def refuse_values(low: float, high: float, advice: str) -> NoReturn:
    """Raises for floats that are not in [0, 1]."""
    raise FrameError(f"emit() got floats from {low:g} to {high:g}; they must lie in [0, 1].{advice}")


def _advice(frame: Any, array: NDArray[Any]) -> str:
    """The line that mends it, in the words of the library that made it."""
    if isinstance(frame, np.ndarray):
        return as_advice(mended(frame))
    if hasattr(frame, "detach"):
        return as_advice(mended(_from_torch(frame, ordered=False), TORCH))
    return as_advice(mended(np.asarray(frame), name="np.asarray(image)"))


def _check_size(array: NDArray[Any], frame: Any) -> None:
    count, height, width, _ = array.shape
    if count and not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        line = resized(height, width) if height and width and count == 1 else ""
        raise FrameError(
            f"emit() got shape {_shape(frame, array)}; each side must be 1 to {MAX_SIDE} pixels."
            f"{as_advice(line)}"
        )


def _is_planar(batch: NDArray[Any]) -> bool:
    """Whether the memory is a plane for each channel: what torch has channels first, and views of that."""
    return not batch.flags.c_contiguous and batch.transpose(0, 3, 1, 2).flags.c_contiguous


def _merged(batch: RgbBatch) -> RgbBatch:
    """Planes as pixels. A copy that follows the strides gives the same and takes twenty times as long."""
    pixels = np.empty(batch.shape, np.uint8)
    for planes, target in zip(batch.transpose(0, 3, 1, 2), pixels, strict=True):
        cv2.merge(list(planes), target)
    return pixels


def _scale(array: NDArray[Any], frame: Any) -> RgbBatch:
    """Floats in [0, 1] as uint8, with the axes and the order in memory that they have."""
    if array.size == 0:
        return array.astype(np.uint8)
    if _is_planar(array):
        return _scaled(array.transpose(0, 3, 1, 2), frame).transpose(0, 2, 3, 1)
    return _scaled(np.ascontiguousarray(array), frame)


def _scaled(array: NDArray[Any], frame: Any) -> NDArray[np.uint8]:
    if array.dtype.itemsize < 4:
        array = array.astype(np.float32)  # numpy looks for the extremes of float16 one by one
    low, high = float(array.min()), float(array.max())
    # Written so that NaN fails it too.
    if not (low >= -FLOAT_SLACK and high <= 1.0 + FLOAT_SLACK):
        refuse_values(low, high, _advice(frame, array))
    flat = array.astype(np.float32, copy=False).reshape(array.shape[0], -1)
    if low < 0:
        flat = np.maximum(flat, 0.0)
    # Saturates, rounds and releases the GIL, unlike numpy's astype.
    scaled = cv2.convertScaleAbs(flat, alpha=255.0)
    return np.asarray(scaled, dtype=np.uint8).reshape(array.shape)


def _as_array(frame: Any) -> NDArray[Any]:
    if isinstance(frame, np.ndarray):
        return np.asarray(frame)  # a matrix has two dimensions, whatever is done to it
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(frame, torch.Tensor):
        refuse_odd_tensor(frame)
        return _from_torch(frame)
    pil = sys.modules.get("PIL.Image")
    if pil is not None and isinstance(frame, pil.Image):
        return from_image(frame)
    raise FrameError(f"emit() got a {type(frame).__name__}; {ACCEPTED}.{as_advice(line_for(frame))}")


def _from_torch(tensor: Any, ordered: bool = True) -> NDArray[Any]:
    if ordered and tensor.ndim in (3, 4) and tensor.shape[-1] != 3 and tensor.shape[-3] == 3:
        tensor = tensor.movedim(-3, -1)
    return plain_array(tensor)


def _shape(frame: Any, array: NDArray[Any]) -> tuple[int, ...]:
    """As the author gave it; an image has no shape of its own."""
    return tuple(getattr(frame, "shape", array.shape))
