"""One virtual environment for each contender, installed from the registry. Outside the network namespace.

Runs on any Python from 3.11 with nothing installed: ``python -m side_by_side.environments``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
ROOT = HERE.parent / ".venvs"


@dataclass(frozen=True)
class Environment:
    """A folder below `ROOT`, the Python it needs and what is installed there."""

    name: str
    minor: int
    requirements: tuple[str, ...]
    newest: bool = False
    """The newest Python from `minor` on will do; otherwise it is this one exactly."""

    @property
    def python(self) -> Path:
        return ROOT / self.name / "bin" / "python"


ENVIRONMENTS = (
    Environment("harness", 11, ("matplotlib", "numpy", "playwright", "py-spy"), newest=True),
    Environment("ours", 11, ("--editable", str(CHECKOUT)), newest=True),
    Environment("public-1.7", 11, ("reactor_runtime==1.7.5",)),
    Environment("public-3", 12, ("reactor-runtime>=3",), newest=True),
    Environment("fastrtc", 12, ("fastrtc",), newest=True),
)


def find_python(minor: int, newest: bool) -> str | None:
    """A Python 3.`minor` (or a later one) that can make environments, wherever pyenv or the system has it."""
    minors = range(minor, minor + 3) if newest else (minor,)
    for candidate in minors:
        for path in _candidates(f"python3.{candidate}"):
            check = f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, {candidate}))"
            if subprocess.run([path, "-c", check], capture_output=True, check=False).returncode == 0:
                return path
    return None


def _candidates(name: str) -> list[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    installed = sorted(pyenv.glob(f"versions/{name.removeprefix('python')}*/bin/{name}"))
    found = shutil.which(name)
    return [*map(str, installed), *([found] if found else [])]


def make(environment: Environment) -> str | None:
    """Make it if it is not there yet; returns what went wrong, in a sentence."""
    done = environment.python.parent.parent / "installed"
    wanted = "\n".join(environment.requirements)
    if "--editable" in environment.requirements:
        wanted += (CHECKOUT / "pyproject.toml").read_text()
    if done.exists() and done.read_text() == wanted:
        return None
    python = find_python(environment.minor, environment.newest)
    if python is None:
        return f"{environment.name}: no Python 3.{environment.minor} with its venv module is installed"
    print(f"Setting up {environment.name} ({python})…", file=sys.stderr, flush=True)
    subprocess.run([python, "-m", "venv", str(environment.python.parent.parent)], check=True)
    install = [str(environment.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    result = subprocess.run(
        [*install, *environment.requirements], check=False, stderr=subprocess.PIPE, text=True
    )
    if result.returncode:
        return f"{environment.name}: pip failed: {result.stderr.strip().splitlines()[-1]}"
    done.write_text(wanted)
    return None


def main() -> int:
    problems = [problem for environment in ENVIRONMENTS if (problem := make(environment))]
    for problem in problems:
        print(problem, file=sys.stderr)
    needed = {"harness", "ours"}
    return int(any(problem.split(":")[0] in needed for problem in problems))


if __name__ == "__main__":
    sys.exit(main())
