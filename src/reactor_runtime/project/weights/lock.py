"""One process at a time works on one name; the others wait for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Generator
from pathlib import Path

from reactor_runtime.clock import WALL
from reactor_runtime.errors import WeightsError

LONGEST_WAIT_S = 24 * 3600.0
"""Large weights on a slow line take hours; nothing takes longer than a day."""
POLL_S = 0.2


@contextlib.contextmanager
def locked(
    root: Path, name: str, waiting: Callable[[], None] | None = None, wait: bool = True
) -> Generator[bool]:
    """Holds the lock of `name` in `root`, and gives True; False where another has it and `wait` is false.

    The lock guards the folder `name`, its manifest, and what has arrived of it. The system lets go of it with
    the process, however that ends; its file stays, because taking it away would let two in.
    """
    root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        held = _try(descriptor)
        if not held and wait:
            if waiting is not None:
                waiting()
            _wait(descriptor, root, name)
            held = True
        yield held
    finally:
        os.close(descriptor)


def _wait(descriptor: int, root: Path, name: str) -> None:
    deadline = WALL.time() + LONGEST_WAIT_S
    while not _try(descriptor):
        if WALL.time() > deadline:
            raise WeightsError(f"Another process has been at {root / name} for a day; end it, and try again.")
        time.sleep(POLL_S)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
