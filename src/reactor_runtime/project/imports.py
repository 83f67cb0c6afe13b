"""Importing an author's files the way they expect, without their names breaking Python or this package.

The project folder goes to the front of ``sys.path``, so that ``import utils`` finds the author's file. Some
names keep their usual meaning all the same: the standard library's (a project may hold a ``types.py``), those
of the packages this runtime stands on, and that of a file which itself imports the package it is named after
(``wan.py`` with ``import wan``).
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from .packages import imports_relatively, in_package, load, other_name, package_of
from .usual_names import OUR_NEEDS

log = logging.getLogger(__name__)


class _UsualMeaning(MetaPathFinder):
    """Finds the given top-level names everywhere but in the project folder."""

    def __init__(self, folder: Path, names: frozenset[str]) -> None:
        self.folder = str(folder)
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.names:
            return None
        return PathFinder.find_spec(fullname, [entry for entry in sys.path if entry != self.folder], target)


def open_project(folder: Path) -> None:
    """Make the modules in `folder` (absolute) importable. Doing it twice changes nothing."""
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if not (isinstance(finder, _UsualMeaning) and finder.folder == str(folder))
    ]
    names = frozenset(name for name in _top_level_names(folder) if _keeps_usual_meaning(folder, name))
    if names:
        position = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else 0
        sys.meta_path.insert(position, _UsualMeaning(folder, names))


def import_file(file: Path) -> ModuleType:
    """The module of an author's file, executed once however often one asks. Raises what the file raises."""
    loaded = _already_loaded(file)
    if loaded is not None:
        return loaded
    if in_package(file) and "." not in file.stem:
        member = _import_member(file)
        if member is not None:
            return member
    if file.stem not in sys.modules and _is_found_by_name(file):
        return importlib.import_module(file.stem)
    return _import_under_another_name(file)


def import_module(name: str) -> ModuleType:
    """The module that is importable as `name`. Raises what it raises."""
    return importlib.import_module(name)


def _import_member(file: Path) -> ModuleType | None:
    """The file as a member of its package; None where only the package fails and the file can do without."""
    try:
        package = package_of(file.parent)
        importlib.import_module(package)
    except Exception:
        if imports_relatively(file):
            raise
        log.debug("The package of %s cannot be imported; the file is taken alone", file, exc_info=True)
        return None
    if file.stem == "__init__":
        return sys.modules[package]
    # `__init__.py` may have imported the file, under its own name too.
    return _already_loaded(file) or importlib.import_module(f"{package}.{file.stem}")


def _already_loaded(file: Path) -> ModuleType | None:
    for module in list(sys.modules.values()):
        # `vars`, because asking a lazy module for an attribute may import it.
        origin = vars(module).get("__file__") if isinstance(module, ModuleType) else None
        if not isinstance(origin, str) or os.path.basename(origin) != file.name:
            continue
        if Path(origin).absolute() == file and vars(module).get("__name__") != "__main__":
            return module
    return None


def _is_found_by_name(file: Path) -> bool:
    if "." in file.stem:
        return False
    spec = importlib.util.find_spec(file.stem)
    return spec is not None and spec.origin is not None and Path(spec.origin).absolute() == file


def _import_under_another_name(file: Path) -> ModuleType:
    name = other_name(file)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"Python has no way to import {file.name}")
    return load(name, spec)


def _top_level_names(folder: Path) -> set[str]:
    return {entry.stem if entry.suffix == ".py" else entry.name for entry in folder.iterdir()}


def _keeps_usual_meaning(folder: Path, name: str) -> bool:
    return name in sys.stdlib_module_names or name in OUR_NEEDS or _imports_itself(folder / f"{name}.py")


def _imports_itself(file: Path) -> bool:
    try:
        source = file.read_bytes()
    except OSError:
        return False
    return (
        re.search(rb"^\s*(?:import|from)\s+" + re.escape(file.stem.encode()) + rb"\b", source, re.MULTILINE)
        is not None
    )
