"""Source code as a tree."""

from __future__ import annotations

import ast
import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 20
PAUSE_S = 0.005

_lock = threading.Lock()
"""Guards CPython's parser from others of ours. Nothing else is taken meanwhile."""


def parse(source: str | bytes) -> ast.Module:
    """`ast.parse`, on any thread. Raises `SyntaxError`, `ValueError` or `RecursionError`."""
    with _lock:
        return undisturbed(ast.parse, source)


def undisturbed(read: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """The result of `read`, which parses something; tried again where another thread's parser disturbs it.

    CPython before 3.11.8 and 3.12.1 counts the depth of all its parsers in one place: one that is interrupted
    by another thread's, such as that of a traceback, ends with a SystemError (gh-106905), and then works.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return read(*args, **more)
        except SystemError:
            time.sleep(PAUSE_S)
    return read(*args, **more)
