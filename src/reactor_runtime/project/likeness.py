"""“Did you mean …?” for keys."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

CUTOFF = 0.7
"""How alike two names must be, from 0 to 1: `step` and `steps`, `guidance-scale` and `guidance_scale` are."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` was probably meant to be."""
    by_letters = {_letters(each): each for each in names}
    found = difflib.get_close_matches(_letters(name), by_letters, n=1, cutoff=CUTOFF)
    return by_letters[found[0]] if found else None


def like(known: Any, keys: list[str]) -> str | None:
    """Told of a path that `known` does not have but nearly has; None where it has it, or nothing like it."""
    node = known
    for depth, key in enumerate(keys):
        if not isinstance(node, dict) or not node:
            return None
        if key in node:
            node = node[key]
            continue
        match = nearest(key, [each for each in node if isinstance(each, str)])
        meant = [*keys[:depth], match, *keys[depth + 1 :]] if match else _elsewhere(known, keys)
        if meant is None:
            return None
        missing, suggested = ".".join(keys[: depth + 1]), ".".join(map(str, meant))
        return f"the file has no {missing}; did you mean --model.{suggested}?"
    return None


def _elsewhere(known: Any, keys: list[str]) -> list[str] | None:
    """The only place where the last key of the path does stand."""
    places = [path for path in _paths(known, []) if path[-1] == keys[-1]]
    return places[0] if len(places) == 1 else None


def _paths(node: Any, above: list[str]) -> Iterator[list[str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(key, str):
                yield [*above, key]
                yield from _paths(value, [*above, key])


def _letters(name: str) -> str:
    return name.lower().replace("-", "_")
