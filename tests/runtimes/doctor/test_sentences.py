"""Whether each sentence of the doctor's source is looked for by a test of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import reactor_runtime.runtimes.doctor as room
from reactor_runtime.authoring import syntax

SOURCES = sorted(Path(room.__file__).parent.glob("*.py"))
TESTS = Path(__file__).with_name("test_doctor.py")
LEVELS = ("ok", "note", "problem")
PIECE = 6
"""Characters that are enough to tell a sentence by, where no other sentence has them."""

SHORT = {
    ("Media over ", " "),
    (" answers.",),
    (" answers: ", " is ", "."),
    (" answers ", ": "),
    ("torch ", " runs on the CPU."),
    ("torch ", " and driver ", " of the ", " agree."),
    (" encodes.",),
    (" are free for weights at ", "."),
}
"""Too few words to be told apart by. The tests look for what is put into them."""


def pieces(text: ast.expr) -> tuple[str, ...]:
    """What is written out of a string or an f-string."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return tuple(
        part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def sentences(tree: ast.Module) -> Iterator[tuple[str, ...]]:
    """The second word of each `ok(…)`, `note(…)`, `problem(…)`, and what such a word is put together from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in LEVELS:
            yield pieces(node.args[1])
        elif isinstance(node, ast.Assign) and [ast.unparse(each) for each in node.targets] == ["what"]:
            yield pieces(node.value)


def looked_for(tree: ast.Module) -> set[str]:
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr))
    return {piece.strip() for each in strings for piece in pieces(each) if len(piece.strip()) >= PIECE}


def test_every_sentence_is_provoked() -> None:
    found = [each for path in SOURCES for each in sentences(syntax.parse(path.read_text()))]
    assert len(found) >= 40, "they are found"
    words = looked_for(syntax.parse(TESTS.read_text()))
    unprovoked = set(found) - {told for word in words if (told := tells(word, found)) is not None}
    assert unprovoked == SHORT


def tells(word: str, found: list[tuple[str, ...]]) -> tuple[str, ...] | None:
    """The one sentence that has more in common with `word` than all others have."""
    common = sorted((max(shared(word, piece) for piece in each), each) for each in found)
    (second, _), (most, sentence) = common[-2:]
    return sentence if most > second and most >= PIECE else None


def shared(one: str, other: str) -> int:
    """Characters in a row that are in both."""
    return SequenceMatcher(None, one, other, autojunk=False).find_longest_match().size
