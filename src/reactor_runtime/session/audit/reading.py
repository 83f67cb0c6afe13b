"""How each kind of object is taken apart: its parts by key, in order, or what stands for it as a whole."""

from __future__ import annotations

import collections
import contextlib
import contextvars
import enum
import functools
import gc
import queue
import sys
import threading
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from .opaque import OPAQUE_MODULES, whole_of
from .own import Own
from .scalars import PLAIN, UNSET
from .types_of import Types, derives, dict_getter, module_of, qualname_of, slots_of, vars_of

KNOWN_TYPES_LIMIT = 20_000


@dataclass(frozen=True)
class Bounds:
    """How much of a model the audit looks at; what is beyond is counted."""

    items: int = 100_000
    """Of one container."""
    nodes: int = 300_000
    """Objects in all."""


USUAL = Bounds()
CONTENT = "(content)"
"""The key under which what a subclass of a container holds stands beside its attributes."""

Parts = tuple[list[Any] | None, list[Any]]
"""Keys, or None where the parts have only an order, and the parts."""


class Kind(IntEnum):
    SCALAR = 0
    WHOLE = 1
    """Compared as one: arrays, tensors, generators, what cannot be looked into."""
    SEQUENCE = 2
    SET = 3
    MAPPING = 4
    """Keys are the author's, and may grow: a dict, what `lru_cache` holds."""
    FIELDS = 5
    """Keys are names: attributes, the variables of a closure."""
    ROOT = 6
    """Keys are what paths begin with."""


class Roots:
    """Where the audit begins."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


class Reader:
    __slots__ = ("kind", "of", "parts")

    def __init__(self, of: type, kind: Kind, parts: Callable[[Any], Parts] | None = None) -> None:
        self.of = of
        self.kind = kind
        self.parts = parts


class Reading:
    """The readers of one audit, by type. Not thread-safe."""

    def __init__(self, own: Own, bounds: Bounds = USUAL) -> None:
        self.own = own
        self.bounds = bounds
        self.contexts: list[contextvars.Context] = []
        """Those of the threads that author code runs on; context variables are looked up in them."""
        self._readers: dict[int, Reader] = {}

    def reader(self, value: Any) -> Reader:
        kind = type(value)
        found = self._readers.get(id(kind))
        if found is None or found.of is not kind:
            if len(self._readers) > KNOWN_TYPES_LIMIT:
                self._readers.clear()
            found = self._readers[id(kind)] = self._make(kind)
        return found

    def _make(self, kind: type) -> Reader:
        if kind in PLAIN or kind in _IDENTITIES:
            return Reader(kind, Kind.SCALAR)
        exact = _EXACT.get(id(kind))
        if exact is not None:
            return Reader(kind, *exact)
        if derives(kind, type):
            return Reader(kind, Kind.FIELDS, self._class)
        if derives(kind, types.ModuleType):
            return Reader(kind, Kind.FIELDS, self._module)
        if kind is contextvars.ContextVar:
            return Reader(kind, Kind.FIELDS, self._variable)
        if kind is _LRU_CACHE:
            return Reader(kind, Kind.FIELDS, self._cached)
        if derives(kind, enum.Enum) or derives(kind, np.generic):
            return Reader(kind, Kind.SCALAR)
        if derives(kind, queue.Queue):
            return Reader(kind, Kind.FIELDS, _queue(kind))
        if derives(kind, threading.Thread) or whole_of(kind) or module_of(kind).startswith(OPAQUE_MODULES):
            return Reader(kind, Kind.WHOLE)
        if derives(kind, BaseException):
            return Reader(kind, Kind.FIELDS, lambda error: (["args"], [BaseException.args.__get__(error)]))  # type: ignore[attr-defined]
        return _of_instances(kind)

    def _class(self, cls: Any) -> Parts:
        """The attributes of the author's own class; nothing of anybody else's."""
        if not self.own.holds_class(cls):
            return ["(class)"], [f"{module_of(cls)}.{qualname_of(cls)}"]
        return _split(
            (name, _unwrapped(value))
            for name, value in list(vars_of(cls).items())
            if not (type(name) is str and name.startswith("__")) and not _is_runtime(value)
        )

    def _module(self, module: Any) -> Parts:
        attributes = types.ModuleType.__getattribute__(module, "__dict__")
        if not self.own.holds_module(module):
            return ["(module)"], [attributes.get("__name__")]
        return _split(
            (name, value)
            for name, value in list(attributes.items())
            if not (type(name) is str and name.startswith("__")) and self._is_the_modules(value)
        )

    def _is_the_modules(self, value: Any) -> bool:
        kind = type(value)
        if kind is types.FunctionType:
            return self.own.holds_function(value)
        if derives(kind, type):
            return self.own.holds_class(value)
        return kind is not types.ModuleType and not _is_runtime(value)

    def _cached(self, function: Any) -> Parts:
        """What `lru_cache` holds; nothing of one that a library made for itself and the author imported.

        Its dict is found among what the object refers to: it has no name.
        """
        attributes = object.__getattribute__(function, "__dict__")
        if self._is_a_librarys(function, attributes):
            return ["(function)"], [attributes["__name__"]]
        held = [each for each in gc.get_referents(function) if type(each) is dict and each is not attributes]
        return ["cache", "__wrapped__"], [held[0] if held else {}, attributes.get("__wrapped__")]

    def _is_a_librarys(self, function: Any, attributes: dict[str, Any]) -> bool:
        """Found under its own name in another's module: the author's cache of a library's function is not."""
        place, name = attributes.get("__module__"), attributes.get("__name__")
        module = sys.modules.get(place) if type(place) is str else None
        if type(module) is not types.ModuleType or self.own.holds_module(module) or type(name) is not str:
            return False
        return types.ModuleType.__getattribute__(module, "__dict__").get(name) is function

    def _variable(self, variable: Any) -> Parts:
        values = [context.get(variable, UNSET) for context in self.contexts]
        return [f"in thread {place + 1}" if place else "value" for place in range(len(values))], values


