"""Keeps the media engine's own lines out of stderr; `-v` shows them as lines of the log.

The engine prints to descriptor 2 and cannot be told not to. What reads that descriptor must not be a thread
of ours: native code that prints much while it holds the GIL would fill the pipe and wait for ever, and the
last words of a process that aborts would be lost. So it is a process of its own, forked before anything is
loaded, which ends when nobody writes to the pipe any more.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

PREFIX = b"[reactor-webrtc]"
BLOCK = 65536
DESCRIPTORS = 4096
"""Lower ones than this are closed in the filter: it is forked when the process has opened a few."""


def start(stderr: int, verbose: bool) -> None:
    """Put the filter between descriptor 2 and `stderr`."""
    reading, writing = os.pipe()
    first = os.fork()
    if first == 0:
        # Twice, so that it is nobody's child: an author may wait for all of theirs.
        if os.fork() == 0:
            _filter(reading, stderr, verbose)
        os._exit(0)
    os.waitpid(first, 0)
    os.close(reading)
    os.dup2(writing, 2)
    os.close(writing)


def _filter(reading: int, stderr: int, verbose: bool) -> None:
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            # It ends with the process that writes, and not before: these are for the whole group.
            signal.signal(number, signal.SIG_IGN)
        os.dup2(reading, 0)
        os.dup2(stderr, 1)
        os.closerange(2, DESCRIPTORS)
        os.chdir("/")
        sieve = Sieve(verbose)
        while block := os.read(0, BLOCK):
            _write(sieve.passed(block))
        _write(sieve.rest())
    finally:
        os._exit(0)


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


class Sieve:
    """Lines that begin with the engine's name are dropped or rewritten; all else passes as it comes."""

    def __init__(self, verbose: bool, now: Callable[[], str] | None = None) -> None:
        self._verbose = verbose
        self._now = now or (lambda: time.strftime("%Y-%m-%d %H:%M:%S"))
        self._kept = b""
        self._in_line = False
        """The beginning of the present line has passed, and the rest of it will."""

    def passed(self, data: bytes) -> bytes:
        """What of `data`, and of what was kept back before, is to be written now."""
        out = b""
        for line in (self._kept + data).splitlines(keepends=True):
            self._kept = b""
            whole = line.endswith((b"\n", b"\r"))
            if self._in_line or not _may_begin(line):
                out += line
                self._in_line = not whole
            elif whole:
                out += self._engine(line)
            else:
                self._kept = line
        return out

    def rest(self) -> bytes:
        """What is left at the end."""
        return self._kept

    def _engine(self, line: bytes) -> bytes:
        if not line.startswith(PREFIX):
            return line
        text = line.removeprefix(PREFIX).strip()
        return f"{self._now()} debug  engine: ".encode() + text + b"\n" if self._verbose else b""


def _may_begin(line: bytes) -> bool:
    return line.startswith(PREFIX) or PREFIX.startswith(line)
