"""Where a model's weights lie on this machine."""

from __future__ import annotations

import re
from pathlib import Path

from reactor_runtime.errors import WeightsError

from .environment import without_tilde

CACHE = Path("~/.cache/reactor/weights")

PARTIAL = ".partial"
"""A folder that holds a file of this name, or one that ends in it, is a download that never finished."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


class WeightsStore:
    """Looks for a folder of weights, in this order: the folder the user named, the project's, the cache."""

    def __init__(self, project_dir: Path, weights_dir: Path | None = None) -> None:
        named = [] if weights_dir is None else [without_tilde(weights_dir)]
        self._roots = (*named, project_dir / "weights", without_tilde(CACHE))

    def path(self, name: str) -> Path:
        """The folder `name`, absolute. Raises `WeightsError`."""
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith(PARTIAL):
            raise WeightsError(
                f"{name!r} is no name for a weights folder: use letters, digits, dots, hyphens and "
                "underscores, and begin with a letter, a digit or an underscore."
            )
        looked: list[str] = []
        for root in self._roots:
            if root.parts[:1] == ("~",):
                looked.append(f"  {root / name} (this user has no home folder: set HOME)")
                continue
            folder = (root / name).absolute()
            problem = _problem(folder)
            if problem is None:
                return folder
            looked.append(f"  {folder} ({problem})")
        raise WeightsError(
            f"There are no weights named {name!r} on this machine. Looked in:\n"
            + "\n".join(looked)
            + "\nPut the folder in one of these places, or name the folder that holds it with --weights-dir "
            "or REACTOR_WEIGHTS_DIR."
        )


def _problem(folder: Path) -> str | None:
    """Why this cannot be used, or None when it can."""
    try:
        if not folder.exists():
            return "a link to nowhere" if folder.is_symlink() else "not there"
        if not folder.is_dir():
            return "a file, not a folder"
        entries = [entry.name for entry in folder.iterdir()]
    except OSError as error:
        return error.strerror or type(error).__name__
    if any(entry.endswith(PARTIAL) for entry in entries):
        return "half-finished: it holds a .partial file"
    return None if entries else "empty"
