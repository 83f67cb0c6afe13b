"""What came from a client in one session, so that it is known again where the model has kept it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

STRINGS_LIMIT = 512
"""Different texts that are remembered of one session; the newest stay."""
NUMBERS_LIMIT = 512
FRAMES_LIMIT = 256
"""Frames of a client that are known again; the newest stay."""
LOOKED_AT = 64
"""Bytes of a frame."""
VALUES_LIMIT = 1000
"""Values of one command that are looked at."""
EXACT = 3
"""Characters a text must have to be known again at all,"""
PART = 6
"""and to be known again as a part of another one."""
SEARCHED = 16 * 1024
"""Characters of a text in which a part is looked for,"""
SEARCHES = 300_000
"""and how often in one session: who sends much must not slow its end. Then only whole texts are known."""
HEAD = 64
"""Bytes of a file that are compared."""
COMMON_NUMBERS = frozenset({-1, 0, 1, 2, 3, 4, 8, 10, 16, 100})
"""Too common to say that they came from anybody."""


Shown = tuple[tuple[int, ...], bytes]
"""The shape of a frame, and bytes from all over it."""


def _seen(array: Any) -> Shown | None:
    """None for what is all one colour: anybody may have made that."""
    if array.dtype != np.uint8 or array.ndim != 3 or not array.size or not array.flags.c_contiguous:
        return None
    flat = array.reshape(-1)
    looked_at = bytes(flat[:: max(1, flat.size // LOOKED_AT)].tobytes())
    return (array.shape, looked_at) if len(set(looked_at)) > 3 else None


class Given:
    """Written by the runtime's threads while the session runs; read by the audit after it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards everything here. Nothing else is taken meanwhile."""
        self._strings: dict[str, None] = {}
        self._numbers: dict[float, None] = {}
        self._frames: dict[Shown, None] = {}
        self._files: list[tuple[int, bytes]] = []

    def note(self, value: Any, vocabulary: frozenset[str] = frozenset()) -> None:
        """Remember the texts and numbers in a JSON value, but for words that the author's schema offers."""
        waiting, seen = [value], 0
        while waiting and seen < VALUES_LIMIT:
            each = waiting.pop()
            seen += 1
            kind = type(each)
            if kind is str:
                if each not in vocabulary:
                    self._keep(self._strings, each, STRINGS_LIMIT)
            elif kind is int or kind is float:
                if each not in COMMON_NUMBERS:
                    self._keep(self._numbers, each, NUMBERS_LIMIT)
            elif kind is dict:
                waiting.extend(each.values())
                waiting.extend(each.keys())
            elif kind is list or kind is tuple:
                waiting.extend(each)

    def note_frame(self, array: Any) -> None:
        """Remember a frame of a client by a few of its bytes: authors get copies."""
        seen = _seen(array)
        if seen is not None:
            self._keep(self._frames, seen, FRAMES_LIMIT)

    def note_file(self, name: str, path: Path) -> None:
        """Remember a client's file by its name and its beginning."""
        self.note(name)
        self.note(str(path))
        try:
            with path.open("rb") as file:
                self._files.append((path.stat().st_size, file.read(HEAD)))
        except OSError:
            return  # it is gone already; its name is still known

    def freeze(self) -> Client:
        """What is known now, for looking it up."""
        with self._lock:
            strings, numbers, frames = list(self._strings), frozenset(self._numbers), frozenset(self._frames)
        return Client(strings, numbers, frames, tuple(self._files))

    def _keep(self, known: dict[Any, None], value: Any, limit: int) -> None:
        with self._lock:
            known[value] = None
            while len(known) > limit:
                del known[next(iter(known))]


def vocabulary_of(schema: Any) -> frozenset[str]:
    """The words that an author's own schema offers: choices and defaults. They tell of nobody."""
    words: set[str] = set()
    waiting = [schema]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            offered = [each.get("const"), each.get("default")]
            offered += [*each.get("enum", ()), *each.get("examples", ())]
            words.update(word for word in offered if isinstance(word, str))
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return frozenset(words)


class Client:
    """What one client gave. `owns` says whether a value is, or holds, something of it."""

    def __init__(
        self,
        strings: Iterable[str] = (),
        numbers: frozenset[float] = frozenset(),
        frames: frozenset[Shown] = frozenset(),
        files: Iterable[tuple[int, bytes]] = (),
    ) -> None:
        self._exact = frozenset(text for text in strings if len(text) >= EXACT)
        self._parts = tuple(text for text in self._exact if len(text) >= PART)
        self._searches = SEARCHES
        self._numbers = numbers
        self._frames = frames
        self._files = tuple((size, head) for size, head in files if size >= EXACT)

    def owns_text(self, text: str) -> bool:
        return text in self._exact or (
            self._may_search() and any(part in text[:SEARCHED] for part in self._parts)
        )

    def owns_bytes(self, data: bytes) -> bool:
        if any(len(data) == size and data.startswith(head) for size, head in self._files):
            return True
        head = data[:SEARCHED]
        return self._may_search() and any(part.encode("utf-8", "replace") in head for part in self._parts)

    def _may_search(self) -> bool:
        self._searches -= len(self._parts)
        return self._searches >= 0

    def owns_number(self, number: float) -> bool:
        return number in self._numbers

    def owns_frame(self, array: Any) -> bool:
        return bool(self._frames) and type(array) is np.ndarray and _seen(array) in self._frames

    def owns(self, scalar: Any) -> bool:
        """A text, or bytes; numbers are asked for one by one, where they stand for themselves."""
        kind = type(scalar)
        if kind is str:
            return self.owns_text(scalar)
        if kind is bytes:
            return self.owns_bytes(scalar)
        if kind is tuple:
            return any(self.owns(each) for each in scalar[:VALUES_LIMIT])
        return False


NOBODY = Client()
