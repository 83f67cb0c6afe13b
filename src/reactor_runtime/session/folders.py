"""Folders for temporary files that outlive nobody: those of killed processes are swept at the next start.

Each is locked by its process, and the system takes the lock back when that ends, however it ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import stat
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)

PREFIX = "reactor-uploads-"
TRIES = 3
"""A new folder may be swept by somebody before it is locked; then another one is made."""
SWEEP_LIMIT = 1000
"""Folders that one start looks at."""

_held: dict[Path, int] = {}


def make() -> Path:
    """A folder of this process, readable by its user alone. Raises `OSError`."""
    for left in reversed(range(TRIES)):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        try:
            _held[folder] = _lock(folder)
            break
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            if not left:
                raise
    return folder


def remove(folder: Path) -> bool:
    """Delete a folder of this process; False when something of it stays."""
    shutil.rmtree(folder, ignore_errors=True)
    fd = _held.pop(folder, None)
    if fd is not None:
        os.close(fd)
    return not folder.exists()


def sweep() -> int:
    """Delete what killed processes of this user have left; returns how many folders that were.

    Says once where no temporary file can be written at all.
    """
    try:
        root = Path(tempfile.gettempdir())
    except OSError as error:
        log.warning("Files of clients cannot be kept: no folder for temporary files is writable (%s)", error)
        return 0
    swept = 0
    with contextlib.suppress(OSError):
        for folder in sorted(root.glob(f"{PREFIX}*"))[:SWEEP_LIMIT]:
            swept += _sweep(folder)
    if swept:
        log.info("Swept %d folders with files of clients that a killed process had left", swept)
    return swept


def _sweep(folder: Path) -> bool:
    try:
        about = folder.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
            return False
        fd = _lock(folder)
    except OSError:
        return False  # its process lives, or it has gone meanwhile
    shutil.rmtree(folder, ignore_errors=True)
    os.close(fd)
    return not folder.exists()


def _lock(folder: Path) -> int:
    """Raises `OSError` when somebody else holds it."""
    import fcntl  # not everywhere where the rest of this package can be imported

    fd = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


def _let_go() -> None:
    """A forked child must not hold the locks of its parent, which may be killed before it ends."""
    for fd in _held.values():
        with contextlib.suppress(OSError):
            os.close(fd)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
