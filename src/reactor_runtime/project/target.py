"""What a person names on the command line: a folder, a Python file, or `package.module:Class`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from reactor_runtime.errors import ProjectError

from .environment import without_tilde

_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_CLASS = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class Target:
    """`folder` is the project's, where its weights lie; `file` or `module` narrows it down."""

    folder: Path
    file: Path | None = None
    module: str = ""
    class_name: str = ""


def project_folder(path: Path) -> Path:
    """The folder that `path` names, or that its file lies in; absolute, links in it are kept."""
    return parse_target(path).folder


def parse_target(path: Path, name: str | None = None) -> Target:
    """`path` is a folder, or a file; `name`, what was written without an option, is found from there.

    Raises `ProjectError`.
    """
    base = _absolute(path)
    if name is None:
        return _of_path(base, str(path))
    if not base.is_dir():
        raise ProjectError(f"{path} {_what_it_is(base)}; name the folder that holds the model with --path.")
    text, colon, class_name = name.rpartition(":")
    if not colon or not _CLASS.fullmatch(class_name):
        text, class_name = name, ""
    place = _absolute(base / without_tilde(Path(text)))
    if place.is_dir() or place.is_file():
        target = _of_path(place, text)
        return Target(target.folder, target.file, "", class_name)
    if _MODULE.fullmatch(text) and not text.endswith(".py"):
        return Target(base, None, text, class_name)
    raise ProjectError(
        f"{name} is no folder and no file in {base}, and no module; write a folder, path/to/file.py, or "
        "package.module:Class."
    )


def _of_path(place: Path, shown: str) -> Target:
    if place.is_dir():
        return Target(place)
    if place.is_file() and place.suffix == ".py":
        return Target(place.parent, place)
    raise ProjectError(
        f"{shown} {_what_it_is(place)}; name the folder that holds the model, or its file, with --path."
    )


def _what_it_is(place: Path) -> str:
    return "is a file, and no Python file" if place.is_file() else "does not exist"


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(without_tilde(path)))
