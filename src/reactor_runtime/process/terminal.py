"""One line at the bottom of a terminal, below whatever else is written there.

While it is there (`below_all`), what the log, `print`, `logging` and progress bars of the author's write
takes its place first. It is drawn again only where the cursor stands at the beginning of a line: a bar of the
author's, which has not ended its line, is left alone.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

CLEAR = "\r\x1b[K"


class _Line:
    def __init__(self) -> None:
        self.renew_lock()
        self.drawn = False
        self.midline = False

    def renew_lock(self) -> None:
        """Guards both fields, and that what is drawn and what is written do not mix. A forked child gets a
        new one: who held the old one is not there."""
        self.lock = threading.RLock()


_line = _Line()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_line.renew_lock)


def is_one() -> bool:
    """Whether stderr is a terminal."""
    with suppress(ValueError, OSError, AttributeError):
        return sys.stderr.isatty()
    return False


def draw(text: str) -> None:
    """Show `text` as the last line."""
    with _line.lock:
        if _line.midline:
            return
        _line.drawn = True
        _write(f"{CLEAR}{text}")


def clear() -> None:
    with _line.lock:
        if _line.drawn:
            _line.drawn = False
            _write(CLEAR)


@contextmanager
def below_all() -> Iterator[None]:
    """What is written to the two streams meanwhile stands above the line."""
    out, err = sys.stdout, sys.stderr
    over_out, over_err = _Above(out), _Above(err)
    sys.stdout, sys.stderr = cast("TextIO", over_out), cast("TextIO", over_err)
    try:
        yield
    finally:
        # An author may have put others in their place, which stay.
        if sys.stdout is cast("TextIO", over_out):
            sys.stdout = out
        if sys.stderr is cast("TextIO", over_err):
            sys.stderr = err


def above(text: str) -> None:
    """Text is about to be written by somebody else, whole."""
    with _line.lock:
        clear()
        _line.midline = bool(text) and not text.endswith("\n")


class _Above:
    """A stream before which the line gives way; everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with _line.lock:
            if self._is_terminal():
                above(text)
            return self._stream.write(text)

    def writelines(self, lines: Any) -> None:
        for each in lines:
            self.write(each)

    def _is_terminal(self) -> bool:
        with suppress(ValueError, OSError, AttributeError):
            return self._stream.isatty()
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _write(text: str) -> None:
    stream: Any = sys.stderr
    plain = stream._stream if isinstance(stream, _Above) else stream
    with suppress(ValueError, OSError, AttributeError):
        plain.write(text)
        plain.flush()
