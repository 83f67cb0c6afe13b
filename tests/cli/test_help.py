"""What `--help` says is true: the examples run, docs/cli.md is that of the commands, shells complete."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.cli import cli_file

from reactor_runtime.cli import main as program
from reactor_runtime.runtimes import doctor, http

NO_WORKERS = {
    "workers": [],
    "queue": {"length": 0, "limit": 200, "head_waits_s": None},
    "scale": {"min": 1, "max": 4},
}
"""What a fleet says of itself."""
SHELLS = ("bash", "zsh", "fish")


def examples(name: str) -> list[str]:
    command = program.reactor.get_command(click.Context(program.reactor), name)
    assert command is not None
    lines = (command.epilog or "").splitlines()
    return [line.strip() for line in lines if line.startswith("  reactor ")]


@pytest.mark.parametrize("name", program.COMMANDS)
def test_every_command_has_an_example_that_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(http, "serve", lambda project, options: 0, raising=False)
    monkeypatch.setattr(doctor, "examine", lambda plan: [])
    monkeypatch.setenv("REACTOR_TOKEN", "a secret that signs the tokens of others")
    monkeypatch.setattr("reactor_runtime.fleet.serving.serve", lambda given: 0)
    monkeypatch.setattr("reactor_runtime.fleet.asking.ask", lambda *asked: NO_WORKERS)
    assert examples(name)
    if name != "init":
        assert program._status(["init", "my-model"]) == 0
        monkeypatch.chdir(tmp_path / "my-model")
    for example in examples(name):
        assert program._status(shlex.split(example)[1:]) == 0, f"{example}: {capsys.readouterr().err}"


def test_the_document_is_that_of_the_commands() -> None:
    assert cli_file.FILE.read_text("utf-8") == cli_file.text(), "run scripts/cli-docs"


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_prints_a_script_that_its_shell_can_read(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program._status(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "_REACTOR_COMPLETE" in script
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        check = [shell, "-n", str(tmp_path / "script")]
        assert subprocess.run(check, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "current", "offered"),
    [("reactor ", 1, "bench"), ("reactor run --mode", 2, ""), ("reactor run --enc", 2, "--encoder")],
)
def test_bash_is_told_what_may_come_next(words: str, current: int, offered: str) -> None:
    environment = {
        **os.environ,
        "_REACTOR_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(current),
    }
    command = [sys.executable, "-m", "reactor_runtime"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0
    assert offered in result.stdout
