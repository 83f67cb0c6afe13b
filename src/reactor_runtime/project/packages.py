"""Files that belong to a package: they import each other relatively, or by the package's name.

A file is a member of a package when an ``__init__.py`` lies beside it, or when it imports relatively. It is
imported under its full name, and the folder above the package goes to the *end* of ``sys.path``, so that
nothing there hides anything else.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from .usual_names import OUR_NEEDS

_RELATIVE = re.compile(rb"^[ \t]*from[ \t]+\.", re.MULTILINE)


def imports_relatively(file: Path) -> bool:
    try:
        return _RELATIVE.search(file.read_bytes()) is not None
    except OSError:
        return False


def in_package(file: Path) -> bool:
    return (file.parent / "__init__.py").is_file() or imports_relatively(file)


def package_of(folder: Path) -> str:
    """The name under which `folder` is importable as a package from now on."""
    top = folder
    while (top.parent / "__init__.py").is_file() and top.parent != top.parent.parent:
        top = top.parent
    below = folder.relative_to(top).parts
    return ".".join([_top_level(top), *below])


def _top_level(top: Path) -> str:
    parent = str(top.parent)
    if parent not in sys.path:
        sys.path.append(parent)
        importlib.invalidate_caches()
    return top.name if _is_found(top) else _registered(top)


def _is_found(top: Path) -> bool:
    """Whether ``import <the folder's name>`` gives that folder, and may."""
    if "." in top.name or top.name in sys.stdlib_module_names or top.name in OUR_NEEDS:
        return False
    try:
        spec = importlib.util.find_spec(top.name)
    except (ImportError, ValueError):
        return False
    places = (
        [] if spec is None or spec.submodule_search_locations is None else spec.submodule_search_locations
    )
    return any(Path(place).absolute() == top for place in places)


def _registered(top: Path) -> str:
    """A package that cannot be imported by the name of its folder gets another one."""
    name = other_name(top)
    if name in sys.modules:
        return name
    init = top / "__init__.py"
    if init.is_file():
        spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(top)])
    else:
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(top)]
    assert spec is not None
    return load(name, spec).__name__


def load(name: str, spec: importlib.machinery.ModuleSpec) -> ModuleType:
    """Execute a module under `name`; a failure leaves nothing behind."""
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        if spec.loader is not None:
            spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def other_name(file: Path) -> str:
    """A module name for a path whose own name means something else."""
    digest = hashlib.sha256(str(file).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{re.sub(r'[^0-9A-Za-z_]', '_', file.stem)}__{digest}"
