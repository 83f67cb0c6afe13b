from __future__ import annotations

import json
import logging
import sys

import pytest

from reactor_runtime import loglines
from reactor_runtime.cli import logs
from reactor_runtime.cli.main import _status


def test_lines_go_to_stderr(capsys):
    logs.setup(verbose=False)
    logging.getLogger("reactor_runtime.session.outbox").info("loaded")
    logging.getLogger("reactor_runtime.session.outbox").warning("slow")
    logging.getLogger("reactor_runtime.session.outbox").debug("unseen")
    logging.getLogger("author").info("theirs")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line[20:] for line in captured.err.splitlines()] == [
        "loaded",
        "warning  session.outbox: slow",
        "author: theirs",
    ]


def test_verbose_shows_our_debug_lines_and_where_all_come_from(capsys):
    logs.setup(verbose=True)
    logging.getLogger("reactor_runtime.x").debug("detail")
    logging.getLogger("reactor_runtime.x").info("news")
    logging.getLogger("asyncio").debug("unseen")
    lines = [line[20:] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["debug  x: detail", "x: news"]


def test_the_servers_own_news_is_for_verbose(capsys):
    logs.setup(verbose=False)
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("uvicorn.error").warning("odd")
    assert [line[20:] for line in capsys.readouterr().err.splitlines()] == ["warning  uvicorn.error: odd"]


def test_setting_up_twice_does_not_double_the_lines(capsys):
    logs.setup(verbose=False)
    logs.setup(verbose=False)
    logging.getLogger("reactor_runtime").info("once")
    assert capsys.readouterr().err.count("once") == 1


@pytest.fixture
def seventh_session(monkeypatch):
    monkeypatch.setattr(loglines, "sessions", [lambda: 7])
    token = loglines.client.set("3")
    yield
    loglines.client.reset(token)


def test_a_line_names_the_session_and_the_client(capsys, seventh_session):
    logs.setup(verbose=False)
    logging.getLogger("author").warning("theirs")
    assert capsys.readouterr().err[20:] == "s7 c3 warning  author: theirs\n"


def test_several_workers_in_a_process_are_not_mixed_up(capsys, monkeypatch):
    monkeypatch.setattr(loglines, "sessions", [lambda: 7, lambda: 8])
    logs.setup(verbose=False)
    logging.getLogger("reactor_runtime.x").info("news")
    assert capsys.readouterr().err[20:] == "news\n"


def test_json_is_an_object_a_line(capsys, seventh_session):
    logs.setup(verbose=False, form="json")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("reactor_runtime.x").exception("It said %s", "a\nb")
    logging.getLogger("author").info("news")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert {
        "level": "error",
        "logger": "x",
        "message": "It said a\\nb",
        "session": 7,
        "client": "3",
    }.items() <= (first.items())
    assert first["exception"].endswith("ValueError: two\\nlines")
    assert first["time"].endswith("Z")
    assert set(second) == {"time", "level", "logger", "message", "session", "client"}


def test_a_level_leaves_less_out_or_more(capsys):
    logs.setup(verbose=False, level="warning")
    logging.getLogger("reactor_runtime.x").info("unseen")
    logging.getLogger("author").info("unseen")
    logging.getLogger("author").error("seen")
    assert capsys.readouterr().err[20:] == "error  author: seen\n"
    logs.setup(verbose=False, level="debug")
    logging.getLogger("reactor_runtime.x").debug("detail")
    assert capsys.readouterr().err[20:] == "debug  x: detail\n"


@pytest.mark.parametrize("arguments", [("-v", "--log-format", "json"), ("--log-format", "json", "-v")])
def test_the_options_of_the_log_come_in_any_order(arguments, tmp_path, capsys):
    assert _status(("run", "-p", str(tmp_path), *arguments)) == 1
    assert json.loads(loglines.plain("Open http://x/"))["message"] == "Open http://x/"
    handler = next(h for h in logging.getLogger().handlers if isinstance(h.formatter, logs.Formatter))
    assert isinstance(handler.formatter, logs.JsonFormatter)
    assert logging.getLogger("reactor_runtime").level == logging.DEBUG
    assert sys.stderr is not None


@pytest.fixture(autouse=True)
def format_as_before(monkeypatch):
    monkeypatch.setattr(loglines, "plain", loglines.plain)