def _of_instances(kind: type) -> Reader:
    getter, slots = dict_getter(kind), slots_of(kind)
    content = next((take for base, take in _CONTENTS if derives(kind, base)), None)
    if content is None and any(derives(kind, base) for base in (str, int, float, bytes)) and not slots:
        return Reader(kind, Kind.SCALAR)
    if getter is None and not slots and content is None:
        return Reader(kind, Kind.WHOLE)
    if getter is not None and not slots and content is None:
        return Reader(kind, Kind.FIELDS, _attributes(getter))

    def parts(value: Any) -> Parts:
        keys, values = _attributes(getter)(value) if getter is not None else ([], [])
        keys, values = list(keys or ()), list(values)
        for name, get in slots:
            with contextlib.suppress(AttributeError):  # it has no value yet
                values.append(get(value))
                keys.append(name)
        if content is not None:
            keys.append(CONTENT)
            values.append(content(value))
        return keys, values

    return Reader(kind, Kind.FIELDS, parts)


def _attributes(getter: Callable[[Any], Any]) -> Callable[[Any], Parts]:
    keys_of, values_of = dict.keys, dict.values

    def parts(value: Any) -> Parts:
        attributes = getter(value)
        return list(keys_of(attributes)), list(values_of(attributes))

    return parts


def _split(pairs: Iterable[tuple[Any, Any]]) -> Parts:
    listed = list(pairs)
    return [key for key, _ in listed], [value for _, value in listed]


def _mapping(value: Any) -> Parts:
    return list(dict.keys(value)), list(dict.values(value))


def _function(function: Any) -> Parts:
    """Its code, what it encloses, its defaults and its attributes: all that it can remember."""
    code = function.__code__
    keys, values = ["(code)"], [code]
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        with contextlib.suppress(ValueError):  # nothing was assigned to it yet
            values.append(cell.cell_contents)
            keys.append(name)
    defaults = function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount][-len(defaults) :] if defaults else ()
    for name, default in [*zip(names, defaults, strict=False), *(function.__kwdefaults__ or {}).items()]:
        keys.append(f"{name}=")
        values.append(default)
    for name, value in list(function.__dict__.items()):
        if not (type(name) is str and name.startswith("__reactor_")):
            keys.append(name)
            values.append(value)
    return keys, values


def _method(method: Any) -> Parts:
    return ["__self__", "__func__"], [method.__self__, method.__func__]


def _partial(partial: Any) -> Parts:
    return ["func", "args", "keywords"], [partial.func, partial.args, partial.keywords]


def _queue(kind: type) -> Callable[[Any], Parts]:
    """What waits in it; its counts of what ever passed are no state."""
    getter = dict_getter(kind)

    def parts(value: Any) -> Parts:
        attributes = {} if getter is None else getter(value)
        return ["queue"], [dict.get(attributes, "queue")]

    return parts


def _generator(generator: Any) -> Parts:
    """Where a half consumed generator stands, and its variables."""
    frame = generator.gi_frame
    if frame is None:
        return ["(at)"], ["the end"]
    variables = dict(frame.f_locals)
    return ["(at)", *variables], [frame.f_lasti, *variables.values()]


def _unwrapped(value: Any) -> Any:
    kind = type(value)
    if kind is staticmethod or kind is classmethod:
        return value.__func__
    return value.fget if kind is property else value


def _is_runtime(value: Any) -> bool:
    return module_of(type(value)).partition(".")[0] == "reactor_runtime"


_LRU_CACHE = type(functools.lru_cache(lambda: None))
_IDENTITIES = Types(types.CodeType, types.BuiltinFunctionType, types.WrapperDescriptorType, object)
_BY_TYPE: dict[type, tuple[Any, ...]] = {
    list: (Kind.SEQUENCE, lambda value: (None, list(value))),
    tuple: (Kind.SEQUENCE, lambda value: (None, list(value))),
    collections.deque: (Kind.SEQUENCE, lambda value: (None, list(value))),
    set: (Kind.SET, lambda value: (None, list(value))),
    frozenset: (Kind.SET, lambda value: (None, list(value))),
    dict: (Kind.MAPPING, _mapping),
    collections.OrderedDict: (Kind.MAPPING, _mapping),
    collections.defaultdict: (Kind.MAPPING, _mapping),
    collections.Counter: (Kind.MAPPING, _mapping),
    types.MappingProxyType: (Kind.WHOLE,),
    Roots: (Kind.ROOT, lambda value: _split(value.pairs)),
    types.FunctionType: (Kind.FIELDS, _function),
    types.MethodType: (Kind.FIELDS, _method),
    types.GeneratorType: (Kind.FIELDS, _generator),
    types.SimpleNamespace: (Kind.FIELDS, lambda value: _mapping(value.__dict__)),
    functools.partial: (Kind.FIELDS, _partial),
}
_EXACT = {id(kind): reader for kind, reader in _BY_TYPE.items()}
_CONTENTS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (dict, lambda value: dict(dict.items(value))),
    (list, lambda value: list(list.__iter__(value))),
    (tuple, lambda value: list(tuple.__iter__(value))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: set(frozenset.__iter__(value))),
    (collections.deque, lambda value: list(collections.deque.__iter__(value))),
)
