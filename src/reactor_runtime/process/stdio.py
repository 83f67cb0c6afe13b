"""The three standard descriptors of a serving process: the log has one of its own, and none becomes a socket.

A model, or a library of its, may close stderr or descriptor 2, and native code writes to descriptor 2
whatever it likes. So the log writes to a copy that nobody else knows; Python's `sys.stderr` does too, and its
`close` closes nothing. What native code and child processes write to descriptor 2 goes through a process that
leaves the engine's own lines out (`engine_filter`).
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import select
import sys

from . import engine_filter

LOWEST = 10
"""Copies get numbers from here on: recipes for daemons close the lower ones."""


class OwnStderr:
    """Where stderr led when the process started. Any thread; never raises."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def write(self, text: str) -> int:
        left = text.encode("utf-8", "backslashreplace")
        with contextlib.suppress(OSError):
            while left:
                left = left[os.write(self.fd, left) :]
        return len(text)


own: OwnStderr | None = None
"""None where this process does not keep a descriptor: in tests, and for every command but `run`."""


class _Unclosable(io.TextIOWrapper):
    """`sys.stderr`: who closes it has only flushed it."""

    def close(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            self.flush()


def keep(verbose: bool) -> None:
    """From now on the log does not depend on what becomes of stderr. Before threads are started."""
    import fcntl  # not everywhere where the other commands run

    global own
    _plug_closed(0, 1, 2)
    fd = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, LOWEST)
    own = OwnStderr(fd)
    sys.stderr.flush()
    raw = io.FileIO(fd, "w", closefd=False)
    sys.stderr = _Unclosable(
        io.BufferedWriter(raw),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
        write_through=True,
    )
    faulthandler.enable(fd)
    engine_filter.start(fd, verbose)
    os.register_at_fork(after_in_child=_in_child)


def descriptor() -> int:
    """Where stacks of a dying process go."""
    return 2 if own is None else own.fd


def plug() -> None:
    """Open again what the model has closed, before a socket gets its number. Costs microseconds."""
    if own is None:
        return
    _plug_closed(0, 1)
    try:
        os.fstat(2)
    except OSError:
        os.dup2(own.fd, 2)
    else:
        _replace_dead_filter(own)


def _plug_closed(*numbers: int) -> None:
    for number in numbers:
        try:
            os.fstat(number)
        except OSError:
            _null_at(number)


def _null_at(number: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)


def _replace_dead_filter(stderr: OwnStderr) -> None:
    """Nobody reads the pipe any more: native code that writes there must not fail."""
    poll = select.poll()
    poll.register(2, 0)
    if any(events & select.POLLERR for _, events in poll.poll(0)):
        os.dup2(stderr.fd, 2)


def _in_child() -> None:
    """A forked child writes to stderr itself: it may outlive us, and the filter ends with us."""
    if own is not None:
        with contextlib.suppress(OSError):
            os.dup2(own.fd, 2)
