"""What a user does first: install the package, make a project, run it.

`scripts/test` fills the wheelhouse beforehand, because the tests may run where there is no registry.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHEELHOUSE = ROOT / ".venv-test" / "wheelhouse"

pytestmark = [
    pytest.mark.install,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not WHEELHOUSE.is_dir(), reason="there is no wheelhouse; scripts/test-environment makes it"
    ),
]


def pip(python: Path | str, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    subprocess.run([*command, "--no-index", "--find-links", str(WHEELHOUSE)], check=True, timeout=500)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    pip(sys.executable, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    [built] = folder.glob("reactor_runtime-*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory) -> Path:
    """The folder of programs of a fresh environment that has the wheel and nothing else of ours."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    pip(folder / "bin" / "python", "install", "--quiet", str(wheel))
    return folder / "bin"


def test_the_wheel_holds_the_page_and_the_templates(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "src" / "reactor_runtime"
    for room in ("web", "project/templates"):
        expected = {
            f"reactor_runtime/{file.relative_to(package)}"
            for file in (package / room).rglob("*")
            if file.is_file() and file.suffix != ".pyc"
        }
        assert expected
        assert expected <= names
    assert not [name for name in names if name.startswith(("tests/", "examples/"))]


def test_version(programs):
    output = subprocess.run(
        [programs / "reactor", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert re.fullmatch(r"reactor \d+\.\d+\.\d+\S*\n", output)


def test_init_run_answer_stop(programs, tmp_path):
    subprocess.run([programs / "reactor", "init", "first-model"], cwd=tmp_path, check=True, timeout=60)
    with running([programs / "reactor", "run", "-p", "first-model", "--port", "0"], tmp_path) as (
        process,
        url,
    ):
        assert wait_for_health(url)["model"] == "first-model"
        with urllib.request.urlopen(url, timeout=10) as page:
            assert b"<!doctype html>" in page.read().lower()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


@contextmanager
def running(command: list[Path | str], folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    log = folder / "log.txt"
    with log.open("w") as stderr, subprocess.Popen(command, cwd=folder, stderr=stderr, text=True) as process:
        try:
            yield process, wait_for_address(log)
        finally:
            process.kill()


def wait_for_address(log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = re.search(r"Serving first-model on (http://127\.0\.0\.1:\d+)", log.read_text())
        if found:
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"the server did not say where it is:\n{log.read_text()}")


def wait_for_health(url: str) -> dict[str, str]:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 503 or time.monotonic() > deadline:
                raise
        time.sleep(0.05)
