from __future__ import annotations

import logging

from reactor_runtime.cli import logs


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
