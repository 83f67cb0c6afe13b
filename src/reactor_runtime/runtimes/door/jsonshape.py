"""How deep and how wide a JSON text is, found in one pass over its bytes, before anything is made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Possessive, and always a match once it has begun: each byte is looked at once, whatever stands there.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_OPENING = b"[{"

DEPTH_LIMIT = 32
KEYS_LIMIT = 1_000
VALUES_LIMIT = 10_000


@dataclass(frozen=True)
class Shape:
    """`depth` is counted only as far as `values` is within its limit."""

    keys: int
    values: int
    depth: int

    @property
    def fits(self) -> bool:
        return self.depth <= DEPTH_LIMIT and self.keys <= KEYS_LIMIT and self.values <= VALUES_LIMIT


def shape(text: bytes) -> Shape:
    """Of UTF-8. Numbers and words are not looked at: what they are is the parser's to say."""
    bare = _STRING.sub(b"", text)
    brackets = _BRACKET.findall(bare)
    values = max(bare.count(b",") + 1, len(brackets))
    depth = 0 if values > VALUES_LIMIT else _depth(brackets)
    return Shape(bare.count(b":"), values, depth)


def _depth(brackets: list[bytes]) -> int:
    deepest = depth = 0
    for bracket in brackets:
        depth += 1 if bracket in _OPENING else -1
        deepest = max(deepest, depth)
    return deepest
