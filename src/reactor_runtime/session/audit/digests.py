"""What was recorded, as bytes that are equal for equal values: for comparing two processes."""

from __future__ import annotations

import hashlib
from typing import Any

from .scalars import PLAIN, describe, plain_value
from .tree import Node, is_recorded

NODES_LIMIT = 50_000


def digest_of(recorded: Any) -> bytes:
    """Of a node, a print or a small value. Identities and order of sets do not count."""
    digest = hashlib.sha256()
    waiting = [recorded]
    seen: set[int] = set()
    while waiting and len(seen) < NODES_LIMIT:
        each = waiting.pop()
        if not is_recorded(each):
            digest.update(_small(each))
            continue
        if id(each) in seen:
            digest.update(b"again")
            continue
        seen.add(id(each))
        if type(each) is Node:
            digest.update(f"{each.kind} {len(each.held)}".encode())
            for key in each.keys or ():
                digest.update(_small(key))
            waiting.extend(reversed(each.held))
        else:
            digest.update(repr(each.digest()).encode("utf-8", "replace"))
    return digest.digest()


def _small(value: Any) -> bytes:
    plain = value if type(value) in PLAIN else plain_value(value)
    words = repr(plain) if plain is not None or value is None else describe(value)
    return words.encode("utf-8", "replace") + b"\0"
