"""Where tests sleep, and where they patch a constant of ours: what a lint can see of guessing."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from reactor_runtime.authoring import syntax

TESTS = Path(__file__).parents[1]
CONSTANT = re.compile(r"(^|\.)[A-Z][A-Z0-9]*_[A-Z0-9_]*$")


def guessing_sleeps(tree: ast.AST) -> Iterator[str]:
    """The functions that sleep outside of a `while` loop, which asks again; `sleep(0)` is a turn."""
    yield from _sleeps(tree, "", False)


def _sleeps(node: ast.AST, function: str, polls: bool) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        inside, asks = function, polls
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inside, asks = child.name, False
        elif isinstance(child, ast.While):
            asks = True
        elif isinstance(child, ast.Call) and not asks and _is_sleep(child):
            yield function
        yield from _sleeps(child, inside, asks)


def _is_sleep(call: ast.Call) -> bool:
    if ast.unparse(call.func) not in ("time.sleep", "asyncio.sleep"):
        return False
    return not (call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0)


def patched_constants(tree: ast.AST) -> Iterator[str]:
    """Module constants that are set by `monkeypatch`, and defaults of functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "__kwdefaults__":
            yield node.attr
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".setattr"):
            for each in node.args[:2]:
                if isinstance(each, ast.Constant) and CONSTANT.search(str(each.value)):
                    yield str(each.value)


def of_all(look: Callable[[ast.AST], Iterator[str]]) -> Iterator[tuple[str, str]]:
    """File and what was found there."""
    for path in sorted(TESTS.rglob("*.py")):
        for found in look(syntax.parse(path.read_text("utf-8"))):
            yield path.relative_to(TESTS).as_posix(), found
