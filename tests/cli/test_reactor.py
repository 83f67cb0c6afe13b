"""The program as a shell sees it: exit status, stdout, stderr."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from reactor_runtime import __version__
from reactor_runtime.cli import main as program

# Pydantic is missing here: the façade describes commands with it, so importing the package imports it.
HEAVY = {"numpy", "cv2", "av", "omegaconf", "yaml", "fastapi", "starlette", "uvicorn", "reactor_webrtc"}


def test_version(reactor):
    assert reactor("--version").stdout == f"reactor {__version__}\n"


def test_help_imports_nothing_heavy():
    script = (
        "import sys\nfrom reactor_runtime.cli.main import _status\n_status(['--help'])\nprint(*sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "capabilities" in output
    assert not HEAVY & set(output.splitlines()[-1].split())


@pytest.mark.parametrize("name", program.COMMANDS)
def test_the_list_of_commands_says_what_each_says_itself(name):
    command = program.reactor.get_command(None, name)
    assert command.name == name
    assert command.help.splitlines()[0] == program.COMMANDS[name]
    assert CliRunner().invoke(program.reactor, [name, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing command"),
        (("bogus",), "No such command 'bogus'"),
        (("run", "--bogus"), "No such option"),
        (("run", "one", "stray"), "unexpected extra argument"),
        (("run", "--runtime", "teleport"), "'teleport' is not 'http'"),
        (("run", "--port", "65536"), "--port"),
        (("run", "--port", "x"), "--port"),
        (("run", "--orphan-timeout", "nan"), "--orphan-timeout"),
        (("run", "--kill-timeout", "-1"), "--kill-timeout"),
        (("run", "--model.fps"), "--model.fps needs a value: --model.fps=VALUE"),
        (("run", "--model.fps", "--port", "1"), "--model.fps needs a value"),
        (("init",), "Missing argument"),
    ],
)
def test_bad_usage_is_2(capsys, arguments, said):
    assert program._status(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("Error: ")
    assert said in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "-p", "nowhere"), "Error: nowhere does not exist"),
        (("run", "nowhere"), "Error: There is no module nowhere in "),
        (("run", "nowhere.py"), "Error: nowhere.py is no folder and no file in "),
        (("run", "no/where"), "Error: no/where is no folder and no file in "),
        (("run",), "Error: No @model decorated class found in project.\n"),
        (("capabilities",), "Error: No @model decorated class found in project.\n"),
        (("schema",), "Error: No @model decorated class found in project.\n"),
        (("init", "Bad Name"), "Error: A project cannot be called 'Bad Name'."),
    ],
)
def test_a_failure_is_1(capsys, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert program._status(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(said)
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_the_process_ends_with_the_status(reactor):
    assert reactor("bogus").returncode == 2
    failed = reactor("run", "-v")
    assert failed.returncode == 1
    assert "Traceback (most recent call last)" in failed.stderr


def test_an_import_that_fails_is_shown(reactor, project):
    root = project(
        "import no_such_package_here\nfrom reactor_runtime import model\n@model(name=1)\nclass X: pass\n"
    )
    result = reactor("run", "-p", root)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: No @model decorated class found in project.\n")
    assert "model.py:1: import no_such_package_here" in result.stderr


def test_a_fault_of_ours_is_a_sentence(capsys, monkeypatch, tmp_path):
    def fails(name, parent, template):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("reactor_runtime.project.scaffold.create_project", fails)
    assert program._status(("init", "x")) == 1
    assert capsys.readouterr().err.startswith("Error: ZeroDivisionError: oh\n")


def test_ctrl_c_is_130(project, tmp_path):
    root = project(
        f"import pathlib, time\npathlib.Path({str(tmp_path / 'reached')!r}).touch()\ntime.sleep(60)\n"
        "from reactor_runtime import model\n@model(name='x')\nclass X: pass\n"
    )
    script = "from reactor_runtime.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", script, "run", "-p", root],
        stderr=subprocess.PIPE,
        text=True,
        # A shell's job in the background ignores Ctrl-C, and its children with it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        deadline = time.monotonic() + 30
        while not (tmp_path / "reached").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_init_then_capabilities(reactor, tmp_path):
    made = reactor("init", "my-world")
    assert made.returncode == 0
    assert "reactor run -p my-world" in made.stdout
    assert reactor("init", "my-world").returncode == 1
    document = json.loads(reactor("capabilities", "-p", "my-world").stdout)
    assert [command["name"] for command in document["commands"]] == [
        "set_brightness",
        "set_palette",
        "set_text",
    ]


@pytest.mark.parametrize("command", ["capabilities", "schema"])
def test_only_json_on_stdout_and_no_model_is_built(reactor, project, command):
    noise = "import os, subprocess, sys\nprint('noise')\nos.system('echo noise')\nsys.stdout.write('noise')\n"
    noise += "sys.__stdout__.write('noise')\nsys.__stdout__.flush()\nos.write(1, b'noise')\n"
    result = reactor(command, "-p", project(before=noise))
    assert result.returncode == 0, result.stderr
    assert "set_colour" in json.dumps(json.loads(result.stdout))
    assert result.stderr.count("noise") == 5
