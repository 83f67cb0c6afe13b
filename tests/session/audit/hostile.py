"""Objects that raise, lie or hang when they are looked at."""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import torch


class Raises:
    """Every look at it raises."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    def __hash__(self) -> int:
        raise RuntimeError("hash")

    def __len__(self) -> int:
        raise RuntimeError("len")

    def __iter__(self) -> Any:
        raise RuntimeError("iter")

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __bool__(self) -> bool:
        raise RuntimeError("bool")


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(name)

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("eq")

    def __hash__(cls) -> int:
        raise RuntimeError("hash")

    def __instancecheck__(cls, instance: object) -> bool:
        raise RuntimeError("isinstance")


class OfMeta(metaclass=Meta):
    pass


class Liar:
    """Says that it is something else, and that it equals everything."""

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        return str

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("dict")

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Hangs(dict[Any, Any]):
    def __getitem__(self, key: Any) -> Any:
        time.sleep(60)

    def items(self) -> Any:
        time.sleep(60)

    def __iter__(self) -> Any:
        time.sleep(60)

    def __len__(self) -> int:
        time.sleep(60)
        return 0


class Text(str):
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    def __hash__(self) -> int:
        raise RuntimeError("hash")


class OddTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, *_: Any, **__: Any) -> Any:
        raise RuntimeError("torch function")


class Odd(np.ndarray[Any, Any]):
    def __array_finalize__(self, other: Any) -> None:
        if other is not None and type(self) is Odd and getattr(other, "strict", False):
            raise RuntimeError("finalize")

    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError("item")


def nested(depth: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


MAKERS: list[Callable[[], Any]] = [
    lambda: Raises(),
    lambda: OfMeta(),
    lambda: OfMeta,
    lambda: Liar(),
    lambda: Hangs(a=1),
    lambda: Text("hidden"),
    lambda: torch.zeros(4).as_subclass(OddTensor),
    lambda: np.zeros(4).view(Odd),
    lambda: weakref.ref(Hangs),
    lambda: weakref.proxy(Hangs),
    lambda: nested(10_000),
    lambda: torch.zeros(3, device="meta"),
    lambda: torch.zeros(3, 3).to_sparse(),
    lambda: np.full(2, OfMeta(), dtype=object),
    lambda: memoryview(b"abc"),
    lambda: sys.stderr,
    lambda: type("Random", (), {"__module__": "random", "getstate": lambda self: 1 / 0})(),
]
