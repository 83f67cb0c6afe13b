"""Arrays and tensors: a few elements, a version counter where there is one, all of it only where it is small.

A fixed sample catches a change of all of an array. One element of a large array of numpy can change unseen;
one of a large tensor cannot, because its version counter moves.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

SAMPLE = 64
"""Elements that are looked at, evenly spread."""
WHOLE_ARRAY = 64 * 1024
"""Bytes of an array up to which it is kept whole."""
WHOLE_TENSOR = 2**20
"""Bytes of a tensor up to which it is kept whole, to be compared when its version has moved."""
WHOLE_TOTAL = 128 * 2**20
"""Bytes that the wholes of a model may take together."""
CONSTANT_LIMIT = 512 * 2**20
"""Bytes of a tensor that may be read to see that it is all one value again."""


class Room:
    """How many bytes of wholes may still be kept."""

    def __init__(self, total: int = WHOLE_TOTAL) -> None:
        self.left = total

    def take(self, size: int) -> bool:
        if size > self.left:
            return False
        self.left -= size
        return True


def _positions(size: int) -> Any:
    return np.linspace(0, size - 1, min(SAMPLE, size)).astype(np.int64)


class ArrayPrint:
    """What is remembered of a numpy array; the array itself is not kept alive."""

    __slots__ = ("data", "dtype", "index", "shape", "type")

    def __init__(self, array: Any, room: Room) -> None:
        self.type = type(array)
        plain = np.ndarray.view(array, np.ndarray)
        self.shape: tuple[int, ...] = plain.shape
        self.dtype = plain.dtype
        self.index: tuple[Any, ...] | None = None
        small = plain.nbytes <= WHOLE_ARRAY and room.take(plain.nbytes)
        if not small and plain.size:
            self.index = np.unravel_index(_positions(plain.size), plain.shape)
        self.data = self._read(plain)

    def difference(self, array: Any) -> str | None:
        """In words what changed, or None."""
        plain = np.ndarray.view(array, np.ndarray)
        if plain.shape != self.shape or plain.dtype != self.dtype:
            return words(plain.shape, plain.dtype)
        data = self._read(plain)
        if data == self.data:
            return None
        old, new = (np.frombuffer(each, np.uint8) for each in (self.data, data))
        share = int(np.count_nonzero(old != new) * 100 / max(1, old.size))
        return f"{words(plain.shape, plain.dtype)} with other values ({max(1, share)} % of those looked at)"

    def describe(self) -> str:
        return words(self.shape, self.dtype)

    def digest(self) -> object:
        return ("array", self.shape, str(self.dtype), self.data)

    def _read(self, plain: Any) -> bytes:
        if plain.dtype.hasobject:
            return b""  # its elements are the author's objects
        return bytes((plain if self.index is None else plain[self.index]).tobytes())


def words(shape: Any, dtype: Any) -> str:
    return f"an array {tuple(shape)} {str(dtype).removeprefix('torch.')}"


class TensorPrint:
    """What is remembered of a torch tensor; the tensor itself is not kept alive."""

    __slots__ = (
        *("constant", "device", "dtype", "ident", "index", "pointer", "quick", "sample", "shape"),
        *("trained", "type", "version", "whole"),
    )

    def __init__(self, tensor: Any, room: Room) -> None:
        self.type = type(tensor)
        with _plainly():
            flat = tensor.detach()
            self.shape, self.dtype, self.device = tensor.shape, tensor.dtype, tensor.device
            self.trained = bool(tensor.requires_grad)
            self._identify(tensor, flat)
            self.quick = _positions(flat.numel()) if _is_quick(flat) else None
            self.index = None if self.quick is not None else _tensor_index(flat)
            self.sample = self._read_sample(flat)
            width = flat.element_size()
            size = flat.numel() * width
            self.whole: bytes | None = _bytes(flat) if size <= WHOLE_TENSOR and room.take(size) else None
            repeated = self.sample[:width] * (len(self.sample) // width)
            self.constant = bool(self.sample) and self.sample == repeated

    def difference(self, tensor: Any) -> str | None:
        """In words what changed, or None."""
        with _plainly():
            if not self._is_alike(tensor):
                return words(tensor.shape, tensor.dtype)
            flat = tensor.detach()
            untouched = (
                id(tensor) == self.ident
                and flat.data_ptr() == self.pointer
                and _version(tensor) == self.version
            )
            if untouched and (flat.device.type != "cpu" or self.sample == self._read_sample(flat)):
                return None
            changed = self._changed(tensor, flat)
            if changed is None:
                self._identify(tensor, flat)
            return changed

    def describe(self) -> str:
        return words(self.shape, self.dtype)

    def digest(self) -> object:
        return ("tensor", tuple(self.shape), str(self.dtype), self.sample, self.whole)

    def _is_alike(self, tensor: Any) -> bool:
        return bool(
            tensor.shape == self.shape
            and tensor.dtype is self.dtype
            and tensor.device == self.device
            and tensor.requires_grad is self.trained
        )

    def _changed(self, tensor: Any, flat: Any) -> str | None:
        shown = words(flat.shape, flat.dtype)
        if self.sample != self._read_sample(flat):
            return f"{shown} with other values"
        if self.whole is not None:
            return None if self.whole == _bytes(flat) else f"{shown} with other values"
        written = id(tensor) == self.ident and _version(tensor) != self.version
        if not written or (self.constant and _is_constant(flat)):
            return None
        return f"{shown} that was written in place (version {self.version}, now {_version(tensor)})"

    def _identify(self, tensor: Any, flat: Any) -> None:
        self.ident = id(tensor)
        self.version = _version(tensor)
        self.pointer = flat.data_ptr()

    def _read_sample(self, flat: Any) -> bytes:
        if self.quick is not None and flat.is_contiguous():
            return bytes(flat.numpy().reshape(-1)[self.quick].tobytes())
        if self.index is None:
            self.index = _tensor_index(flat)
        return _bytes(flat[self.index]) if self.index is not None else b""


def _is_quick(flat: Any) -> bool:
    """Whether numpy can look at the memory of a tensor as it is."""
    if flat.device.type != "cpu" or not flat.is_contiguous() or not flat.numel():
        return False
    try:
        flat.numpy()
    except (RuntimeError, TypeError):
        return False  # bfloat16, and what is conjugated lazily
    return True


def _plainly() -> Any:
    """No method of an author's subclass of Tensor runs inside, and nothing is recorded for gradients."""
    torch = sys.modules["torch"]
    return torch._C.DisableTorchFunctionSubclass()


def _version(tensor: Any) -> int | None:
    try:
        return int(tensor._version)
    except RuntimeError:
        return None  # made in inference mode, where nothing counts


def _tensor_index(flat: Any) -> tuple[Any, ...] | None:
    if not flat.numel():
        return None
    torch = sys.modules["torch"]
    if flat.dim() == 0:
        return ()
    index = np.unravel_index(_positions(flat.numel()), tuple(flat.shape))
    return tuple(torch.from_numpy(np.ascontiguousarray(each)).to(flat.device) for each in index)


def _bytes(flat: Any) -> bytes:
    torch = sys.modules["torch"]
    plain = flat.reshape(-1).contiguous().cpu()
    return bytes(plain.view(torch.uint8).numpy().tobytes()) if plain.numel() else b""


def _is_constant(flat: Any) -> bool:
    if flat.numel() * flat.element_size() > CONSTANT_LIMIT:
        return False
    return bool((flat == flat.reshape(-1)[0]).all())
