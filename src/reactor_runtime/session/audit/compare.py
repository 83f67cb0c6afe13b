"""One comparison: the model as it is against the model as it was. What differs becomes what it was.

The same parts at the same places are passed by with two comparisons of lists of numbers; only where an
object was replaced is it looked at part by part.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable
from operator import is_
from typing import Any

from .findings import Finding, advice_for
from .given import Client
from .reading import Kind, Reading
from .samples import Room
from .scalars import PLAIN, describe, same
from .tree import Builder, Link, LongText, Node, is_recorded, path_of, take_apart
from .types_of import derives, module_of, name_of

TIME_LIMIT_S = 0.5
"""A comparison that takes more of the processor's time ends, and says how much it has not looked at."""
CLOCK_EVERY = 512
FINDINGS_LIMIT = 50
"""Findings of one session that are told one by one."""
CHANGED_PARTS = 3
"""Parts of one list that are told one by one."""

Waiting = tuple[Any, Any, Link | None, Node | None, int]
"""What was recorded, what is there now, the way to it, and where it is held."""


class Comparison:
    """After session `session`, of what `client` used."""

    def __init__(
        self, reading: Reading, room: Room, session: int, client: Client, kept: Callable[[str], bool]
    ) -> None:
        self.findings: list[Finding] = []
        self.visited = 0
        self.left_out = 0
        self.untold = 0
        self.newcomers: list[tuple[str, Any]] = []
        """What was not there before and may stay, as far as one session can tell: path and value."""
        self._reading = reading
        self._room = room
        self._session = session
        self._client = client
        self._kept = kept
        self._matched: dict[int, int] = {}
        self._queue: list[Waiting] = []
        self._growing: list[Node] = []
        self._alive: list[Any] = []

    def run(self, root: Node, value: Any) -> None:
        # What is made here lives until the end; collecting garbage meanwhile would look at all of it again.
        collecting = gc.isenabled()
        gc.disable()
        try:
            self._run(root, value)
        finally:
            if collecting:
                gc.enable()

    def _run(self, root: Node, value: Any) -> None:
        deadline = time.thread_time() + TIME_LIMIT_S
        self._queue.append((root, value, None, None, 0))
        for recorded, each, link, holder, place in self._queue:  # grows meanwhile
            self.visited += 1
            if self.visited % CLOCK_EVERY == 0 and self._must_end(deadline):
                break
            if type(recorded) is Node:
                self._object(recorded, each, link, holder, place)
            else:
                self._whole(recorded, each, link, holder, place)
        for node in self._growing:
            node.grown = True
        self._queue.clear()

    def _must_end(self, deadline: float) -> bool:
        if self.visited < self._reading.bounds.nodes and time.thread_time() < deadline:
            return False
        self.left_out += len(self._queue) - self.visited
        return True

    # --- one object ---

    def _object(self, node: Node, value: Any, link: Link | None, holder: Node | None, place: int) -> None:
        mate = self._matched.get(id(node))
        if mate is not None:
            if mate == id(value):
                self.visited -= 1
                return
            # Two names of one object have become names of two.
            node = node.copy()
            self._alive.append(node)
            if holder is not None:
                holder.held[place] = node
        self._matched[id(node)] = id(value)
        if type(value) is not node.type and holder is not None:
            self._tell(link, describe_held(node), describe(value), node.born)
            self._hold(holder, place, self._record(value))
            return
        keys, values, beyond = take_apart(self._reading, value)
        self.left_out += beyond
        if list(map(id, values)) == node.ids and _same_keys(keys, node.keys):
            kids = node.kids
            if kids:
                held, kind, names = node.held, node.kind, range(len(values)) if keys is None else keys
                self._queue += [(held[at], values[at], (link, kind, names[at]), node, at) for at in kids]
        elif node.kind is Kind.SET:
            self._set(node, value, values, link)
        elif keys is None:
            self._sequence(node, value, values, link)
        else:
            self._keyed(node, keys, values, link)

    def _whole(self, recorded: Any, value: Any, link: Link | None, holder: Node | None, place: int) -> None:
        if type(value) is not recorded.type:
            difference: str | None = describe(value)
        else:
            difference = recorded.difference(value)
        if difference is None or holder is None:
            return
        key = place if holder.keys is None else holder.keys[place]
        self._tell(link, recorded.describe(), difference, holder.since.get(_token(key), holder.born))
        holder.since[_token(key)] = self._session
        self._hold(holder, place, self._record(value))

    # --- parts that were replaced ---

    def _keyed(self, node: Node, keys: list[Any], values: list[Any], link: Link | None) -> None:
        before = {_token(key): (key, held) for key, held in zip(node.keys or (), node.held, strict=False)}
        held: list[Any] = []
        deep: list[int] = []
        grew = False
        for place, (key, value) in enumerate(zip(keys, values, strict=False)):
            token = _token(key)
            old = before.pop(token, None)
            here = (link, node.kind, key)
            if old is None:
                grew = True
                held.append(self._added(node, token, key, value, here))
                continue
            part, goes_on = self._part(node, token, old[1], value, here)
            held.append(part)
            if goes_on:
                deep.append(place)
        for token, (key, old_held) in before.items():
            self._removed(node, token, (link, node.kind, key), old_held)
        if grew:
            self._growing.append(node)
        node.settle(keys, values, held)
        for place in deep:
            self._queue.append((held[place], values[place], (link, node.kind, keys[place]), node, place))

    def _sequence(self, node: Node, value: Any, values: list[Any], link: Link | None) -> None:
        if len(values) != len(node.held):
            self._tell(link, describe_held(node), describe(value), node.born)
            self._renew(node, values)
            return
        told, untold, self.findings = self.findings, self.untold, []
        held, deep = [], []
        for place, (old, each) in enumerate(zip(node.held, values, strict=False)):
            part, goes_on = self._part(node, place, old, each, (link, node.kind, place))
            held.append(part)
            if goes_on:
                deep.append(place)
        changed = len(self.findings) + self.untold - untold
        self.findings = told + (self.findings if changed <= CHANGED_PARTS else [])
        if changed > CHANGED_PARTS:
            self.untold = untold
            self._tell(link, describe_held(node), f"{describe(value)}, {changed} of them changed", node.born)
        node.settle(None, values, held)
        for place in deep:
            self._queue.append((held[place], values[place], (link, node.kind, place), node, place))

    def _set(self, node: Node, value: Any, values: list[Any], link: Link | None) -> None:
        before = Counter(map(_element, node.held))
        now = Counter(map(_element, values))
        if before != now:
            self._tell(link, describe_held(node), describe(value), node.born)
        self._renew(node, values)

    def _part(self, node: Node, token: Any, old: Any, value: Any, link: Link) -> tuple[Any, bool]:
        """What is held of a part from now on, and whether it must be looked into."""
        is_scalar = self._reading.reader(value).kind is Kind.SCALAR
        if is_recorded(old):
            if type(value) is old.type and (not is_scalar or type(old) is LongText):
                return old, True
            before = describe_held(old)
        elif is_scalar and same(old, value):
            return value, False
        elif old is None:
            return self._newcomer(node, token, value, link), False
        else:
            before = describe(old)
        self._tell(link, before, describe(value), node.since.get(token, node.born))
        node.since[token] = self._session
        return self._record(value), False

    def _added(self, node: Node, token: Any, key: Any, value: Any, link: Link) -> Any:
        if node.kind is Kind.MAPPING:
            if self._client.owns(key):
                return self._stays(node, token, value, link, f"{describe(value)} under a client's key")
            name = link[0][2] if link[0] is not None else None
            hooks = type(name) is str and name.endswith("_hooks")
            if hooks or node.grown or (node.born and node.born < self._session):
                return self._stays(node, token, value, link, describe(value))
        return self._newcomer(node, token, value, link, "not there")

    def _newcomer(self, node: Node, token: Any, value: Any, link: Link, before: str = "None") -> Any:
        """Something where nothing was. It may stay if it stays as it is, and nothing of a client is in it."""
        builder = self._builder()
        made = builder.record(value, own_number=True)
        self.left_out += builder.left_out
        if builder.taken is not None:
            inner, found = builder.taken
            path = f"{path_of(link)}{path_of(inner)}"
            self._tell_path(path, before, f"{describe(found)}, which came from a client", node.born)
        elif _is_of_a_session(value):
            self._tell(link, before, f"{describe(value)} of a session that has ended", node.born)
        else:
            self.newcomers.append((path_of(link), made))
        node.since[token] = self._session
        return made

    def _stays(self, node: Node, token: Any, value: Any, link: Link, now: str) -> Any:
        self._tell(link, "not there", now, node.born)
        node.since[token] = self._session
        return self._record(value)

    def _removed(self, node: Node, token: Any, link: Link, old: Any) -> None:
        if node.born or node.since.pop(token, 0) or old is None:
            return  # what came with a session may go with one
        self._tell(link, describe_held(old), "not there", 0)

    # --- telling and recording ---

    def _tell(self, link: Link | None, before: str, now: str, since: int) -> None:
        self._tell_path(path_of(link), before, now, since)

    def _tell_path(self, path: str, before: str, now: str, since: int) -> None:
        if self._kept(path):
            return
        if len(self.findings) >= FINDINGS_LIMIT:
            self.untold += 1
            return
        self.findings.append(Finding(path, before, now, since, advice=advice_for(path)))

    def _builder(self) -> Builder:
        return Builder(self._reading, self._room, self._session, self._client)

    def _record(self, value: Any) -> Any:
        builder = self._builder()
        made = builder.record(value)
        self.left_out += builder.left_out
        return made

    def _renew(self, node: Node, values: list[Any]) -> None:
        node.settle(None, values, [self._record(each) for each in values])
        node.born = self._session

    def _hold(self, holder: Node, place: int, recorded: Any) -> None:
        holder.held[place] = recorded
        holder.kids = [at for at, each in enumerate(holder.held) if is_recorded(each)]


