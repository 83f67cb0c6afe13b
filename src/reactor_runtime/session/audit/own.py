"""What belongs to the author: modules, classes and functions of the project's folder."""

from __future__ import annotations

import os
import sys
import types
from functools import lru_cache
from pathlib import Path
from typing import Any

from .types_of import mro_of, vars_of

_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", ".venv", "venv"})


@lru_cache(maxsize=16_384)
def _resolved(filename: str) -> str:
    """Where a file of code really lies. Thousands of modules are asked for, each time a model is loaded."""
    if os.path.islink(filename):
        return os.path.realpath(filename)
    folder, name = os.path.split(filename)
    return os.path.join(_real_folder(folder), name)


@lru_cache(maxsize=4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


class Own:
    """The project in `folder`, whose model is `model_class`."""

    def __init__(self, folder: Path, model_class: type) -> None:
        self.folder = folder.resolve()
        self._inside = os.path.join(self.folder, "")
        self.model_class = model_class
        self._files: dict[str, bool] = {}

    def holds_file(self, filename: str) -> bool:
        known = self._files.get(filename)
        if known is None:
            known = self._files[filename] = self._lies_inside(filename)
        return known

    def holds_module(self, module: Any) -> bool:
        attributes = types.ModuleType.__getattribute__(module, "__dict__")
        file = attributes.get("__file__")
        return type(file) is str and self.holds_file(file)

    def holds_class(self, cls: Any) -> bool:
        if cls is self.model_class:
            return True
        name = vars_of(cls).get("__module__")
        module = sys.modules.get(name) if type(name) is str else None
        return type(module) is types.ModuleType and self.holds_module(module)

    def holds_function(self, function: Any) -> bool:
        return self.holds_file(function.__code__.co_filename)

    def roots(self) -> list[tuple[str, Any]]:
        """The author's classes of the model, and modules, by the names that reports use."""
        classes = [cls for cls in mro_of(self.model_class) if self.holds_class(cls)]
        modules = [
            (name, module)
            for name, module in sorted(sys.modules.items())
            if type(module) is types.ModuleType and self.holds_module(module)
        ]
        return [(cls.__name__, cls) for cls in classes] + modules

    def _lies_inside(self, filename: str) -> bool:
        if filename.startswith("<"):
            return False
        try:
            path = _resolved(filename)
        except (ValueError, OSError):
            return False
        if not path.startswith(self._inside):
            return False
        return not _FOREIGN.intersection(path.removeprefix(self._inside).split(os.sep))
