"""What `emit` takes on an audio track, checked and brought into one form."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_runtime.errors import FrameError

from .foreign import plain_array, refuse_odd_tensor
from .mending import as_advice

BLOCK_LIMIT_S = 60.0
"""Sound in one `emit`; more is a whole recording, and should be emitted in steps."""
FLOAT_SLACK = 0.25
"""How far a float may leave [-1, 1]: vocoders and resamplers overshoot, and what overshoots is clipped."""
INT16_FULL = 32_767.0

Samples = NDArray[np.int16]


def to_samples(frame: Any, channels: int, rate: int) -> Samples:
    """Bring `frame` into ``(channels, M)`` int16; M may be 0.

    The result may share memory with `frame`. One channel given to a stereo track sounds on both sides. Raises
    `FrameError`, which says what was given.
    """
    array = _as_array(frame, channels)
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2 or array.shape[0] not in (1, channels):
        raise FrameError(f"emit() got {_given(frame)}{_hint(array, channels)}; {_accepted(channels)}.")
    if array.shape[1] > BLOCK_LIMIT_S * rate:
        raise FrameError(
            f"emit() got {array.shape[1] / rate:.0f} s of sound at once; give at most {BLOCK_LIMIT_S:g} s."
        )
    samples = _to_int16(array, frame, channels)
    return np.repeat(samples, channels, axis=0) if samples.shape[0] < channels else samples


def _to_int16(array: NDArray[Any], frame: Any, channels: int) -> Samples:
    if array.dtype == np.int16:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise FrameError(f"emit() got {_given(frame)}; {_accepted(channels)}.{as_advice(_integers(array))}")
    if not array.size:
        return array.astype(np.int16)
    low, high = float(array.min()), float(array.max())
    # Written so that NaN fails it too.
    if not (low >= -1.0 - FLOAT_SLACK and high <= 1.0 + FLOAT_SLACK):
        raise FrameError(
            f"emit() got floats from {low:g} to {high:g}; sound must lie in [-1, 1]. "
            f"Scale it, or convert it to int16.{as_advice(_line(low, high))}"
        )
    scaled = np.clip(array.astype(np.float32), -1.0, 1.0) * np.float32(INT16_FULL)
    return np.asarray(np.rint(scaled), dtype=np.int16)


def _line(low: float, high: float) -> str:
    """What brings floats into [-1, 1]."""
    if not np.isfinite([low, high]).all():
        return "np.nan_to_num(sound, posinf=1, neginf=-1)"
    if low >= -INT16_FULL - 1 and high <= INT16_FULL:
        return "sound.astype(np.int16)"
    return "sound / np.abs(sound).max()"


def _integers(array: NDArray[Any]) -> str:
    """What makes int16 of other whole numbers."""
    if array.dtype == np.int32:
        return "(sound >> 16).astype(np.int16)"
    if array.dtype == np.uint8:
        return "((sound.astype(np.int16) - 128) << 8)"
    return "sound.astype(np.int16)" if array.dtype.kind in "iu" else ""


def _as_array(frame: Any, channels: int) -> NDArray[Any]:
    if isinstance(frame, np.ndarray):
        return frame
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(frame, torch.Tensor):
        refuse_odd_tensor(frame, "sound")
        return plain_array(frame)
    raise FrameError(f"emit() got a {type(frame).__name__}; {_accepted(channels)}.")


def _given(frame: Any) -> str:
    return f"an array of shape {tuple(frame.shape)} and dtype {frame.dtype}"


def _hint(array: NDArray[Any], channels: int) -> str:
    if array.ndim == 2 and array.shape[1] in (1, channels):
        return " (channels come first: emit its transpose)"
    if array.ndim == 2 and array.shape[0] == 2 and channels == 1:
        return " on a mono track (declare AudioOut(channels=2), or mix the channels)"
    return ""


def _accepted(channels: int) -> str:
    return (
        f"accepted on this track: (M,) or ({channels}, M), int16 or float in [-1, 1], "
        "as a numpy array or a torch tensor"
    )
