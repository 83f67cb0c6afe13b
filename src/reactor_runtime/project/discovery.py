"""Finding the one `@model` class of a project.

Python files directly in the folder are imported in sorted order. Only files that can hold the class are
executed: first those with a decorator that ends in ``model``; if there are none, those that mention this
package or import a package of the project, which may re-export it. A train.py beside the model never runs.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from reactor_runtime.authoring.decorator import is_model, spec_of
from reactor_runtime.errors import ModelNotFoundError, ProjectError, SeveralModelsError

from .import_report import ImportFailure
from .imports import import_file, open_project

if TYPE_CHECKING:
    from reactor_runtime.authoring.model import VideoModel

log = logging.getLogger(__name__)

NOT_FOUND = "No @model decorated class found in project."

_NEVER = re.compile(r"_.*|setup|conftest|test_.*")
_DECORATOR = re.compile(r"^\s*@\s*[\w.]*model\b", re.MULTILINE)
_OUR_NAMES = re.compile(r"\breactor_runtime\b|\bVideoModel\b")


@dataclass
class _Search:
    folder: Path
    classes: list[type[VideoModel]] = field(default_factory=list)
    failures: list[ImportFailure] = field(default_factory=list)


def find_model(path: Path) -> type[VideoModel]:
    """The model class of the project in the folder `path`.

    Raises `ProjectError` when there is no such folder, `ModelNotFoundError`, `SeveralModelsError`.
    """
    folder = project_folder(path)
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise ProjectError(f"{path} {what}; name the folder that holds the model with --path.")
    search = _Search(folder)
    sources = {file: _source(file) for file in _files(folder)}
    try:
        open_project(folder)
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}.") from error
    for can_hold_model in (_has_decorator, _may_pass_on_model(folder)):
        _import_all(search, [file for file, text in sources.items() if can_hold_model(text)])
        if search.classes:
            return _only_one(search)
        if search.failures:
            break
    raise ModelNotFoundError(_nothing_found(search, bool(sources)))


def project_folder(path: Path) -> Path:
    """The folder that `path` names, absolute; links in it are kept."""
    return Path(os.path.abspath(path.expanduser()))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(
            file for file in folder.glob("*.py") if file.is_file() and not _NEVER.fullmatch(file.stem)
        )
    except OSError as error:
        raise ProjectError(f"{folder} cannot be read: {error.strerror}.") from error


def _source(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "replace")
    except OSError:
        return "@model"  # importing it will say what is wrong


def _has_decorator(source: str) -> bool:
    return _DECORATOR.search(source) is not None


def _may_pass_on_model(folder: Path) -> Callable[[str], bool]:
    packages = sorted(
        entry.name for entry in folder.iterdir() if entry.is_dir() and entry.name.isidentifier()
    )
    imports_package = re.compile(rf"^\s*(?:import|from)\s+(?:{'|'.join(packages)})\b", re.MULTILINE)

    def may_pass_on(source: str) -> bool:
        if _has_decorator(source):
            return False  # already imported
        return bool(_OUR_NAMES.search(source) or (packages and imports_package.search(source)))

    return may_pass_on


def _import_all(search: _Search, files: Iterable[Path]) -> None:
    modules: list[ModuleType] = []
    for file in files:
        try:
            modules.append(import_file(file))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # an author's file may call sys.exit(); we report and go on
            search.failures.append(ImportFailure(file, error))
    search.classes = _decorated(modules, search.folder)


def _decorated(modules: list[ModuleType], folder: Path) -> list[type[VideoModel]]:
    """The decorated classes that these modules show, each definition once; borrowed ones only if no other."""
    found: dict[tuple[Path, int], type[VideoModel]] = {}
    for module in modules:
        for value in list(vars(module).values()):
            if is_model(value):
                spec = spec_of(value)
                found.setdefault((spec.file, spec.line), value)
    own = [cls for (file, _), cls in found.items() if file.resolve().is_relative_to(folder.resolve())]
    return own or list(found.values())


def _only_one(search: _Search) -> type[VideoModel]:
    if len(search.classes) > 1:
        places = "\n".join(f"  {cls.__name__} at {_place(cls, search.folder)}" for cls in search.classes)
        raise SeveralModelsError(
            f"{len(search.classes)} classes are decorated with @model; a project has exactly one:\n{places}\n"
            "Keep the decorator on one of them, or move the others to folders of their own."
        )
    for failure in search.failures:
        log.warning("%s could not be imported and was left out: %s", failure.file.name, failure.summary())
    return search.classes[0]


def _place(cls: type[VideoModel], folder: Path) -> str:
    spec = spec_of(cls)
    file, root = spec.file.resolve(), folder.resolve()
    return f"{file.relative_to(root) if file.is_relative_to(root) else file}:{spec.line}"


def _nothing_found(search: _Search, any_files: bool) -> str:
    parts = [NOT_FOUND]
    if search.failures:
        parts.append("These files could not be imported:")
        parts += [failure.report(search.folder) for failure in search.failures]
        parts.append(_what_to_install(search))
    elif any_files:
        parts.append(f'Decorate the model class in {search.folder} with @model(name="…").')
    else:
        parts.append(f"There is no Python file in {search.folder}; name the model's folder with --path.")
    return "\n\n".join(parts)


def _what_to_install(search: _Search) -> str:
    if not any(isinstance(failure.error, ImportError) for failure in search.failures):
        return "Correct them and try again."
    python = Path(sys.executable).name or "python"
    if (search.folder / "requirements.txt").is_file():
        return (
            f"Install what the project needs: {python} -m pip install -r {search.folder / 'requirements.txt'}"
        )
    return f"Install what is missing with {python} -m pip install, or correct the import."
