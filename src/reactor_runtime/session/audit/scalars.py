"""Small values: compared by what they are, described in words, and never by the author's own methods."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from .types_of import Types, derives, module_of, name_of

PLAIN: Final = Types(
    type(None), bool, int, float, complex, str, bytes, range, type(Ellipsis), type(NotImplemented)
)
"""Types whose `==` is Python's own."""
LONG = 4096
"""Characters or bytes of a text beyond which only its length and a sample are kept."""
WORDS = 80
"""Characters of a value that a report shows."""


class _Unset:
    """Stands for a variable that has no value."""

    def __repr__(self) -> str:
        return "not set"


UNSET: Final = _Unset()


def same(one: Any, other: Any) -> bool:
    """Whether two scalars have the same value. Calls no method of an author."""
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if kind in PLAIN or kind is types.CodeType:
        return bool(one == other) or (kind is float and one != one and other != other)
    value = plain_value(one)
    return value is not None and bool(value == plain_value(other))


_EXTRACTS: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
)


def plain_value(value: Any) -> object:
    """`value` as an exact plain type, where it is one of a subclass; None where it is none."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if derives(kind, np.generic):
        return np.generic.tobytes(value)
    for base, extract in _EXTRACTS:
        if derives(kind, base):
            return extract(value)
    return None


def describe(value: Any) -> str:
    """A few words for any value: the value itself where it is small and plain, else what kind it is."""
    kind = type(value)
    if value is UNSET:
        return "not set"
    if kind is str or kind is bytes:
        shown = _short(repr(value[:WORDS]))
        return shown if len(value) <= WORDS or shown.endswith("…") else f"{shown}…"
    if kind is int and value.bit_length() > 256:
        return f"an int of {value.bit_length()} bits"
    if kind in PLAIN:
        return _short(repr(value))
    if derives(kind, np.generic):
        return (
            f"{name_of(kind)}({np.generic.item(value)!r:.40})"
            if module_of(kind) == "numpy"
            else name_of(kind)
        )
    plain = plain_value(value)
    if plain is not None:
        return f"{name_of(kind)}({describe(plain)})"
    size = _size(value, kind)
    return f"{_article(name_of(kind))}{size}"


_SIZED = Types(list, tuple, dict, set, frozenset, bytearray)


def _size(value: Any, kind: type) -> str:
    if kind in _SIZED:
        count = len(value)
        shown = _content(value, kind) if 0 < count <= 3 else ""
        return f" of {count} {'item' if count == 1 else 'items'}{shown}"
    return ""


def _content(value: Any, kind: type) -> str:
    """The content of a small container of plain values."""
    items = list(dict.items(value)) if kind is dict else [(each,) for each in value]
    if all(type(part) in PLAIN for item in items for part in item):
        inner = ", ".join(": ".join(describe(part) for part in item) for item in items)
        return f" ({inner})" if len(inner) <= WORDS else ""
    return ""


def _short(text: str) -> str:
    return text if len(text) <= WORDS + 4 else f"{text[:WORDS]}…"


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
