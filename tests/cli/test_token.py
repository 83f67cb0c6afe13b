"""`reactor token`, and where `reactor run` takes its token from."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reactor_runtime.cli import main as program
from reactor_runtime.runtimes import http
from reactor_runtime.runtimes.access.credentials import Grant, Keys, TokenRole
from reactor_runtime.runtimes.http.options import HttpOptions

SECRET = "a secret of the operator"


@pytest.fixture
def served(monkeypatch):
    """The options that `serve` was given."""
    calls: list[HttpOptions] = []
    monkeypatch.setattr(http, "serve", lambda project, options: calls.append(options) or 0, raising=False)
    return calls


@pytest.fixture
def no_secret(monkeypatch):
    monkeypatch.delenv("REACTOR_TOKEN", raising=False)


def made(capsys, *arguments: str) -> Grant:
    """What the one token that was printed allows."""
    assert program._status(["token", *arguments]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    grant = Keys([SECRET]).read(printed.strip().encode())
    assert grant is not None
    return grant


def test_a_token_of_the_environments_secret(capsys, monkeypatch):
    monkeypatch.setenv("REACTOR_TOKEN", SECRET)
    before = time.time()
    grant = made(capsys)
    assert (grant.role, grant.session) == (TokenRole.CONTROL, None)
    assert 3600 <= grant.expires - before <= 3605
    assert grant.subject != made(capsys).subject


@pytest.mark.parametrize(
    ("ttl", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604800)]
)
def test_role_lifetime_subject_and_session(capsys, monkeypatch, ttl, seconds):
    monkeypatch.setenv("REACTOR_TOKEN", SECRET)
    arguments = ["--role", "view", "--ttl", ttl, "--subject", "ann", "--session", "one"]
    before = time.time()
    grant = made(capsys, *arguments)
    assert (grant.role, grant.subject, grant.session) == (TokenRole.VIEW, "ann", "one")
    assert seconds <= grant.expires - before <= seconds + 5


def test_a_file_goes_before_the_environment_and_its_first_line_signs(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("REACTOR_TOKEN", "another one, of the environment")
    file = tmp_path / "token"
    file.write_bytes(f"\ufeff{SECRET}\r\nthe one before it\r\n".encode())
    assert made(capsys, "--token-file", str(file)).role is TokenRole.CONTROL


@pytest.mark.parametrize("ttl", ["0", "-1h", "1 h", "forever", "1y", "1e9", "9999999999d", ""])
@pytest.mark.usefixtures("no_secret")
def test_a_lifetime_that_is_none_is_bad_usage(capsys, ttl):
    assert program._status(["token", "--ttl", ttl]) == 2
    assert "1h" in capsys.readouterr().err


@pytest.mark.usefixtures("no_secret")
def test_without_a_secret_it_says_where_to_put_it(capsys):
    assert program._status(["token"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "REACTOR_TOKEN" in told.err
    assert "--token-file" in told.err


def test_a_weak_secret_is_told_and_not_shown(capsys, monkeypatch):
    monkeypatch.setenv("REACTOR_TOKEN", "hunter2")
    assert program._status(["token"]) == 0
    told = capsys.readouterr().err
    assert "16 characters" in told
    assert "hunter2" not in told


@pytest.mark.parametrize("content", [b"", b" \n\n", b"a\nb\nc\n", b"x" * 70_000])
def test_a_file_that_holds_no_token_is_bad_usage(capsys, tmp_path, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    assert program._status(["token", "--token-file", str(file)]) == 2
    assert capsys.readouterr().err.startswith("Error: ")


def test_a_file_that_is_not_there_is_bad_usage(capsys, tmp_path):
    assert program._status(["token", "--token-file", str(tmp_path / "nothing")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_the_server_takes_both_lines(project, served, tmp_path, caplog):
    file = Path(tmp_path / "token")
    file.write_text("new secret\nold secret\n")
    assert program._status(["run", "-p", str(project()), "--token-file", str(file)]) == 0
    assert served[0].secrets == ("new secret", "old secret")
    assert "process" not in caplog.text


def test_the_environment_may_have_two_lines_too(project, served, monkeypatch):
    monkeypatch.setenv("REACTOR_TOKEN", "new\nold")
    assert program._status(["run", "-p", str(project())]) == 0
    assert served[0].secrets == ("new", "old")


def test_a_token_on_the_command_line_is_taken_with_a_warning(project, served, caplog):
    with caplog.at_level(logging.WARNING):
        assert program._status(["run", "-p", str(project()), "--token", "hunter2hunter2"]) == 0
    assert served[0].secrets == ("hunter2hunter2",)
    assert "REACTOR_TOKEN" in caplog.text
    assert "--token-file" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_token_and_a_file_are_one_too_many(project, served, tmp_path):
    arguments = ["run", "-p", str(project()), "--token", "a", "--token-file", str(tmp_path)]
    assert program._status(arguments) == 2
    assert served == []


def test_help_loads_nothing_that_signs(reactor):
    done = reactor("--help")
    assert "token" in done.stdout
    code = "import sys; from reactor_runtime.cli.main import reactor; reactor.get_command(None, 'run'); "
    seen = subprocess.run(
        [sys.executable, "-c", code + "print('jwt' in sys.modules, 'fastapi' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout.split() == ["False", "False"]
