"""The parsed tree of a YAML text: its keys with their lines, and the refusal of what is no configuration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]  # OmegaConf's own parser; it ships no types

MAX_NODES = 100_000
"""Values of a file with every alias written out; nine lines of aliases can stand for a thousand million."""

_MERGE = "tag:yaml.org,2002:merge"


class TreeError(yaml.MarkedYAMLError):  # type: ignore[misc, unused-ignore]  # PyYAML ships no types
    """Valid YAML that is no configuration."""


@dataclass(frozen=True)
class Entry:
    """One key. `raw` is what was typed as its value, where that is one plain word."""

    dotted: str
    line: int
    raw: str | None


@dataclass(frozen=True)
class Tree:
    root: Any

    def check(self) -> None:
        """Raises `TreeError` for keys that stand twice, values that hold themselves, and too many values."""
        if _count(self.root, {}, []) > MAX_NODES:
            raise TreeError(
                problem=f"the file has more than {MAX_NODES} values", problem_mark=_start(self.root)
            )

    def entries(self) -> Iterator[Entry]:
        """Every key below mappings, those of merged mappings last."""
        pending: list[tuple[Any, str]] = [(self.root, "")]
        while pending:
            mapping, path = pending.pop()
            for key, value in mapping.value:
                if key.tag == _MERGE:
                    merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
                    pending[:0] = [(each, path) for each in merged if isinstance(each, yaml.MappingNode)]
                    continue
                if not isinstance(key, yaml.ScalarNode):
                    continue
                dotted = f"{path}{key.value}"
                plain = isinstance(value, yaml.ScalarNode) and value.style is None
                yield Entry(dotted, key.start_mark.line + 1, value.value if plain else None)
                if isinstance(value, yaml.MappingNode):
                    pending.append((value, f"{dotted}."))

    def scalars(self) -> Iterator[tuple[Any, Any | None, bool]]:
        """(node, its key, whether in braces) of every single value and key; what aliases share comes once."""
        seen: set[int] = set()
        pending: list[tuple[Any, Any | None, bool]] = [(self.root, None, False)]
        while pending:
            node, key, braces = pending.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, yaml.ScalarNode):
                yield node, key, braces
            elif isinstance(node, yaml.SequenceNode):
                pending += [(item, None, bool(node.flow_style)) for item in reversed(node.value)]
            else:
                for name, value in reversed(node.value):
                    pending += [(value, name, bool(node.flow_style)), (name, None, bool(node.flow_style))]


def _count(node: Any, counted: dict[int, int], above: list[Any]) -> int:
    if id(node) in counted:
        return counted[id(node)]
    if any(node is each for each in above):
        raise TreeError(problem="the value holds itself", problem_mark=_start(node))
    children: list[Any] = []
    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        _refuse_twice(node)
        children = [each for pair in node.value for each in pair]
    above.append(node)
    counted[id(node)] = 1 + sum(_count(child, counted, above) for child in children)
    above.pop()
    return counted[id(node)]


def _refuse_twice(mapping: Any) -> None:
    seen: set[tuple[str, str]] = set()
    for key, _ in mapping.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            continue
        if (key.tag, key.value) in seen:
            raise TreeError(problem=f"found duplicate key {key.value}", problem_mark=_start(key))
        seen.add((key.tag, key.value))


def _start(node: Any) -> Any:
    return node.start_mark
