"""Putting a whole folder where the old one was, in one step."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def put_in_place(tree: Path, folder: Path) -> None:
    """`folder` becomes `tree`; whoever looks sees the old one or the new one, whole. Raises `OSError`."""
    _sync(tree)
    if folder.is_dir():
        if _exchanged(tree, folder):
            shutil.rmtree(tree)
        else:
            old = tree.with_name(f"{tree.name}-before")
            folder.rename(old)
            tree.rename(folder)
            shutil.rmtree(old)
    else:
        tree.rename(folder)
    _sync(folder.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Linux can exchange two names; elsewhere there is a moment without a folder, never half of one."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    names = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other))
    return bool(rename(*names, _RENAME_EXCHANGE) == 0)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
