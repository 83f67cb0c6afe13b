"""Install the published SDKs and Jupyter from their registries: ``python tests/interop/install.py``.

`scripts/test-programs` calls this before the tests, because the network they run in has no way out. What is
there already is left alone. A registry that is not reachable is no error here: the tests say so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import notebooks
from sdks import ESBUILD, FOLDER, JS_PACKAGE, LATEST_PURE, PYTHON_PACKAGE, SDKS, Sdk

HERE = Path(__file__).resolve().parent
PYTHON = FOLDER / "python"
LIMIT_S = 300


def main() -> int:
    for sdk in SDKS:
        if sdk.installed:
            continue
        shutil.rmtree(sdk.folder, ignore_errors=True)
        sdk.folder.mkdir(parents=True)
        try:
            (_install_js if sdk.package == JS_PACKAGE else _install_python)(sdk)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{sdk.package} {sdk.version} could not be installed: {error}", file=sys.stderr)
            continue
        (sdk.folder / "installed").touch()
    if not notebooks.INSTALLED.exists():
        try:
            _install_jupyter()
        except (OSError, subprocess.SubprocessError) as error:
            print(f"Jupyter could not be installed: {error}", file=sys.stderr)
    return 0


def _install_jupyter() -> None:
    _run(sys.executable, "-m", "venv", "--clear", str(notebooks.FOLDER))
    _pip(*notebooks.PACKAGES, python=notebooks.PYTHON)
    notebooks.INSTALLED.touch()


def _install_python(sdk: Sdk) -> None:
    """Every release beside the others, on the dependencies of one."""
    if not (PYTHON / "installed").exists():
        _run(sys.executable, "-m", "venv", "--clear", str(PYTHON))
        _pip("numpy", f"{PYTHON_PACKAGE}=={LATEST_PURE}")
        (PYTHON / "installed").touch()
    _pip("--no-deps", "--target", str(sdk.folder), f"{PYTHON_PACKAGE}=={sdk.version}")


def _install_js(sdk: Sdk) -> None:
    """The package, and one file for the browser made of it and `player.js`."""
    package = {
        "private": True,
        "dependencies": {JS_PACKAGE: sdk.version, "esbuild": ESBUILD, "react": "^19", "zustand": "^5"},
    }
    (sdk.folder / "package.json").write_text(json.dumps(package))
    _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", cwd=sdk.folder)
    shutil.copy(HERE / "sdk.js", sdk.folder)
    build = ("--bundle", "--format=esm", "--log-level=error", "--outfile=sdk.bundle.js")
    _run(str(sdk.folder / "node_modules" / ".bin" / "esbuild"), "sdk.js", *build, cwd=sdk.folder)


def _pip(*arguments: str, python: Path = PYTHON / "bin" / "python") -> None:
    _run(
        str(python),
        "-m",
        "pip",
        "install",
        "-qq",
        "--disable-pip-version-check",
        *arguments,
    )


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, timeout=LIMIT_S, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
