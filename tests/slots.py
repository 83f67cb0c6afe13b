"""As many long tests at once as the machine has processors, over all workers and all runs of a user.

A browser, a server and an encoder in one test fill a processor: with more of them at once each waits for
seconds, and a page that does not come in time says nothing about us.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

LOOK_S = 0.05


def how_many() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Slots:
    """Locks on files, which end with the process that holds them. Those of one process do not exclude."""

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir(exist_ok=True)
        self._files = [folder / str(number) for number in range(count)]

    @contextmanager
    def one(self) -> Iterator[int]:
        """Wait for one, whichever; which it is."""
        with ExitStack() as stack:
            opened = [stack.enter_context(file.open("a")) for file in self._files]
            while (number := self._free(opened)) is None:
                time.sleep(LOOK_S)
            yield number

    @contextmanager
    def all(self) -> Iterator[None]:
        """Wait for each, always in the same order: two who want all do not wait for each other."""
        with ExitStack() as stack:
            for file in self._files:
                fcntl.lockf(stack.enter_context(file.open("a")), fcntl.LOCK_EX)
            yield

    def _free(self, opened: Sequence[IO[Any]]) -> int | None:
        for number, file in enumerate(opened):
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            return number
        return None


def ours() -> Slots:
    return Slots(Path(tempfile.gettempdir()) / f"reactor-test-slots-{os.getuid()}", how_many())
