"""The author's line that assigns what was found, as far as the source tells."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reactor_runtime.authoring.syntax import parse

from .own import Own

FILE_LIMIT = 2**20
"""Bytes of a file that is looked at."""
_MUTATORS = frozenset(
    {
        *("add", "append", "appendleft", "extend", "extendleft", "insert", "update", "setdefault", "put"),
        *("put_nowait", "push", "write", "fill", "set", "pop", "remove", "clear", "discard", "popleft"),
        *("copy_", "add_", "mul_", "sub_", "div_", "zero_", "fill_", "normal_", "uniform_", "send", "random"),
        *("register_forward_hook", "register_forward_pre_hook", "register_hook"),
        *("register_full_backward_hook", "standard_normal", "integers", "acquire"),
    }
)
"""Methods that change what they are called on."""
_SETTING_BACK = re.compile(r"__init__|warmup|_*(re)?(reset|setup|clear|clean|restore)\w*", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Assignment:
    """`name` is changed at a line; `weight` is higher where a session does it."""

    name: str
    line: int
    weight: int


class Source:
    """Reads the author's files when something was found, each once."""

    def __init__(self, own: Own) -> None:
        self._own = own
        self._files: dict[Path, tuple[list[Assignment], dict[str, int]]] = {}

    def find(self, path: str) -> str:
        """The line for a path like `self.pipeline._step` or `model.CACHE['a']`; empty where none is found."""
        names = [name for name in _NAME.findall(re.sub(r"\[[^]]*\]?", "", path)) if name != "self"]
        for name in reversed(names):
            best: tuple[int, Path, int] | None = None
            for file in self._sources():
                for each in self._read(file)[0]:
                    if each.name == name and (best is None or each.weight > best[0]):
                        best = (each.weight, file, each.line)
            if best is not None:
                return self.place(str(best[1]), best[2])
        return ""

    def call(self, function: str) -> str:
        """The first line that calls `function`, not as the head of a `with`."""
        for file in self._sources():
            line = self._read(file)[1].get(function)
            if line is not None:
                return self.place(str(file), line)
        return ""

    def place(self, filename: str, line: int) -> str:
        """`model.py:31`, relative to the project."""
        path = Path(filename)
        try:
            shown = path.resolve().relative_to(self._own.folder)
        except ValueError:
            shown = path
        return f"{shown}:{line}"

    def _sources(self) -> list[Path]:
        names = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        own = {Path(name) for name in names if type(name) is str and self._own.holds_file(name)}
        model = sys.modules.get(self._own.model_class.__module__)
        main = getattr(model, "__file__", None)
        return sorted(own, key=lambda file: (str(file) != main, str(file)))

    def _read(self, file: Path) -> tuple[list[Assignment], dict[str, int]]:
        known = self._files.get(file)
        if known is None:
            try:
                tree = parse(file.read_bytes()[:FILE_LIMIT])
            except (OSError, SyntaxError, ValueError, RecursionError):
                tree = ast.Module([], [])
            known = self._files[file] = (list(_assignments(tree)), _calls(tree))
        return known


def _assignments(tree: ast.Module) -> Iterator[Assignment]:
    waiting: list[tuple[ast.AST, int]] = [(tree, 1)]
    while waiting:
        node, weight = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            weight = _weight(node)
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield from (Assignment(each.arg, each.lineno, 1) for each in arguments)
            yield Assignment(node.name, node.lineno, 1)  # of what it keeps itself: lru_cache, an attribute
        for target in _targets(node):
            yield from _named(target, weight)
        waiting.extend((child, weight) for child in ast.iter_child_nodes(node))


def _weight(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """What runs in a session tells more than what runs before or after it."""
    if function.name == "__init__" or function.name == "warmup":
        return 2
    if _SETTING_BACK.fullmatch(function.name):
        return 1
    decorated = any("command" in ast.dump(each) for each in function.decorator_list)
    return 5 if decorated else 4


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr | ast.For | ast.AsyncFor):
        return [node.target]
    if isinstance(node, ast.Delete):
        return node.targets
    if isinstance(node, ast.withitem) and node.optional_vars is not None:
        return [node.optional_vars]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATORS:
        return [node.func.value]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("next", "setattr"):
        return node.args[:1]
    return []


def _named(target: ast.expr, weight: int) -> Iterator[Assignment]:
    """The names that a change of `target` changes: in `self.a.b[0] = 1` those of `b` and, less so, of `a`."""
    if isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from _named(each, weight)
        return
    inner: ast.expr | None = target
    less = 0
    while inner is not None:
        if isinstance(inner, ast.Attribute):
            yield Assignment(inner.attr, inner.lineno, weight * 10 - less)
            inner = inner.value
        elif isinstance(inner, ast.Name):
            yield Assignment(inner.id, inner.lineno, weight * 10 - less)
            inner = None
        elif isinstance(inner, ast.Subscript | ast.Starred | ast.Await):
            inner = inner.value
        elif isinstance(inner, ast.Call):
            inner = inner.func
        else:
            inner = None
        less += 1


def _calls(tree: ast.Module) -> dict[str, int]:
    guarded = {
        id(item.context_expr)
        for node in ast.walk(tree)
        if isinstance(node, ast.With | ast.AsyncWith)
        for item in node.items
    }
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in guarded:
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            found.setdefault(name, node.lineno)
    return found
