"""Things that other libraries make: tensors of every kind, and what is no picture but contains one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reactor_runtime.errors import FrameError

_TEXT_WITHIN = 200


def refuse_odd_tensor(tensor: Any, what: str = "frame") -> None:
    """Raises `FrameError` for torch tensors whose values do not lie in memory as their shape says."""
    layout = str(getattr(tensor, "layout", "torch.strided"))
    if getattr(tensor, "is_quantized", False):
        kind, line = f"quantized tensor ({tensor.dtype})", f"{what}.dequantize()"
    elif getattr(tensor, "is_nested", False):
        kind, line = "nested tensor", f"for each in {what}.unbind(): track.emit(each)"
    elif layout != "torch.strided":
        kind, line = f"tensor of layout {layout}", f"{what}.to_dense()"
    elif getattr(tensor, "is_meta", False):
        raise FrameError("emit() got a tensor on the device 'meta', which has a shape and no values.")
    elif getattr(tensor.dtype, "is_complex", False):
        kind, line = f"tensor of complex numbers ({tensor.dtype})", f"{what}.real"
    else:
        return
    raise FrameError(f"emit() got a {kind}. Write `{line}`.")


def plain_array(tensor: Any) -> NDArray[Any]:
    """The values of a torch tensor; floats as float32 or wider. Raises `FrameError` in torch's words."""
    try:
        tensor = tensor.detach()
        if tensor.dtype.is_floating_point:
            tensor = tensor.float()
        # What torch has put off, as the sign of an imaginary part, numpy cannot read.
        return np.asarray(tensor.cpu().resolve_conj().resolve_neg().numpy())
    except (RuntimeError, NotImplementedError, TypeError) as error:
        text = str(error).split("\n")[0][:_TEXT_WITHIN]
        raise FrameError(
            f"emit() got a tensor of {tensor.dtype} whose values cannot be read: {text}"
        ) from error


def line_for(value: Any) -> str:
    """What to emit in place of `value`, which is no picture; empty where that is not clear."""
    if isinstance(value, str):
        return "Image.open(frame)"
    if isinstance(value, bytes | bytearray | memoryview):
        return "Image.open(io.BytesIO(frame))"
    if isinstance(value, list | tuple):
        return _of_several(value)
    if isinstance(value, dict):
        return next((f"frame[{key!r}]" for key in value if key in ("frames", "images", "video")), "")
    for attribute in ("frames", "images", "videos"):  # what pipelines return
        if isinstance(getattr(value, attribute, None), list | tuple | np.ndarray):
            return f"frame.{attribute}[0]"
    if hasattr(value, "to_ndarray"):  # PyAV
        return "frame.to_ndarray(format='rgb24')"
    if hasattr(value, "__next__"):
        return "for each in frames: track.emit(each)"
    if hasattr(value, "__array__") or hasattr(value, "__array_interface__"):
        return "np.asarray(frame)"
    return ""


def _of_several(values: list[Any] | tuple[Any, ...]) -> str:
    if not values:
        return ""
    first = values[0]
    if not _of_one_size(values):  # no track takes several sizes in one batch, and stack() would refuse them
        return "for each in frames: track.emit(each)"
    if isinstance(first, np.ndarray):
        return "np.stack(frames)"
    if hasattr(first, "detach"):
        return "torch.stack(frames)"
    if hasattr(first, "convert"):
        return "np.stack([np.asarray(each.convert('RGB')) for each in frames])"
    if isinstance(first, list | tuple | int | float):
        return "np.array(frame, np.uint8)"
    return ""


def _of_one_size(values: list[Any] | tuple[Any, ...]) -> bool:
    """Of arrays and tensors by their shape, of images by their size; what has neither is taken for equal."""
    first = values[0]
    name = "shape" if hasattr(first, "shape") else "size"
    return all(getattr(each, name, None) == getattr(first, name, None) for each in values)
