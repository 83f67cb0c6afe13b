from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

REACTOR = [sys.executable, "-c", "from reactor_runtime.cli.main import main; main()"]

MODEL = """
from reactor_runtime import VideoModel, command, model

@model(name="painter", config="config.yml")
class Painter(VideoModel):
    def __init__(self, config):
        raise RuntimeError("the model must not be constructed")

    @command("set_colour")
    def set_colour(self, colour: str = "red"):
        pass

    def start_session(self):
        pass
"""


@pytest.fixture(autouse=True)
def process_as_before(process_put_back: None) -> Iterator[None]:
    """Commands run in this process too; what they set is undone."""
    stdout = sys.stdout
    yield
    sys.stdout = stdout


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Makes a project; `before` stands above the model, further keyword arguments are more files, by stem."""

    def make(model: str = MODEL, config: str = "fps: 30\n", before: str = "", **files: str) -> Path:
        root = tmp_path / "studio"
        root.mkdir()
        (root / "model.py").write_text(before + dedent(model), "utf-8")
        (root / "config.yml").write_text(config, "utf-8")
        for stem, text in files.items():
            (root / f"{stem}.py").write_text(dedent(text), "utf-8")
        return root

    return make


@pytest.fixture
def reactor(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The real program in a process of its own, in an otherwise empty folder."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [*REACTOR, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    return run
