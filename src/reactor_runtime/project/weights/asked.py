"""Which weights the models of a folder ask for, read from their decorators without executing anything."""

from __future__ import annotations

import ast
from pathlib import Path

from reactor_runtime.authoring import syntax
from reactor_runtime.errors import ProjectError
from reactor_runtime.project.candidates import direct_files, has_decorator, nested_files, source_folder


def asked_names(folder: Path) -> dict[str, list[str]]:
    """Names in `@model(weights=[…])`, each with the classes (and files) that ask for it.

    A list that is computed is not seen; `VideoModel.weights` knows it all the same when the model runs.
    """
    found: dict[str, list[str]] = {}
    for file, text in _model_files(folder).items():
        for class_name, names in _of_text(text):
            for name in names:
                found.setdefault(name, []).append(f"{class_name} ({file.name})")
    return found


def _model_files(folder: Path) -> dict[Path, str]:
    try:
        files = {file: text for file, text in direct_files(folder).items() if has_decorator(text)}
    except ProjectError:
        return {}
    source = source_folder(folder)
    for root in [folder] if source is None else [source, folder]:
        for file in nested_files(root, packages_only=root == folder):
            text = file.read_text("utf-8", "replace")
            if has_decorator(text):
                files[file] = text
    return files


def _of_text(text: str) -> list[tuple[str, list[str]]]:
    try:
        tree = syntax.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    lists = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return [
        (node.name, _literals(keyword.value, lists))
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for call in node.decorator_list
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "weights"
    ]


def _literals(value: ast.expr, lists: dict[str, ast.expr]) -> list[str]:
    if isinstance(value, ast.Name):
        value = lists.get(value.id, value)
    if not isinstance(value, ast.List | ast.Tuple):
        return []
    items = [lists.get(each.id, each) if isinstance(each, ast.Name) else each for each in value.elts]
    return [each.value for each in items if isinstance(each, ast.Constant) and isinstance(each.value, str)]
