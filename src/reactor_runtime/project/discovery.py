"""Finding the one `@model` class of a project.

Only files that can hold the class are executed: first those directly in the folder with a decorator that ends
in ``model``; if there are none, those that mention this package or import a package of the project, which may
re-export it; then the packages below, ``src/`` first. A train.py beside the model never runs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from reactor_runtime.authoring.spec import is_model, spec_of
from reactor_runtime.errors import ModelNotFoundError, ProjectError, SeveralModelsError

from .advice import what_to_do
from .candidates import decorated_below, direct_files, source_folder, stages
from .excerpt import shown_path
from .import_report import ImportFailure
from .imports import import_file, import_module, open_project
from .likeness import nearest
from .target import Target, parse_target, project_folder

if TYPE_CHECKING:
    from reactor_runtime.authoring.model import VideoModel

log = logging.getLogger(__name__)

NOT_FOUND = "No @model decorated class found in project."
MAX_ADVISED = 3
"""Places elsewhere that an error names."""

__all__ = ["find_model", "project_folder"]


@dataclass
class _Search:
    folder: Path
    classes: list[type[VideoModel]] = field(default_factory=list)
    failures: list[ImportFailure] = field(default_factory=list)


def find_model(path: Path, name: str | None = None) -> type[VideoModel]:
    """The model class of the project at `path`: a folder, or one file.

    `name` is what a person wrote beside it: a folder, a file, or ``package.module:Class``, found from `path`.
    Raises `ProjectError`, `ModelNotFoundError`, `SeveralModelsError`.
    """
    target = parse_target(path, name)
    search = _Search(target.folder)
    try:
        for root in (source_folder(target.folder), target.folder):
            if root is not None:
                open_project(root)
    except OSError as error:
        raise ProjectError(f"{target.folder} cannot be read: {error.strerror}.") from error
    if target.module:
        return _of_module(search, target)
    return _of_files(search, target)


def _of_files(search: _Search, target: Target) -> type[VideoModel]:
    if target.file is not None:
        _import_all(search, [target.file])
        if target.class_name:
            search.classes = [_named(search.classes, target)] if search.classes else []
        if search.classes:
            return _only_one(search)
        raise ModelNotFoundError(_nothing_found(search, [target.file], named=True))
    sources = direct_files(target.folder)
    for files in stages(target.folder, sources):
        _import_all(search, files)
        if search.classes:
            if target.class_name:
                return _named(search.classes, target)
            return _only_one(search)
        if search.failures:
            break
    raise ModelNotFoundError(_nothing_found(search, list(sources)))


def _of_module(search: _Search, target: Target) -> type[VideoModel]:
    try:
        module = import_module(target.module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # an author's file may call sys.exit()
        if isinstance(error, ModuleNotFoundError) and _is_part(error.name, target.module):
            raise ProjectError(
                f"There is no module {error.name} in {target.folder}, nor is one installed; name the folder "
                "that it is imported from with --path."
            ) from error
        search.failures.append(ImportFailure(Path(target.module), error))
        raise ModelNotFoundError(_nothing_found(search, [])) from error
    classes = _decorated([module], search.folder)
    if target.class_name:
        return _named(classes, target, module)
    search.classes = classes
    if not classes:
        raise ModelNotFoundError(
            f"{NOT_FOUND}\n\nModule {target.module} has none; decorate the model class in it with "
            '@model(name="…").'
        )
    return _only_one(search)


def _is_part(name: str | None, module: str) -> bool:
    return name is not None and (module == name or module.startswith(f"{name}."))


def _named(
    classes: list[type[VideoModel]], target: Target, module: ModuleType | None = None
) -> type[VideoModel]:
    for cls in classes:
        if target.class_name in (cls.__name__, cls.__qualname__):
            return cls
    value = getattr(module, target.class_name, None)
    where = target.module or (target.file.name if target.file else str(target.folder))
    if is_model(value):
        return value
    if isinstance(value, type):
        raise ProjectError(
            f'{target.class_name} in {where} is not decorated with @model; write @model(name="…") above it.'
        )
    names = [cls.__name__ for cls in classes]
    close = nearest(target.class_name, names)
    hint = f"; did you mean {close}?" if close else f"; it has {', '.join(names) or 'no model'}."
    raise ProjectError(f"There is no class {target.class_name} in {where}{hint}")


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
            "Keep the decorator on one of them, move the others to folders of their own, or name one file: "
            "reactor run FILE.py."
        )
    for failure in search.failures:
        log.warning("%s could not be imported and was left out: %s", failure.file.name, failure.summary())
    return search.classes[0]


def _place(cls: type[VideoModel], folder: Path) -> str:
    spec = spec_of(cls)
    file, root = spec.file.resolve(), folder.resolve()
    return f"{file.relative_to(root) if file.is_relative_to(root) else file}:{spec.line}"


def _nothing_found(search: _Search, files: list[Path], named: bool = False) -> str:
    parts = [NOT_FOUND]
    if search.failures:
        parts.append("These files could not be imported:")
        parts += [failure.report(search.folder) for failure in search.failures]
        parts += what_to_do(search.folder, search.failures)
        return "\n\n".join(parts)
    below = [] if named else decorated_below(search.folder)
    elsewhere = [file for file in below if file.parent != search.folder]
    if elsewhere:
        places = "\n".join(f"  reactor run {shown_path(file)}" for file in elsewhere[:MAX_ADVISED])
        parts.append(f"There are models further down; name one:\n{places}")
    elif named:
        parts.append(f'Decorate the model class in {files[0]} with @model(name="…").')
    elif files:
        parts.append(f'Decorate the model class in {search.folder} with @model(name="…").')
    else:
        parts.append(f"There is no Python file in {search.folder}; name the model's folder with --path.")
    return "\n\n".join(parts)
