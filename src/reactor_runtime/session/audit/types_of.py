"""Looking at objects without running a line of their authors: no `__eq__`, `__getattr__`, property or proxy.

Everything goes through the slots that `object`, `type` and the built-in containers themselves define.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

mro_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
vars_of: Callable[[type], Any] = type.__dict__["__dict__"].__get__
_flags_of: Callable[[type], int] = type.__dict__["__flags__"].__get__
_HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: a class statement made it, or C code that behaves as one."""


def derives(kind: type, base: type) -> bool:
    """`issubclass` that asks no metaclass of an author's."""
    return type.__subclasscheck__(base, kind)


class Types:
    """A set of types. A plain set would ask a metaclass for its hash."""

    def __init__(self, *kinds: type) -> None:
        self._kinds = kinds  # kept, so that their ids stay their own
        self._ids = frozenset(map(id, kinds))

    def __contains__(self, kind: type) -> bool:
        return id(kind) in self._ids


def is_heap_type(kind: type) -> bool:
    return bool(_flags_of(kind) & _HEAP_TYPE)


def module_of(kind: type) -> str:
    """The module in which a class was defined; empty where it does not say so in words."""
    name = type.__dict__["__module__"].__get__(kind)
    return name if type(name) is str else ""


def name_of(kind: type) -> str:
    name = type.__dict__["__name__"].__get__(kind)
    return name if type(name) is str else "object"


def qualname_of(kind: type) -> str:
    name = type.__dict__["__qualname__"].__get__(kind)
    return name if type(name) is str else "object"


def dict_getter(kind: type) -> Callable[[Any], Any] | None:
    """What gives the attributes of an instance, past a `__dict__` or `__getattribute__` of the author's."""
    for base in mro_of(kind):
        found = vars_of(base).get("__dict__")
        if found is None:
            continue
        if type(found) is types.GetSetDescriptorType and _flags_of(base) & _HEAP_TYPE:
            getter: Callable[[Any], Any] = found.__get__
            return getter
        return None
    return None


def slots_of(kind: type) -> list[tuple[str, Callable[[Any], Any]]]:
    """The fields of `__slots__`, of a class and its bases."""
    return [
        (name, value.__get__)
        for base in mro_of(kind)
        if _flags_of(base) & _HEAP_TYPE
        for name, value in list(vars_of(base).items())
        if type(value) is types.MemberDescriptorType and name not in ("__weakref__", "__dict__")
    ]
