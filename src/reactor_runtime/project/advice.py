"""From why files could not be imported to what their author should do: the real cause, one sentence each."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from .import_report import ImportFailure

_INSTALLED_AS = {
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "dotenv": "python-dotenv",
    "google.protobuf": "protobuf",
}
"""Distributions that are called otherwise than what they bring."""
_SHARED_LIBRARY = re.compile(r"(\S+\.so[.\d]*): cannot open shared object file")


def what_to_do(folder: Path, failures: Iterable[ImportFailure]) -> list[str]:
    """Paragraphs for the end of the report, each once."""
    advice: dict[str, None] = {}
    missing: list[str] = []
    for failure in failures:
        error = _cause(failure.error)
        if isinstance(error, ModuleNotFoundError) and error.name:
            said = _of_missing(folder, error.name)
            if said is None:
                missing.append(error.name)
            else:
                advice[said] = None
        elif isinstance(error, ImportError):
            advice[_of_import(error)] = None
    if missing:
        advice[_install(folder, missing)] = None
    return list(advice) or ["Correct them and try again."]


def _cause(error: BaseException) -> BaseException:
    """An import that failed inside one that was wrapped says more than its wrapper."""
    while not isinstance(error, ImportError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _of_missing(folder: Path, name: str) -> str | None:
    """Where a module that was not found does lie; None where it must be installed."""
    top, *rest = name.split(".")
    if rest and (folder.name == top or str(folder) in _places(top)):
        return f"{folder} has no {'.'.join(rest)}; correct the import."
    for root in (folder, folder / "src", folder.parent):
        place = root / top
        if not place.is_dir() and not place.with_suffix(".py").is_file():
            continue
        if root == folder.parent:
            return f"{top} lies in {root}, which is not searched: name that folder with --path."
        if rest and place.is_dir():
            return f"{place} has no {'.'.join(rest)}; correct the import."
        if rest:
            return f"{place}.py is a file, so it has no {'.'.join(rest)} inside; correct the import."
        return (
            f"{top} is in {root}, but that name belongs to something else here; give it another name or "
            f"import it relatively, as `from .{top} import …`."
        )
    return None


def _places(package: str) -> list[str]:
    """The folders of a package that is loaded."""
    return [str(each) for each in getattr(sys.modules.get(package), "__path__", ())]


def _of_import(error: ImportError) -> str:
    text = str(error)
    library = _SHARED_LIBRARY.search(text)
    if library:
        return (
            f"{library[1]} is a library of the system, and is not installed here; pip has no part in it. "
            "Install the system's package that holds it."
        )
    if "partially initialized module" in text:
        return (
            "Two files import each other, and the first is not finished when the second wants something of "
            "it: move what both need to a third file, or import it inside the function that uses it."
        )
    if "beyond top-level package" in text:
        return (
            "The import goes above the outermost folder that has an __init__.py: put one into each folder of "
            "the package, or run the outer folder: reactor run --path OUTER package.module."
        )
    if "cannot import name" in text:
        place = f" ({error.path})" if error.path else ""
        return f"{error.name or 'The module'}{place} is there, but not that name in it; correct the import."
    return "Correct the import and try again."


def _install(folder: Path, names: list[str]) -> str:
    pip = f"{Path(sys.executable).name or 'python'} -m pip install"
    if (folder / "requirements.txt").is_file():
        return f"Install what the project needs: {pip} -r {folder / 'requirements.txt'}"
    if (folder / "pyproject.toml").is_file():
        return f"Install what the project needs: {pip} -e {folder}"
    packages = dict.fromkeys(_INSTALLED_AS.get(name, name.split(".")[0]) for name in names)
    return f"Install what is missing: {pip} {' '.join(packages)}; or correct the import."
