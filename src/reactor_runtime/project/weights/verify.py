"""Whether what is there is what arrived."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .manifest import Manifest
from .names import MANIFEST

_PIECE = 2**20


def file_digest(file: Path) -> str:
    """SHA-256 in hex; empty where the file cannot be read."""
    told = hashlib.sha256()
    try:
        with file.open("rb", buffering=0) as stream:
            while piece := stream.read(_PIECE):
                told.update(piece)
    except OSError:
        return ""
    return told.hexdigest()


def same_sizes(folder: Path, manifest: Manifest) -> bool:
    """The quick look: every file is there and as long as it was."""
    return all(_size(folder / path) == entry.size for path, entry in manifest.files.items())


def problems(folder: Path, manifest: Manifest) -> list[str]:
    """One sentence for each file that is not as it arrived."""
    return [
        f"{folder / path}: {problem}"
        for path, entry in manifest.files.items()
        if (problem := _problem(folder / path, entry.size, entry.sha256))
    ]


def strangers(folder: Path, manifest: Manifest) -> list[str]:
    """Files that did not come with the others."""
    found = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in found if path not in manifest.files and path != MANIFEST]


def _problem(file: Path, size: int, sha256: str) -> str:
    now = _size(file)
    if now is None:
        return "not there"
    if now != size:
        return f"{now} bytes, not {size}"
    return "" if file_digest(file) == sha256 else "its checksum is another"


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size if file.is_file() else None
    except OSError:
        return None
