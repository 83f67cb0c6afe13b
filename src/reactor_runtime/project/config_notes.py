"""What a YAML text says otherwise than it looks: told once at the start, with line and text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]  # OmegaConf's own parser; it ships no types

from .excerpt import line_of, quoted, shortened
from .yaml12 import implicit_tag, read_differently
from .yaml_tree import Tree

_GLUED = re.compile(r"[ \t]+(#[^\s#!=*-][^\r\n]*)")
"""A comment that begins without a space: ``#fff``, ``#1``."""
_NULL, _TEXT = "tag:yaml.org,2002:null", "tag:yaml.org,2002:str"


def notes_of(tree: Tree, text: str) -> list[str]:
    """What was taken for a comment, a key or an anchor and may mean more; each begins with its line."""
    notes: dict[tuple[int, str], None] = {}
    for node, key, in_braces in tree.scalars():
        if node.style is not None:
            continue  # quoted: it is what it looks like
        for sentence in (_of_comments(node, key, text), _of_braces(node, key, in_braces)):
            if sentence:
                notes[node.start_mark.line + 1, sentence] = None
    for line, sentence in _of_anchors(text):
        notes[line, sentence] = None
    return _with_lines(notes, text)


def readings_of(tree: Tree, text: str) -> list[str]:
    """The plain words that YAML 1.1 reads otherwise; each begins with its line."""
    notes: dict[tuple[int, str], None] = {}
    for node, _, _ in tree.scalars():
        # With a tag of its own (`!!str 010`) it says what it is.
        if node.style is None and node.tag == implicit_tag(node.value):
            said = of_word(node.value)
            if said:
                notes[node.start_mark.line + 1, f"{said}."] = None
    return _with_lines(notes, text)


def _with_lines(notes: Iterable[tuple[int, str]], text: str) -> list[str]:
    return [f"{line}: {quoted(line_of(text, line))}: {sentence}" for line, sentence in sorted(notes)]


def of_word(text: str) -> str | None:
    """Told of a plain word that YAML 1.1 reads otherwise."""
    readings = read_differently(text)
    if readings is None:
        return None
    new, old = (_described(value) for value in readings)
    hint = ""
    if isinstance(readings[1], bool):
        hint = f"; for {old} write {old}"
    return f"{shortened(text, 40)} is {new} here (YAML 1.2); YAML 1.1 reads {old}{hint}"


def _of_comments(node: Any, key: Any | None, text: str) -> str | None:
    """``color: #fff`` is null, and ``color: red #1`` is red."""
    if node.tag not in (_NULL, _TEXT):
        return None
    found = _GLUED.match(text, node.end_mark.index)
    if not found:
        return None
    value = "null" if node.tag == _NULL else json.dumps(shortened(node.value, 40), ensure_ascii=False)
    name = "the value" if key is None or not isinstance(key, yaml.ScalarNode) else shortened(key.value, 40)
    whole = shortened(f"{node.value} {found[1].rstrip()}".strip(), 40)
    return (
        f"YAML takes {shortened(found[1], 40)} for a comment, so {name} is {value}. If it belongs to the "
        f"value, write {_in_quotes(whole)}; if it is a comment, put a space behind the #."
    )


def _of_braces(node: Any, key: Any | None, in_braces: bool) -> str | None:
    """``{width:832}`` has a key ``width:832`` and no value."""
    if not in_braces or node.tag != _NULL or node.value or not isinstance(key, yaml.ScalarNode):
        return None
    name, colon, rest = key.value.partition(":")
    if not colon or key.style is not None:
        return None
    return (
        f"{shortened(key.value, 40)} is one key without a value; for the key {shortened(name, 40)} put a "
        f"space behind the colon: {shortened(f'{name}: {rest.strip()}', 40)}."
    )


def _of_anchors(text: str) -> list[tuple[int, str]]:
    """``name: &co`` is null with an anchor that nobody uses."""
    if "&" not in text:
        return []
    anchors: dict[str, int] = {}
    used: set[str] = set()
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.AnchorToken):
            anchors[token.value] = token.start_mark.line + 1
        elif isinstance(token, yaml.AliasToken):
            used.add(token.value)
    return [
        (line, f"YAML takes &{name} for an anchor, and no *{name} uses it; if it is text, put it in quotes.")
        for name, line in anchors.items()
        if name not in used
    ]


def _in_quotes(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _described(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {json.dumps(shortened(value, 40), ensure_ascii=False)}"
    return f"the number {shortened(repr(value), 40)}"
