"""`reactor init` asks where a terminal can answer, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from reactor_runtime.cli import init


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("typed", "made", "word"),
    [
        ("\n\n", "my-generator", "brightness"),
        ("4\nour-place\n", "our-place", "W A S D"),
        ("diffusion\n\n", "my-diffusion", "prompt"),
        # What is no template and no name is asked again.
        ("films\n2\nBad Name\ntaken\nour-eye\n", "our-eye", "camera"),
    ],
)
def test_a_terminal_is_asked(
    typed: str, made: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").mkdir()
    monkeypatch.setattr(init, "_is_terminal", lambda: True)
    done = CliRunner().invoke(init.command, [], input=typed)
    assert done.exit_code == 0, done.output
    assert f"reactor run -p {made}" in done.output
    assert word in (tmp_path / made / "README.md").read_text("utf-8")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([made, "taken"])


def test_nobody_is_asked_without_a_terminal(tmp_path: Path) -> None:
    done = CliRunner().invoke(init.command, [])
    assert done.exit_code == 2
    assert "Missing argument 'NAME'" in done.output
    assert not list(tmp_path.iterdir())


def test_a_named_template(tmp_path: Path) -> None:
    assert CliRunner().invoke(init.command, ["w", "--template", "world"]).exit_code == 0
    assert "W A S D" in (tmp_path / "w" / "README.md").read_text("utf-8")
    assert CliRunner().invoke(init.command, ["v", "--template", "films"]).exit_code == 2
    assert not (tmp_path / "v").exists()
