"""What is compared as one: by a few facts that C code gives, or by nothing but its type."""

from __future__ import annotations

import itertools
import random
import sys
import threading
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import numpy as np

from .samples import ArrayPrint, Room, TensorPrint
from .scalars import LONG
from .types_of import Types, derives, is_heap_type, module_of, name_of

OPAQUE_MODULES = (
    "asyncio",
    "concurrent.futures",
    "ctypes",
    "importlib",
    "inspect",
    "logging",
    "multiprocessing",
    "prometheus_client",
    "reactor_runtime",
    "subprocess",
    "torch._",
    "torch.fx",
    "tqdm",
    "triton",
    "typing",
    "unittest.mock",
    "warnings",
    "weakref",
    "_weakref",
)
"""Classes that keep books of their own, which differ without any user's doing. What they leave behind is
watched where it shows: threads, files, tasks, children."""

Fact = Callable[[Any], object]


def _sampled(data: Any) -> object:
    step = max(1, len(data) // LONG)
    return (len(data), bytes(data[::step]))


def _buffer(value: Any) -> object:
    with memoryview(value) as view:
        flat = view.cast("B") if view.contiguous else view
        return _sampled(flat)


def _numpy_generator(value: Any) -> object:
    return repr(value.bit_generator.state)


def _torch_generator(value: Any) -> object:
    return bytes(value.get_state().numpy().tobytes())


_FACTS: dict[str, Fact] = {
    "random.Random": lambda value: random.Random.getstate(value),
    "numpy.random._generator.Generator": _numpy_generator,
    "numpy.random.mtrand.RandomState": lambda value: repr(value.get_state(legacy=False)),
    "torch._C.Generator": _torch_generator,
    "builtins.bytearray": _buffer,
    "array.array": _buffer,
    "_thread.lock": lambda value: value.locked(),
    "_thread.RLock": lambda value: "owner=0" in repr(value),
    "itertools.count": repr,
    "_asyncio.Task": lambda value: value.done(),
    "_io.TextIOWrapper": lambda value: value.closed,
    "_io.BufferedReader": lambda value: value.closed,
    "_io.BufferedWriter": lambda value: value.closed,
    "_io.FileIO": lambda value: value.closed,
    "_io.StringIO": lambda value: (
        None if value.closed else (value.tell(), _sampled(value.getvalue().encode()))
    ),
    "_io.BytesIO": lambda value: None if value.closed else (value.tell(), _sampled(value.getvalue())),
    "_queue.SimpleQueue": lambda value: value.qsize(),
    "numpy.dtype": str,
    "torch.dtype": str,
    "torch.device": str,
    "datetime.datetime": repr,
    "datetime.date": repr,
    "datetime.timedelta": repr,
    "decimal.Decimal": str,
    "fractions.Fraction": str,
    "uuid.UUID": str,
}
"""What tells an object of an exact type from itself at another time."""
for _iterator in (iter([]), iter(()), iter(range(0)), iter({}), iter(set()), iter(""), reversed([])):
    _FACTS[f"builtins.{type(_iterator).__name__}"] = lambda value: value.__length_hint__()
for _endless in (itertools.cycle, itertools.repeat):
    _FACTS[f"itertools.{_endless.__name__}"] = lambda value: None

_MOVED = {
    "random.Random": "a generator of random numbers",
    "numpy.random._generator.Generator": "a generator of random numbers",
    "numpy.random.mtrand.RandomState": "a generator of random numbers",
    "torch._C.Generator": "a generator of random numbers",
}


_GENUINE = Types(type(threading.Lock()), type(threading.RLock()))
"""Types that have no name in their module."""


class FactPrint:
    """Compared by one fact, or by the type alone."""

    __slots__ = ("data", "fact", "name", "said", "type")

    def __init__(self, value: Any) -> None:
        self.type = type(value)
        self.name = _full_name(self.type)
        self.fact = whole_of(type(value))
        self.data = self._read(value)
        self.said = self._say(self.data)

    def difference(self, value: Any) -> str | None:
        data = self._read(value)
        if data == self.data:
            return None
        if self.name in _MOVED:
            return f"{_MOVED[self.name]} that has moved on"
        return self._say(data)

    def describe(self) -> str:
        return _MOVED.get(self.name, self.said)

    def digest(self) -> object:
        return (self.name, self.data)

    def _read(self, value: Any) -> object:
        if self.fact is None:
            return None
        try:
            return self.fact(value)
        except (RuntimeError, ValueError, OSError, AttributeError):
            return None  # closed, or in no state to be asked

    def _say(self, data: object) -> str:
        short = self.name.rpartition(".")[2]
        if self.name.startswith("_io.") and type(data) is bool:
            return "a closed file" if data else "an open file"
        if self.name.startswith("_thread.") and type(data) is bool:
            return "a lock that is held" if data else "a free lock"
        if type(data) in (str, int):
            return f"{short} {data!r:.80}"
        if type(data) is tuple and type(data[0]) is int:
            return f"{short} of {data[0]}"
        return f"object of type {short}"


Print = ArrayPrint | TensorPrint | FactPrint


def _full_name(kind: type) -> str:
    return f"{module_of(kind)}.{name_of(kind)}"


def whole_of(kind: type) -> Fact | None:
    """The fact by which values of exactly this type are compared; None where there is none."""
    fact = _FACTS.get(_full_name(kind))
    if fact is not None and not _is_genuine(kind):
        return None
    if fact is None:
        if derives(kind, PurePath) and module_of(kind).startswith("pathlib"):
            return str
        if _is_array(kind) or _is_tensor(kind):
            return lambda value: None
    return fact


def print_of(value: Any, room: Room) -> Print:
    """What is remembered of a value that is compared as one."""
    kind = type(value)
    try:
        if _is_array(kind):
            return ArrayPrint(value, room)
        if _is_tensor(kind) and _is_plain_tensor(value):
            return TensorPrint(value, room)
    except (RuntimeError, TypeError, ValueError, NotImplementedError):
        pass  # a kind of array that has no elements to look at: it is told by its type alone
    return FactPrint(value)


def _is_genuine(kind: type) -> bool:
    """A class of an author's may call itself as it likes; its methods are not called for that."""
    if kind in _GENUINE or not is_heap_type(kind):
        return True
    return getattr(sys.modules.get(module_of(kind)), name_of(kind), None) is kind


def _is_array(kind: type) -> bool:
    return derives(kind, np.ndarray)


def _is_tensor(kind: type) -> bool:
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)
    return tensor is not None and derives(kind, tensor)


def _is_plain_tensor(tensor: Any) -> bool:
    torch = sys.modules["torch"]
    with torch._C.DisableTorchFunctionSubclass():
        return bool(tensor.layout is torch.strided and tensor.device.type != "meta")
