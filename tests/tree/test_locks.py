"""Each lock says what it guards, and stands in docs/concurrency.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reactor_runtime.authoring import syntax

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "reactor_runtime"
DOCUMENT = ROOT / "docs" / "concurrency.md"
KINDS = {"Lock", "RLock", "Condition"}
LOOP = "asyncio"
METHOD = "class A:\n    def {name}(self):\n        'Guards x.'\n        self.a = Lock()\n"


def locks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The name of each lock, and what is said of it: by the text behind it, or by its function."""
    for parent in ast.walk(tree):
        body: list[ast.stmt] = getattr(parent, "body", [])
        for position, statement in enumerate(body if isinstance(body, list) else []):
            if not (isinstance(statement, ast.Assign | ast.AnnAssign) and makes_a_lock(statement.value)):
                continue
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            name = target.attr if isinstance(target, ast.Attribute) else ast.unparse(target)
            behind = body[position + 1] if position + 1 < len(body) else None
            said = text_of(behind)
            if not said and isinstance(parent, ast.FunctionDef) and parent.name != "__init__":
                said = ast.get_docstring(parent) or ""
            yield name, said


def makes_a_lock(value: ast.expr | None) -> bool:
    """Whether this is `threading.Lock()`, `Lock()` or a field that makes one; not one of the event loop."""
    for node in ast.walk(value) if value is not None else ():
        if isinstance(node, ast.Attribute) and node.attr in KINDS:
            return not (isinstance(node.value, ast.Name) and node.value.id == LOOP)
        if isinstance(node, ast.Name) and node.id in KINDS:
            return True
    return False


def text_of(statement: ast.stmt | None) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return str(statement.value.value)
    return ""


def all_locks() -> dict[tuple[str, str], str]:
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for name, said in locks(syntax.parse(path.read_text("utf-8"))):
            found[path.relative_to(SOURCE).as_posix(), name] = said
    # Not a lock: what the audit knows of them.
    return {key: said for key, said in found.items() if key[1] != "_GENUINE"}


@pytest.mark.parametrize(("place", "said"), all_locks().items(), ids=lambda each: "-".join(each)[:60])
def test_each_lock_says_what_it_guards(place: tuple[str, str], said: str) -> None:
    assert said.startswith("Guards "), f"Write below {place[1]} in {place[0]} what it guards."


def test_the_document_has_a_row_for_each() -> None:
    rows = set(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    assert rows == set(all_locks())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import threading\n_lock = threading.Lock()\n", [("_lock", "")]),
        ("from threading import RLock\n_lock = RLock()\n'Guards it.'\n", [("_lock", "Guards it.")]),
        ("class A:\n    turn: Lock = field(default_factory=threading.Lock)\n", [("turn", "")]),
        (
            "class A:\n    def renew(self):\n        'Guards x.'\n        self.a = Lock()\n",
            [("a", "Guards x.")],
        ),
        (
            "class A:\n    def __init__(self):\n        'Guards x.'\n        self.a = Condition()\n",
            [("a", "")],
        ),
        ("turn = asyncio.Lock()\n", []),
    ],
)
def test_locks_are_found_whichever_way_they_are_made(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(locks(syntax.parse(text))) == expected
