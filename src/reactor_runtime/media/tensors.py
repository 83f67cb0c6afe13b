"""Torch tensors on an accelerator: converted where they are, so that 1.5 instead of 3 bytes a pixel come
down.

Torch is used only if the author has imported it. The same code runs on any device; on the CPU OpenCV is
faster, so `is_on_accelerator` keeps tensors there out of it.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_runtime.errors import FrameError

from .foreign import plain_array, refuse_odd_tensor
from .frames import ACCEPTED, FLOAT_SLACK, MAX_SIDE, refuse_values
from .mending import TORCH, as_advice, mended

# BT.601, limited range (ITU-R BT.601-7 section 2.5): rows Y, U, V; columns R, G, B; for values from 0 to 255.
_MATRIX = (
    (65.481 / 255, 128.553 / 255, 24.966 / 255),
    (-37.797 / 255, -74.203 / 255, 112.0 / 255),
    (112.0 / 255, -93.786 / 255, -18.214 / 255),
)
_OFFSET = (16.0, 128.0, 128.0)


def is_on_accelerator(frame: Any) -> bool:
    """Whether `frame` is a torch tensor that is not in main memory."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(frame, torch.Tensor) and frame.device.type != "cpu"


def to_i420_batch(tensor: Any) -> NDArray[np.uint8]:
    """``(N, H * 3 / 2, W)`` uint8, both sides made even, of a tensor as `emit` takes it.

    Works on the tensor's device and waits for it. Raises `FrameError`.
    """
    torch = sys.modules["torch"]
    refuse_odd_tensor(tensor)
    planar = _planar(tensor.detach())
    if planar.shape[0] == 0:
        return np.empty((0, 0, 0), np.uint8)
    rgb = _even(torch, _to_255(planar, tensor))
    luma = _mix(rgb, 0)
    quarter = torch.nn.functional.avg_pool2d(rgb, 2)
    planes = [plane.flatten(1) for plane in (luma, _mix(quarter, 1), _mix(quarter, 2))]
    count, _, height, width = rgb.shape
    joined = torch.cat(planes, 1).round_().clamp_(0, 255).to(torch.uint8)
    return np.asarray(joined.view(count, height * 3 // 2, width).cpu().numpy())


def _planar(tensor: Any) -> Any:
    """``(N, 3, H, W)``."""
    given = tensor
    if tensor.ndim == 3:
        tensor = tensor.unsqueeze(0)
    if tensor.ndim == 4 and tensor.shape[-1] == 3:
        tensor = tensor.movedim(-1, 1)
    if tensor.ndim != 4 or tensor.shape[1] != 3:
        raise FrameError(f"emit() got a tensor of shape {tuple(given.shape)}; {ACCEPTED}.{_advice(given)}")
    if tensor.shape[0] and not all(0 < side <= MAX_SIDE for side in tensor.shape[2:]):
        raise FrameError(f"emit() got shape {tuple(given.shape)}; each side must be 1 to {MAX_SIDE} pixels.")
    return tensor


def _advice(tensor: Any) -> str:
    return as_advice(mended(plain_array(tensor), TORCH))


def _to_255(planar: Any, given: Any) -> Any:
    """float32 from 0 to 255."""
    torch = sys.modules["torch"]
    if planar.dtype == torch.uint8:
        return planar.float()
    if not planar.dtype.is_floating_point:
        raise FrameError(f"emit() got a tensor of {planar.dtype}; {ACCEPTED}.{_advice(given)}")
    low, high = (float(bound) for bound in planar.float().aminmax())
    # Written so that NaN fails it too.
    if not (low >= -FLOAT_SLACK and high <= 1.0 + FLOAT_SLACK):
        refuse_values(low, high, _advice(given))
    return planar.float().clamp(0.0, 1.0) * 255.0


def _even(torch: Any, rgb: Any) -> Any:
    """Repeat the last row or column where a side is odd."""
    height, width = rgb.shape[2:]
    if height % 2 or width % 2:
        return torch.nn.functional.pad(rgb, (0, width % 2, 0, height % 2), mode="replicate")
    return rgb


def _mix(rgb: Any, row: int) -> Any:
    red, green, blue = _MATRIX[row]
    return rgb[:, 0] * red + rgb[:, 1] * green + rgb[:, 2] * blue + _OFFSET[row]
