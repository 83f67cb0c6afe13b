"""Making a new project from a template, whole or not at all."""

from __future__ import annotations

import keyword
import re
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

from reactor_runtime.authoring.decorator import model
from reactor_runtime.errors import ModelDefinitionError, ProjectError

from .template_names import DEFAULT_TEMPLATE, TEMPLATES

_NAME, _CLASS = "{{name}}", "{{Class}}"


def create_project(name: str, parent: Path, template: str = DEFAULT_TEMPLATE) -> Path:
    """Make the folder `name` in `parent`; the model in it has that name too. Raises `ProjectError`."""
    check_name(name, parent)
    folder = parent / name
    try:
        _write(folder, render(name, template))
    except OSError as error:
        raise ProjectError(f"{folder} cannot be made: {error.strerror or error}.") from error
    return folder


def check_name(name: str, parent: Path) -> None:
    """Whether a project may be called so, and its place is free. Raises `ProjectError`."""
    try:
        model(name)  # the decorator knows what a name is
    except ModelDefinitionError as error:
        raise ProjectError(f"A project cannot be called {name!r}. {error.message}") from error
    folder = parent / name
    if folder.exists() or folder.is_symlink():
        raise ProjectError(f"{folder} exists already; choose another name.")


def render(name: str, template: str = DEFAULT_TEMPLATE) -> dict[str, str]:
    """The files of a new project: name → text. Raises `ProjectError`."""
    if template not in TEMPLATES:
        raise ProjectError(f"There is no template {template!r}; there are: {', '.join(TEMPLATES)}.")
    sources = {file.name: file.read_text("utf-8") for file in (_templates() / template).iterdir()}
    class_name = _class_name(name, "".join(sources.values()))
    rendered: dict[str, str] = {}
    for source, text in sources.items():
        target = source.removesuffix(".tmpl")
        text = text.replace(_NAME, name).replace(_CLASS, class_name)
        rendered[".gitignore" if target == "gitignore" else target] = text
    return rendered


def _templates() -> Path:
    return Path(str(files("reactor_runtime.project"))) / "templates"


def _class_name(name: str, code: str) -> str:
    """`my-world` → `MyWorld`, and something else where the template's code has a use for that word."""
    word = "".join(part[:1].upper() + part[1:] for part in name.split("-"))
    word = word if word[:1].isalpha() else f"Model{word}"
    taken = keyword.iskeyword(word) or re.search(rf"\b{re.escape(word)}\b", code) is not None
    return f"{word}Model" if taken else word


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
