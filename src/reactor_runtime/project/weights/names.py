"""Names of weights, and names of files that somebody else's machine says: those are never trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from reactor_runtime.errors import WeightsError
from reactor_runtime.project.excerpt import shortened

PARTIAL = ".partial"
"""A folder that holds a file of this name, or one that ends in it, is a download that never finished."""

MANIFEST = ".reactor-manifest.json"
"""What a downloaded folder holds about itself."""

REMOTE_MANIFEST = "reactor-manifest.json"
"""What `reactor upload` writes beside the files."""

MAX_PATH_BYTES = 1_000
MAX_PART_BYTES = 240
"""Of one part of a path; file systems end at 255."""

MAX_FILES = 100_000
"""Of one folder of weights."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


def check_name(name: object) -> None:
    """Raises `WeightsError` where `name` is not the name of one folder."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith(PARTIAL):
        raise WeightsError(
            f"{name!r} is no name for a weights folder: use letters, digits, dots, hyphens and "
            "underscores, and begin with a letter, a digit or an underscore."
        )


def safe_path(text: str, where: str) -> str:
    """`text` as a path that stays inside its folder. Raises `WeightsError`, which names `where`."""
    problem = _problem(text)
    if problem is not None:
        raise WeightsError(
            f"{where} holds a file named {shortened(repr(text))}, {problem}. Nothing of it was put in place; "
            "ask whoever made it for a clean one."
        )
    return text


def check_tree(paths: Iterable[str], where: str) -> None:
    """Raises `WeightsError` where these cannot all be files of one folder."""
    seen: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        if path in seen:
            raise WeightsError(f"{where} holds two files named {path!r}; a folder can have only one.")
        seen.add(path)
        folders.update(str(parent) for parent in PurePosixPath(path).parents)
    both = min(seen & folders, default=None)
    if both is not None:
        raise WeightsError(f"{where} holds {both!r} as a file and as a folder; a folder can have only one.")
    if not seen:
        raise WeightsError(f"{where} holds no files; look whether it is the right place.")
    if len(seen) > MAX_FILES:
        raise WeightsError(
            f"{where} holds {len(seen)} files; {MAX_FILES} are the most that weights may have."
        )


def _problem(text: str) -> str | None:
    if not text or text.startswith("/") or re.match(r"[A-Za-z]:", text):
        return "which is no place inside a folder"
    if "\\" in text or not text.isprintable():
        return "with characters that no file of weights has"
    parts = text.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "which would leave the folder" if ".." in parts else "which is no plain path"
    try:
        too_long = len(text.encode()) > MAX_PATH_BYTES or any(
            len(part.encode()) > MAX_PART_BYTES for part in parts
        )
    except UnicodeEncodeError:
        return "which is no text"
    if too_long:
        return "which is too long"
    if parts[-1].endswith(PARTIAL) or parts[0].endswith(PARTIAL):
        return "which is how half-finished files are named"
    return "which is kept for reactor's own" if text == MANIFEST else None
