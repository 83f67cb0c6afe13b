from __future__ import annotations

import ast
from pathlib import Path

import pytest

from reactor_runtime.authoring import syntax


def test_source_becomes_a_tree() -> None:
    assert ast.dump(syntax.parse("a = 1")) == ast.dump(ast.parse("a = 1"))
    with pytest.raises(SyntaxError):
        syntax.parse("a =")


def test_a_parse_that_another_thread_has_disturbed_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fails = ast.parse, [3]

    def disturbed(source: str) -> ast.Module:
        if fails[0]:
            fails[0] -= 1
            raise SystemError("AST constructor recursion depth mismatch (before=147, after=37)")
        return real(source)

    monkeypatch.setattr(ast, "parse", disturbed)
    assert isinstance(syntax.parse("a = 1"), ast.Module)


def test_whatever_is_parsed_in_this_process_is_parsed_here() -> None:
    """Any other parse is disturbed by ours, and disturbs it."""
    root = Path(__file__).parents[2]
    call = "ast." + "parse("
    parsing = {
        path.relative_to(root).as_posix()
        for folder in ("src", "tests")
        for path in (root / folder).rglob("*.py")
        if call in path.read_text("utf-8")
    }
    assert parsing == {"tests/authoring/test_syntax.py"}
