"""Room on the disk, asked before and told after."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Generator
from pathlib import Path

from reactor_runtime.errors import WeightsError

MARGIN = 2**20
"""Bytes that stay free: file systems need some for themselves."""

_FULL = {errno.ENOSPC, errno.EDQUOT}


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raises `WeightsError` where `needed` bytes do not fit beside `folder`'s files."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # the writing will tell
    if needed + MARGIN > free:
        raise WeightsError(
            f"{what} needs {size_text(needed)} in {folder}, where {size_text(free)} are free. Make room "
            "(`reactor weights prune` removes what no project asks for), or name another disk with "
            "--weights-dir."
        )


@contextlib.contextmanager
def told_when_full(folder: Path, what: str) -> Generator[None]:
    """Errors of the disk as sentences. Raises `WeightsError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise WeightsError(
                f"The disk of {folder} is full: {error.filename or what} could not be written. What "
                f"has arrived "
                f"is kept; make room (`reactor weights prune`), or name another disk with --weights-dir, and "
                f"download {what} again."
            ) from None
        place = error.filename or folder
        reason = error.strerror or type(error).__name__
        raise WeightsError(
            f"{place} cannot be written: {reason}. Mend that, or name another folder with --weights-dir."
        ) from None


def count_text(files: int) -> str:
    return "1 file" if files == 1 else f"{files} files"


def size_text(size: float) -> str:
    """``3.4 GB``; for people, in powers of ten as disks are sold."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} TB"
