"""Class bodies, in which a later name takes the place of an earlier one without a word from Python."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TypeVar, cast

from .syntax import parse

Entry = TypeVar("Entry")

_DECLARED = "__reactor_declared__"


def remember(namespace: Mapping[str, Any], entry: object) -> None:
    """Keep in the class whose body runs that `entry` was declared there."""
    if "__qualname__" in namespace:
        body = cast("MutableMapping[str, Any]", namespace)  # what a class body runs in is a dict
        body[_DECLARED] = (*body.get(_DECLARED, ()), entry)


def remembered(cls: type, kind: type[Entry]) -> list[Entry]:
    """What was declared in the body of `cls` itself."""
    return [entry for entry in vars(cls).get(_DECLARED, ()) if isinstance(entry, kind)]


def place_of(function: Callable[..., Any]) -> str:
    """``Model.method (model.py:12)``."""
    code = inspect.unwrap(function).__code__
    return f"{function.__qualname__} ({code.co_filename}:{code.co_firstlineno})"


def line_of(cls: type, name: str) -> str:
    """Where the body of `cls` binds `name` last, as " (model.py:12)"; empty where there is no source."""
    value = vars(cls).get(name)
    function = getattr(value, "fget", None) or getattr(value, "__func__", value)
    if inspect.isfunction(function):
        code = inspect.unwrap(function).__code__
        return f" ({code.co_filename}:{code.co_firstlineno})"
    try:
        lines, first = inspect.getsourcelines(cls)
        tree = parse(textwrap.dedent("".join(lines)))
        file = inspect.getsourcefile(cls)
    except (OSError, TypeError, SyntaxError):
        return ""
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    found = [node.lineno for node in statements if name in _bound_by(node)]
    return f" ({file}:{first + found[-1] - 1})" if found else ""


def line_in(method: Callable[..., Any]) -> str:
    """Where the class body that still runs has bound the name of `method` before it, as " in line 12"."""
    code = inspect.unwrap(method).__code__
    try:
        tree = parse("".join(linecache.getlines(code.co_filename)))
    except SyntaxError:
        return ""
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    before = [node.lineno for node in statements if method.__name__ in _bound_by(node)]
    found = max((line for line in before if line < code.co_firstlineno), default=0)
    return f" in line {found}" if found else ""


def _bound_by(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Assign):
        targets: list[ast.expr] = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    else:
        return [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) else []
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
