"""What `reactor init` makes runs at once, passes its own test and leaves nothing to the next person."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reactor_runtime.cli.main import main as _reactor
from reactor_runtime.project.loading import load_project
from reactor_runtime.project.scaffold import create_project
from reactor_runtime.project.template_names import TEMPLATES

FILES = {
    ".gitignore",
    "README.md",
    "config.yml",
    "model.py",
    "reactor.toml",
    "requirements.txt",
    "test_model.py",
}
REACTOR = [sys.executable, "-c", f"from {_reactor.__module__} import main; main()"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_a_whole_project_of_its_authors_word(template: str, tmp_path: Path) -> None:
    made = create_project("our-thing", tmp_path, template)
    assert {file.name for file in made.iterdir()} == FILES
    texts = {file.name: file.read_text("utf-8") for file in made.iterdir()}
    assert not any("{{" in text or "Brightness" in text for text in texts.values())
    assert load_project(made).model_class.__name__ == "OurThing"
    for line in texts["requirements.txt"].splitlines():
        assert line.startswith("#") or line in ("numpy", "opencv-python-headless")


@pytest.mark.parametrize("template", TEMPLATES)
def test_its_own_test_passes(template: str, tmp_path: Path) -> None:
    """Which serves a picture over a wire in memory."""
    made = create_project("our-thing", tmp_path, template)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("template", TEMPLATES)
def test_it_leaves_nothing_to_the_next_person(template: str, tmp_path: Path) -> None:
    made = create_project("our-thing", tmp_path, template)
    command = [*REACTOR, "test", "--leaks", "-p", str(made)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert (done.returncode, done.stdout) == (0, "no leak\n"), done.stdout + done.stderr
