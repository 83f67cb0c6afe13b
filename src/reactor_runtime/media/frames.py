"""What `emit` takes on a video track, checked and brought into one form."""

from __future__ import annotations

import sys
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reactor_runtime.errors import FrameError

ACCEPTED = (
    "accepted: (H, W, 3) or (N, H, W, 3), uint8 RGB or float in [0, 1], as a numpy array or a torch tensor "
    "(torch also channels first), or a PIL image"
)
MAX_SIDE = 8192
"""Pixels a side; beyond what the encoders and browsers decode in real time."""
FLOAT_SLACK = 1.0 / 255.0
"""How far a float may leave [0, 1] before we call it an error: decoders overshoot by rounding."""

RgbBatch = NDArray[np.uint8]


def to_rgb_batch(frame: Any) -> RgbBatch:
    """Bring `frame` into ``(N, H, W, 3)`` uint8 RGB; N may be 0.

    The result may share memory with `frame`. Raises `FrameError`, which says what was given.
    """
    array = _as_array(frame)
    if array.ndim == 3:
        array = array[np.newaxis]
    if array.ndim != 4 or array.shape[-1] != 3:
        raise FrameError(f"emit() got an array of shape {_shape(frame, array)}; {ACCEPTED}.")
    _check_size(array, frame)
    if array.dtype == np.uint8:
        return array
    if np.issubdtype(array.dtype, np.floating):
        return _scale(array)
    raise FrameError(f"emit() got dtype {array.dtype}; {ACCEPTED}.")


def _check_size(array: NDArray[Any], frame: Any) -> None:
    count, height, width, _ = array.shape
    if count and not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise FrameError(
            f"emit() got shape {_shape(frame, array)}; each side must be 1 to {MAX_SIDE} pixels."
        )


def _scale(array: NDArray[Any]) -> RgbBatch:
    if array.size == 0:
        return array.astype(np.uint8)
    low, high = float(array.min()), float(array.max())
    # Written so that NaN fails it too.
    if not (low >= -FLOAT_SLACK and high <= 1.0 + FLOAT_SLACK):
        raise FrameError(
            f"emit() got floats from {low:g} to {high:g}; they must lie in [0, 1]. "
            "Scale the frame, or convert it to uint8 with values from 0 to 255."
        )
    flat = np.ascontiguousarray(array, dtype=np.float32).reshape(array.shape[0], -1)
    # Saturates, rounds and releases the GIL, unlike numpy's astype.
    scaled = cv2.convertScaleAbs(np.maximum(flat, 0.0), alpha=255.0)
    return np.asarray(scaled, dtype=np.uint8).reshape(array.shape)


def _as_array(frame: Any) -> NDArray[Any]:
    if isinstance(frame, np.ndarray):
        return frame
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(frame, torch.Tensor):
        return _from_torch(frame)
    pil = sys.modules.get("PIL.Image")
    if pil is not None and isinstance(frame, pil.Image):
        return np.asarray(frame.convert("RGB"))
    raise FrameError(f"emit() got a {type(frame).__name__}; {ACCEPTED}.")


def _from_torch(tensor: Any) -> NDArray[Any]:
    if tensor.ndim in (3, 4) and tensor.shape[-1] != 3 and tensor.shape[-3] == 3:
        tensor = tensor.movedim(-3, -1)
    tensor = tensor.detach()
    if not tensor.dtype.is_floating_point:
        return np.asarray(tensor.cpu().numpy())
    return np.asarray(tensor.float().cpu().numpy())


def _shape(frame: Any, array: NDArray[Any]) -> tuple[int, ...]:
    """As the author gave it; an image has no shape of its own."""
    return tuple(getattr(frame, "shape", array.shape))
