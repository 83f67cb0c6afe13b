"""Which files of a project may hold the model, found by reading, not by executing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from reactor_runtime.errors import ProjectError

MAX_DEPTH = 4
"""Folders below the project's in which packages are looked through."""
MAX_FILES = 2_000
"""Python files that are read below the project's folder."""

NEVER = re.compile(r"_.*|setup|conftest|test_.*")
_NEVER_FOLDERS = re.compile(
    r"\..*|__pycache__|tests?|venv|env|node_modules|site-packages|build|dist|.*\.egg-info"
)
_DECORATOR = re.compile(r"^\s*@\s*[\w.]*model\b", re.MULTILINE)
_OUR_NAMES = re.compile(r"\breactor_runtime\b|\bVideoModel\b")


def direct_files(folder: Path) -> dict[Path, str]:
    """The Python files of the folder itself with their text, in sorted order. Raises `ProjectError`."""
    try:
        files = [file for file in folder.glob("*.py") if file.is_file()]
    except OSError as error:
        raise ProjectError(f"{folder} cannot be read: {error.strerror}.") from error
    return {file: _source(file) for file in sorted(files) if not NEVER.fullmatch(file.stem)}


def source_folder(folder: Path) -> Path | None:
    """The ``src`` of a project that keeps its packages there; a package called `src` is none."""
    source = folder / "src"
    return source if source.is_dir() and not (source / "__init__.py").exists() else None


def stages(folder: Path, sources: dict[Path, str]) -> Iterator[list[Path]]:
    """First files with the decorator, then those that may pass a model on, then packages, ``src`` first.

    The next ones are tried when the files before hold no model and none of them failed.
    """
    yield [file for file, text in sources.items() if has_decorator(text)]
    may_pass_on = _may_pass_on_model(folder)
    yield [file for file, text in sources.items() if may_pass_on(text)]
    init = folder / "__init__.py"
    if init.is_file() and _OUR_NAMES.search(text := _source(init)) and has_decorator(text):
        yield [init]
    source = source_folder(folder)
    roots = [source, folder] if source is not None else [folder]
    for root in roots:
        yield [file for file in nested_files(root, packages_only=root == folder) if _holds_model(file)]


def decorated_below(folder: Path) -> list[Path]:
    """Files with a model anywhere below, for the advice where none was found."""
    return [file for file in nested_files(folder, packages_only=False) if _holds_model(file)]


def nested_files(folder: Path, packages_only: bool) -> Iterator[Path]:
    """Python files below `folder`, without those in it if only packages are asked for."""
    read = 0
    for where, folders, files in os.walk(folder):
        here = Path(where)
        depth = len(here.relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not _NEVER_FOLDERS.fullmatch(name))
        if packages_only:
            folders[:] = [name for name in folders if (here / name / "__init__.py").is_file()]
        if depth >= MAX_DEPTH:
            folders.clear()
        if depth == 0 and packages_only:
            continue
        for name in sorted(files):
            if name.endswith(".py") and (name == "__init__.py" or not NEVER.fullmatch(name[:-3])):
                read += 1
                if read > MAX_FILES:
                    return
                yield here / name


def has_decorator(source: str) -> bool:
    return _DECORATOR.search(source) is not None


def _holds_model(file: Path) -> bool:
    text = _source(file)
    return has_decorator(text) and _OUR_NAMES.search(text) is not None


def _source(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "replace")
    except OSError:
        return "@model"  # importing it will say what is wrong


def _may_pass_on_model(folder: Path) -> Callable[[str], bool]:
    roots = [root for root in (folder, source_folder(folder)) if root is not None]
    packages = sorted(
        entry.name
        for root in roots
        for entry in root.iterdir()
        if entry.is_dir() and entry.name.isidentifier()
    )
    own = "|".join([*packages, re.escape(folder.name)])
    imports_package = re.compile(rf"^\s*(?:import\s+|from\s+|from\s+\.+)(?:{own})\b", re.MULTILINE)

    def may_pass_on(source: str) -> bool:
        if has_decorator(source):
            return False  # already imported
        return bool(_OUR_NAMES.search(source) or imports_package.search(source))

    return may_pass_on