def _same_keys(keys: list[Any] | None, before: list[Any] | None) -> bool:
    """By identity, and in the same order: whatever else is the same is found out part by part."""
    if keys is None or before is None:
        return keys is before
    return len(keys) == len(before) and all(map(is_, keys, before))


def describe_held(held: Any) -> str:
    """What was recorded, in words."""
    if not is_recorded(held):
        return describe(held)
    if type(held) is not Node:
        return str(held.describe())
    kind = held.kind
    if kind in (Kind.SEQUENCE, Kind.SET, Kind.MAPPING):
        if not any(is_recorded(each) for each in held.held) and len(held.held) <= CHANGED_PARTS:
            parts = held.held if held.keys is None else dict(zip(held.keys, held.held, strict=False))
            return describe(_plain(held.type, parts))
        count = len(held.held)
        return f"a {name_of(held.type)} of {count} {'item' if count == 1 else 'items'}"
    return describe_type(held.type)


def _plain(kind: type, parts: Any) -> Any:
    for base in (dict, tuple, set, frozenset):
        if derives(kind, base):
            return base(parts)
    return list(parts)


def describe_type(kind: type) -> str:
    name = name_of(kind)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _token(key: Any) -> Any:
    """What stands for a key in our own dicts, without its author's `__hash__`."""
    kind = type(key)
    if kind in PLAIN:
        return key
    if kind is tuple and all(type(part) in PLAIN for part in key):
        return key
    return ("by identity", id(key))


def _element(value: Any) -> Any:
    """What stands for an element of a set: objects only by their type."""
    if is_recorded(value):
        return ("type", id(value.type))
    kind = type(value)
    if kind in PLAIN:
        return value
    token = _token(value)
    return token if token[:1] != ("by identity",) else ("type", id(kind))


def _is_of_a_session(value: Any) -> bool:
    """A context, or a track that is bound to a session."""
    kind = type(value)
    return module_of(kind).startswith("reactor_runtime.authoring") and name_of(kind) in _OF_A_SESSION


_OF_A_SESSION = frozenset(
    {"Context", "VideoOut", "AudioOut", "VideoIn", "AudioIn", "UploadedFile", "MediaBundle", "TrackData"}
)
