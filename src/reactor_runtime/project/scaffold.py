"""Making a new project from the template, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

from reactor_runtime.authoring.decorator import model
from reactor_runtime.errors import ModelDefinitionError, ProjectError

_TEMPLATE = "brightness"
_PLACEHOLDER = "{{name}}"


def create_project(name: str, parent: Path) -> Path:
    """Make the folder `name` in `parent`; the model in it has that name too. Raises `ProjectError`."""
    try:
        model(name)  # the decorator knows what a name is
    except ModelDefinitionError as error:
        raise ProjectError(f"A project cannot be called {name!r}. {error.message}") from error
    folder = parent / name
    if folder.exists() or folder.is_symlink():
        raise ProjectError(f"{folder} exists already; choose another name.")
    try:
        _write(folder, render(name))
    except OSError as error:
        raise ProjectError(f"{folder} cannot be made: {error.strerror or error}.") from error
    return folder


def render(name: str) -> dict[str, str]:
    """The files of a new project: name → text."""
    rendered: dict[str, str] = {}
    for file in (files("reactor_runtime.project") / "templates" / _TEMPLATE).iterdir():
        target = file.name.removesuffix(".tmpl")
        text = file.read_text("utf-8").replace(_PLACEHOLDER, name)
        rendered[".gitignore" if target == "gitignore" else target] = text
    return rendered


def _write(folder: Path, content: dict[str, str]) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for file, text in content.items():
            (unfinished / file).write_text(text, "utf-8")
        unfinished.chmod(0o755)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
