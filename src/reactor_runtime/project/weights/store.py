"""Where a model's weights lie on this machine."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from reactor_runtime.errors import ConfigError, WeightsError
from reactor_runtime.project.environment import without_tilde

from .declared import Declared, declared_sources, lines_for
from .manifest import read_manifest
from .names import PARTIAL, check_name
from .verify import same_sizes

CACHE = Path("~/.cache/reactor/weights")

__all__ = ["CACHE", "PARTIAL", "WeightsStore", "cache_root"]


class WeightsStore:
    """Looks for a folder of weights, in this order: the folder the user named, the project's, the cache."""

    def __init__(self, project_dir: Path, weights_dir: Path | None = None) -> None:
        named = [] if weights_dir is None else [without_tilde(weights_dir)]
        self._project = project_dir
        self._roots = (*named, project_dir / "weights", without_tilde(CACHE))

    def path(self, name: str) -> Path:
        """The folder `name`, absolute. Raises `WeightsError`."""
        check_name(name)
        looked: list[str] = []
        for root in self._roots:
            if root.parts[:1] == ("~",):
                looked.append(f"  {root / name} (this user has no home folder: set HOME)")
                continue
            folder = (root / name).absolute()
            problem = _problem(folder) or self._other_source(folder, name)
            if problem is None:
                return folder
            looked.append(f"  {folder} ({problem})")
        raise WeightsError(
            f"There are no weights named {name!r} on this machine. {self._what_to_do(name)}\n"
            "Looked in:\n"
            + "\n".join(looked)
            + "\nOr put the folder in one of these places, or name the folder "
            "that holds it with --weights-dir or REACTOR_WEIGHTS_DIR."
        )

    def _what_to_do(self, name: str) -> str:
        declared, problem = self._declared()
        fetch = f"Fetch them: {self._again(name)}"
        if problem:
            return f"{fetch}\nBut first: {problem}"
        if name in declared.sources:
            return f"{fetch}  (from {declared.sources[name].shown})"
        return f"{fetch}\nBut first: {lines_for(name, self._project)}"

    def _other_source(self, folder: Path, name: str) -> str | None:
        """Of a folder that was downloaded: another project may have meant something else by this name."""
        manifest = read_manifest(folder)
        if manifest is None:
            return None
        if not same_sizes(folder, manifest):
            return f"damaged: files are missing or of another size; {self._again(name)} --repair"
        declared, _ = self._declared()
        wanted = declared.sources.get(name)
        if wanted is None or not manifest.sources or wanted.shown in manifest.sources:
            return None
        return f"from {manifest.sources[0]}, and this project names {wanted.shown}"

    def _again(self, name: str) -> str:
        return download_command(name, self._project)

    def _declared(self) -> tuple[Declared, str]:
        try:
            return declared_sources(self._project), ""
        except ConfigError as error:
            return Declared(), error.message


def cache_root(weights_dir: Path | None = None) -> Path:
    """Where `reactor download` puts folders. Raises `WeightsError`."""
    root = without_tilde(CACHE if weights_dir is None else weights_dir)
    if root.parts[:1] == ("~",):
        raise WeightsError(
            f"{root} cannot be found: this user has no home folder. Set HOME, or --weights-dir."
        )
    return root.absolute()


def download_command(name: str, project: Path) -> str:
    """What a person in the current folder types."""
    folder = os.path.abspath(project)
    try:
        here = os.getcwd()
    except OSError:
        here = ""
    if folder == here:
        return f"reactor download {name}"
    shown = os.path.relpath(folder, here) if here and Path(folder).is_relative_to(here) else folder
    return f"reactor download {name} -p {shlex.quote(shown)}"


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
