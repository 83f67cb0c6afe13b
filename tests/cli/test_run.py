"""`reactor run` up to the moment it hands over to the runtime."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from reactor_runtime.cli import main as program
from reactor_runtime.cli.overrides import take_overrides
from reactor_runtime.runtimes import http
from reactor_runtime.runtimes.http.options import HttpOptions


@pytest.fixture
def served(monkeypatch):
    """What `serve` was given; it ends with status 0."""
    calls = []

    def serve(project, options):
        calls.append((project, options))
        return 0

    monkeypatch.setattr(http, "serve", serve, raising=False)
    return calls


def test_the_defaults(project, served):
    assert program._status(["run", "-p", str(project())]) == 0
    [(found, options)] = served
    assert found.model_class.__name__ == "Painter"
    assert found.config == {"fps": 30}
    assert options == HttpOptions()


def test_every_option_arrives(project, served, tmp_path):
    arguments = ["run", "--runtime", "http", "--path", str(project()), "--host", "0.0.0.0", "--port", "0"]
    arguments += ["--orphan-timeout", "5", "--max-session-duration", "60", "--kill-timeout", "0"]
    arguments += ["--max-connections", "9", "--trusted-proxy", "10.0.0.1", "--trusted-proxy", "fd00::/8"]
    arguments += ["--allow-origin", "https://a", "--allow-origin", "https://b", "--allow-host", "c", "-v"]
    assert program._status(arguments) == 0
    assert served[0][1] == HttpOptions(
        host="0.0.0.0",
        port=0,
        orphan_timeout=5.0,
        max_session_duration=60.0,
        kill_timeout=0.0,
        max_connections=9,
        trusted_proxies=("10.0.0.1", "fd00::/8"),
        allow_origins=("https://a", "https://b"),
        allow_hosts=("c",),
    )


def test_the_environment_sets_what_the_command_line_does_not(project, served, monkeypatch):
    for name, value in {"REACTOR_HOST": "::1", "REACTOR_PORT": "9", "ORPHAN_TIMEOUT": "7"}.items():
        monkeypatch.setenv(name, value)
    assert program._status(["run", "-p", str(project()), "--port", "10"]) == 0
    assert (served[0][1].host, served[0][1].port, served[0][1].orphan_timeout) == ("::1", 10, 7.0)


def test_proxies_come_from_the_environment_too(project, served, monkeypatch):
    monkeypatch.setenv("REACTOR_TRUSTED_PROXIES", "10.0.0.1 10.1.0.0/16")
    monkeypatch.setenv("REACTOR_MAX_CONNECTIONS", "77")
    assert program._status(["run", "-p", str(project())]) == 0
    assert served[0][1].trusted_proxies == ("10.0.0.1", "10.1.0.0/16")
    assert served[0][1].max_connections == 77


@pytest.mark.parametrize(
    "arguments", [("--trusted-proxy", "proxy.example"), ("--trusted-proxy", ""), ("--max-connections", "0")]
)
def test_limits_of_the_door_that_are_none(project, served, arguments):
    assert program._status(["run", "-p", str(project()), *arguments]) == 2
    assert served == []


def test_overrides_anywhere(project, served):
    root = str(project())
    arguments = [
        "run",
        "--model.fps=60",
        "-p",
        root,
        "--model.a.b",
        "-5",
        "--port",
        "0",
        "--model.text",
        "x --model.y",
    ]
    assert program._status(arguments) == 0
    assert served[0][0].config == {"fps": 60, "a": {"b": -5}, "text": "x --model.y"}


def test_dash_c_replaces(project, served, tmp_path):
    Path(tmp_path / "mine.yml").write_text("steps: 2\n")
    assert program._status(["run", "-p", str(project()), "-c", str(tmp_path / "mine.yml")]) == 0
    assert served[0][0].config == {"steps": 2}


def test_weights_dir(project, served, tmp_path):
    (tmp_path / "w" / "vae").mkdir(parents=True)
    (tmp_path / "w" / "vae" / "file").touch()
    assert program._status(["run", "-p", str(project()), "--weights-dir", str(tmp_path / "w")]) == 0
    assert served[0][0].weights.path("vae") == tmp_path / "w" / "vae"


def test_the_status_of_the_server_is_the_status(project, monkeypatch):
    monkeypatch.setattr(http, "serve", lambda project, options: 7, raising=False)
    assert program._status(["run", "-p", str(project())]) == 7


@pytest.mark.parametrize(
    ("config", "arguments", "said"),
    [
        ("a: [", (), "config.yml:1:5: "),
        ("- a\n", (), "config.yml:1: the file must hold"),
        ("a: 5\n", ("--model.a.b=1",), "--model.a.b: a is 5"),
        ("a: 5\n", ("-c", "nowhere.yml"), "--config names the configuration file nowhere.yml"),
        ("a: 5\n", ("--model.=5",), "is no override"),
    ],
)
def test_a_bad_configuration_is_one_sentence_and_1(project, served, capsys, config, arguments, said):
    assert program._status(["run", "-p", str(project(config=config)), *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert said in error
    assert error.count("\n") == 1
    assert not served


def test_config_help(project, served, capsys):
    assert program._status(["run", "-p", str(project()), "--config-help", "--model.steps=4"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[:2] for row in rows] == [["--model.fps", "30"], ["--model.steps", "4"]]
    assert rows[0][2].endswith("config.yml:1")
    assert rows[1][2] == "--model.steps"
    assert not served


def test_config_help_reports_what_cannot_be_resolved(project, capsys):
    root = project(config="key: ${oc.env:NOT_SET_ANYWHERE}\n")
    assert program._status(["run", "-p", str(root), "--config-help"]) == 1
    captured = capsys.readouterr()
    assert "cannot be resolved" in captured.out
    assert "NOT_SET_ANYWHERE" in captured.err


@pytest.mark.parametrize(
    ("arguments", "rest", "overrides"),
    [
        (["--model.a=1"], [], ["a=1"]),
        (["--model.a", "1"], [], ["a=1"]),
        (["--model.a", "-1.5e3"], [], ["a=-1.5e3"]),
        (["--model.a", "-.5"], [], ["a=-.5"]),
        (["--model.a="], [], ["a="]),
        (["--model.a=--model.b=1"], [], ["a=--model.b=1"]),
        (["--model", "x"], ["--model", "x"], []),
        (["-p", "x", "--", "--model.a=1"], ["-p", "x", "--", "--model.a=1"], []),
    ],
)
def test_take_overrides(arguments, rest, overrides):
    assert take_overrides(arguments) == (rest, overrides)


@pytest.mark.parametrize("arguments", [["--model.a"], ["--model.a", "--port"], ["--model.a", "-v"]])
def test_an_override_without_a_value(arguments):
    with pytest.raises(click.UsageError, match=r"--model\.a=VALUE"):
        take_overrides(arguments)
