"""PIL images as arrays, with what each mode means: 16 bits and floats are scaled, never cut off."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_runtime.errors import FrameError

from .mending import as_advice

_FULL_16_BIT = 65_535.0
_ARRAY = "np.asarray(image)"


def from_image(image: Any) -> NDArray[Any]:
    """``(H, W, 3)`` uint8, or floats in [0, 1] as far as the image has them. Raises `FrameError`."""
    try:
        if image.mode.startswith("I;16"):
            return _grey(np.asarray(image).astype(np.float32) / _FULL_16_BIT)
        if image.mode == "F":
            return _grey(np.asarray(image))
        if image.mode == "I":
            raise FrameError(_integers(np.asarray(image)))
        return np.asarray(image.convert("RGB"))
    except (ValueError, OSError) as error:
        if isinstance(error, FrameError):
            raise
        raise FrameError(
            f"emit() got a PIL image of mode {image.mode} that cannot be read: {str(error)[:200]}."
            f"{as_advice(_other_way(image.mode))}"
        ) from error


def _grey(plane: NDArray[Any]) -> NDArray[Any]:
    """One channel as the three of a picture; a view."""
    return np.broadcast_to(plane[:, :, np.newaxis], (*plane.shape, 3))


def _integers(plane: NDArray[Any]) -> str:
    """The refusal of whole numbers of 32 bits, whose range nobody knows."""
    low, high = (int(plane.min()), int(plane.max())) if plane.size else (0, 0)
    line = f"Image.fromarray((({_ARRAY} - {low}) / {max(1, high - low)} * 255).astype(np.uint8))"
    if low >= 0 and high <= 255:
        line = f"Image.fromarray({_ARRAY}.astype(np.uint8))"
    elif low >= 0 and high <= _FULL_16_BIT:
        line = f"Image.fromarray(({_ARRAY} / 257).astype(np.uint8))"
    return f"emit() got a PIL image of mode I, 32-bit integers from {low} to {high}.{as_advice(line)}"


def _other_way(mode: str) -> str:
    return {"La": "image.convert('LA')", "RGBa": "image.convert('RGBA')"}.get(mode, "")
