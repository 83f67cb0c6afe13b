"""Source code as a tree."""

from __future__ import annotations

import ast
import threading
import time

ATTEMPTS = 20
PAUSE_S = 0.005

_lock = threading.Lock()
"""Guards CPython's parser from others of ours. Nothing else is taken meanwhile."""


def parse(source: str | bytes) -> ast.Module:
    """`ast.parse`, on any thread. Raises `SyntaxError`, `ValueError` or `RecursionError`.

    CPython before 3.11.8 and 3.12.1 counts the depth of all its parsers in one place: one that is interrupted
    by another thread's, such as that of a traceback, ends with a SystemError (gh-106905), and then works.
    """
    with _lock:
        for _ in range(ATTEMPTS - 1):
            try:
                return ast.parse(source)
            except SystemError:
                time.sleep(PAUSE_S)
        return ast.parse(source)
