"""What is on this machine, who asks for it, and what nobody asks for any more."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from reactor_runtime.errors import ConfigError, WeightsError
from reactor_runtime.project.environment import without_tilde

from .asked import asked_names
from .declared import declared_sources
from .lock import locked
from .manifest import Manifest, read_manifest
from .names import PARTIAL
from .staging import ABOUT
from .store import CACHE

TREE_REMOVED = "removed"
"""Where a folder lies while it goes."""


@dataclass(frozen=True)
class Row:
    name: str
    place: Path | None
    """None where it is not on this machine."""
    size: int = 0
    revision: str = ""
    asked_by: tuple[str, ...] = ()
    source: str = ""
    note: str = ""


def inventory(project: Path, weights_dir: Path | None) -> list[Row]:
    """What the project asks for, and what else lies in the cache. Raises `ConfigError`."""
    asked = asked_names(project)
    sources = declared_sources(project).sources
    roots = [root for root in (weights_dir, project / "weights", CACHE) if root is not None]
    folders = {}
    for root in reversed([without_tilde(root) for root in roots]):
        folders.update(_folders(root))
    rows = []
    for name in sorted({*asked, *sources, *folders}):
        users = tuple(asked.get(name, ()))
        source = sources[name].shown if name in sources else ""
        rows.append(_row(name, folders.get(name), users, source))
    return rows


def unasked(root: Path) -> list[Row]:
    """Downloads in `root`, whole or begun, that no project on this machine asks for."""
    rows = []
    for name, folder in sorted(_folders(root).items()):
        manifest = read_manifest(folder)
        if manifest is not None and not any(_asks(project, name) for project in manifest.projects):
            rows.append(_row(name, folder, (), ""))
    for folder in sorted(root.glob(f"*{PARTIAL}")) if root.is_dir() else ():
        name = folder.name.removesuffix(PARTIAL)
        projects = _projects_of_partial(folder)
        if folder.is_dir() and projects is not None and not any(_asks(each, name) for each in projects):
            rows.append(Row(name, folder, _size_of(folder), note="half-finished"))
    return rows


def remove(root: Path, row: Row) -> bool:
    """False where another process is at it, or asks for it by now. Raises `WeightsError`."""
    partial = root / f"{row.name}{PARTIAL}"
    with locked(root, row.name, wait=False) as held:
        if not held or row not in unasked(root):
            return False
        assert row.place is not None  # rows of `unasked` have one
        try:
            if row.place != partial:
                # Away from its name first: half a folder is never taken for a whole one.
                partial.mkdir(exist_ok=True)
                (partial / ABOUT).write_text(json.dumps({"projects": []}), "utf-8")
                row.place.rename(partial / TREE_REMOVED)
            shutil.rmtree(partial)
        except OSError as error:
            raise WeightsError(f"{row.place} cannot be removed: {error.strerror}.") from None
    return True


def _row(name: str, folder: Path | None, users: tuple[str, ...], source: str) -> Row:
    if folder is None:
        return Row(name, None, 0, "", users, source, "not here")
    manifest = read_manifest(folder)
    if manifest is None:
        return Row(name, folder, _size_of(folder), "", users, source)
    other = bool(source) and bool(manifest.sources) and source not in manifest.sources
    return Row(
        name,
        folder,
        manifest.size,
        manifest.revision,
        _askers(users, manifest),
        manifest.sources[0] if manifest.sources else source,
        f"not from {source}" if other else "",
    )


def _askers(users: tuple[str, ...], manifest: Manifest) -> tuple[str, ...]:
    return (*users, *(each for each in manifest.projects if Path(each).is_dir()))


def _folders(root: Path) -> dict[str, Path]:
    """Folders of weights; what begins with a dot, or is half-finished, is none."""
    with contextlib.suppress(OSError):
        return {
            each.name: each
            for each in root.iterdir()
            if each.is_dir() and not each.name.startswith(".") and not each.name.endswith(PARTIAL)
        }
    return {}


def _asks(project: str, name: str) -> bool:
    folder = Path(project)
    if not folder.is_dir():
        return False
    try:
        return name in declared_sources(folder).sources or name in asked_names(folder)
    except ConfigError:
        return True  # who cannot be read may well ask


def _projects_of_partial(folder: Path) -> list[str] | None:
    """None where it is not one of ours."""
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        return [str(each) for each in about["projects"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _size_of(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                status = Path(place, name).stat()
                total += min(status.st_size, status.st_blocks * 512)
    return total
