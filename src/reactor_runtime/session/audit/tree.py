"""The state of a model as it was: a node for each object, small values as they are, a print for the rest."""

from __future__ import annotations

from typing import Any

from .given import NOBODY, Client
from .opaque import FactPrint, print_of
from .reading import CONTENT, Kind, Reading
from .samples import ArrayPrint, Room, TensorPrint
from .scalars import LONG, PLAIN
from .types_of import Types, name_of

KEY_WORDS = 40

Link = tuple[Any, Kind, Any]
"""The way to an object: the link before it, the kind of what holds it, its key or place there. None at the
beginning."""


class Node:
    """One object. `held` has, for each part, a node, a print, or the small value itself."""

    __slots__ = ("born", "grown", "held", "ids", "keys", "kids", "kind", "since", "type")

    def __init__(self, kind: Kind, of: type, born: int) -> None:
        self.kind = kind
        self.type = of
        self.born = born
        """The session after which this was recorded; 0 before the first."""
        self.keys: list[Any] | None = None
        self.ids: list[int] = []
        self.held: list[Any] = []
        self.kids: list[int] = []
        self.since: dict[Any, int] = {}
        """Parts that were recorded anew later, by key or place."""
        self.grown = False
        """Keys were added since the beginning."""

    def copy(self) -> Node:
        made = Node(self.kind, self.type, self.born)
        made.keys = None if self.keys is None else list(self.keys)
        made.ids = list(self.ids)
        made.held, made.kids = list(self.held), list(self.kids)
        made.since, made.grown = dict(self.since), self.grown
        return made

    def settle(self, keys: list[Any] | None, values: list[Any], held: list[Any]) -> None:
        """Take these parts for what is there now."""
        self.keys = keys
        self.ids = list(map(id, values))
        self.held = held
        self.kids = [place for place, each in enumerate(held) if is_recorded(each)]


def is_recorded(held: Any) -> bool:
    """Whether this stands for an object, and is no small value."""
    return type(held) in _RECORDED


class Builder:
    """Records objects. `taken` names the first part that came from a client, if one did."""

    def __init__(self, reading: Reading, room: Room, born: int, client: Client = NOBODY) -> None:
        self._reading = reading
        self._room = room
        self._born = born
        self._client = client
        self._known: dict[int, tuple[Any, Node]] = {}
        self.left_out = 0
        self.taken: tuple[Link | None, Any] | None = None
        """The way from the recorded object to what came from a client, and that value."""

    def record(self, value: Any, own_number: bool = False) -> Any:
        """A node, a print, or `value` itself where it is small. `own_number`: numbers may tell a client."""
        self.taken = None
        if own_number and type(value) in _NUMBERS and self._client.owns_number(value):
            self.taken = (None, value)
        waiting: list[tuple[Node, Any, Link | None]] = []
        made = self._one(value, None, waiting)
        for node, each, link in waiting:  # grows meanwhile
            self._fill(node, each, link, waiting)
        return made

    def _one(self, value: Any, link: Link | None, waiting: list[tuple[Node, Any, Link | None]]) -> Any:
        reader = self._reading.reader(value)
        if reader.kind is Kind.SCALAR:
            kind = type(value)
            if self.taken is None and self._client.owns(value):
                self.taken = (link, value)
            return LongText(value) if kind in _TEXTS and len(value) > LONG else value
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        if reader.kind is Kind.WHOLE:
            if self.taken is None and self._client.owns_frame(value):
                self.taken = (link, value)
            return print_of(value, self._room)
        node = Node(reader.kind, reader.of, self._born)
        if len(self._known) >= self._reading.bounds.nodes:
            self.left_out += 1
            return node
        self._known[id(value)] = (value, node)  # the value is kept, so that its id stays its own
        waiting.append((node, value, link))
        return node

    def _fill(
        self, node: Node, value: Any, link: Link | None, waiting: list[tuple[Node, Any, Link | None]]
    ) -> None:
        keys, values, left_out = take_apart(self._reading, value)
        self.left_out += left_out
        if node.kind is Kind.MAPPING and self.taken is None:
            self.taken = next(((link, key) for key in keys or () if self._client.owns(key)), None)
        names = range(len(values)) if keys is None else keys
        held = [
            self._one(each, (link, node.kind, name), waiting)
            for each, name in zip(values, names, strict=False)
        ]
        node.settle(keys, values, held)


class LongText:
    """A text or bytes too long to be kept."""

    __slots__ = ("data", "name", "type")

    def __init__(self, value: Any) -> None:
        self.type = type(value)
        self.name = self.type.__name__
        self.data = self._read(value)

    def difference(self, value: Any) -> str | None:
        return None if self._read(value) == self.data else f"a {type(value).__name__} of {len(value)}"

    def describe(self) -> str:
        return f"a {self.name} of {self.data[1]}"

    def digest(self) -> object:
        return self.data

    @staticmethod
    def _read(value: Any) -> tuple[str, int, object]:
        return (type(value).__name__, len(value), value[:: max(1, len(value) // LONG)])


def take_apart(reading: Reading, value: Any) -> tuple[list[Any] | None, list[Any], int]:
    """The parts of an object, up to the limit, and how many are beyond it."""
    reader = reading.reader(value)
    if reader.parts is None:
        return None, [], 0
    try:
        keys, values = reader.parts(value)
    except RuntimeError:
        keys, values = reader.parts(value)  # it changed its size while it was read; it settles
    limit = reading.bounds.items
    beyond = len(values) - limit
    if beyond > 0:
        values = values[:limit]
        keys = None if keys is None else keys[:limit]
    return keys, values, max(0, beyond)


def step_of(kind: Kind, key: Any) -> str:
    """How one part is written in a path."""
    if kind is Kind.ROOT:
        return str(key)
    if kind is Kind.SEQUENCE or kind is Kind.SET:
        return f"[{key}]"
    is_text = type(key) is str
    if kind is Kind.MAPPING:
        shown = repr(key) if type(key) in PLAIN else f"<{name_of(type(key))}>"
        return f"[{shown}]" if len(shown) <= KEY_WORDS else f"[{shown[:KEY_WORDS]}…]"
    if not is_text:
        return "[…]"
    if key == CONTENT:
        return ""
    if key.isidentifier():
        return f".{key}"
    return key if key.startswith("(") else f"({key})"


def path_of(link: Link | None) -> str:
    """The way to an object in words; the middle of a very long one is left out."""
    steps: list[str] = []
    while link is not None:
        link, kind, key = link
        steps.append(step_of(kind, key))
    steps.reverse()
    if len(steps) > 24:
        steps = [*steps[:12], f"…({len(steps) - 20} more)…", *steps[-8:]]
    return "".join(steps)


_NUMBERS, _TEXTS = Types(int, float), Types(str, bytes)
_RECORDED = Types(Node, LongText, ArrayPrint, TensorPrint, FactPrint)
