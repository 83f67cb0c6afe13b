"""Keeping stdout for the one document a command prints.

From `keep_stdout` on, everything else that this process writes goes to stderr: the author's files, their
threads, C code, child processes and exit hooks. That is never undone, because exit hooks come last.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable

import click

STDOUT, STDERR = 1, 2


def keep_stdout() -> Callable[[str], None]:
    """Gives the function that prints the document, whole and with a line end; call it once."""
    out = sys.stdout
    descriptor = _real_descriptor()
    if descriptor is None:
        sys.stdout = sys.stderr

        def write_object(text: str) -> None:
            sys.stdout = out
            click.echo(text)

        return write_object
    out.flush()
    kept = os.dup(descriptor)
    os.dup2(STDERR, descriptor)
    sys.stdout = sys.stderr
    encoding = out.encoding or "utf-8"
    # A child that is forked and lives on would keep a pipe open, and its reader waiting.
    os.register_at_fork(after_in_child=lambda: _close(kept))

    def write(text: str) -> None:
        try:
            with open(kept, "wb", closefd=True) as file:
                file.write(f"{text}\n".encode(encoding, "backslashreplace"))
        except BrokenPipeError:
            pass  # who reads has seen enough

    return write


def _real_descriptor() -> int | None:
    """Where stdout is a file of the system's; None where somebody in this process captures it."""
    if sys.stdout is None:
        raise click.ClickException("stdout is closed, so there is nowhere to print to.")
    try:
        descriptor = sys.stdout.fileno()
        os.fstat(STDERR)
    except (OSError, ValueError, AttributeError):
        return None
    return descriptor if descriptor == STDOUT else None


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.close(descriptor)
