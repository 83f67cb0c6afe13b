from __future__ import annotations

import logging

from reactor_runtime.cli import logs


def test_lines_go_to_stderr(capsys):
    logs.setup(verbose=False)
    logging.getLogger("reactor_runtime.session.worker").info("loaded")
    logging.getLogger("reactor_runtime.session.worker").warning("slow")
    logging.getLogger("reactor_runtime.session.worker").debug("unseen")
    logging.getLogger("author").info("theirs")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line[9:] for line in captured.err.splitlines()] == [
        "session.worker: loaded",
        "warning  session.worker: slow",
        "author: theirs",
    ]


def test_verbose_shows_our_debug_lines_only(capsys):
    logs.setup(verbose=True)
    logging.getLogger("reactor_runtime.x").debug("seen")
    logging.getLogger("asyncio").debug("unseen")
    assert "seen" in capsys.readouterr().err
    assert "unseen" not in capsys.readouterr().err


def test_setting_up_twice_does_not_double_the_lines(capsys):
    logs.setup(verbose=False)
    logs.setup(verbose=False)
    logging.getLogger("reactor_runtime").info("once")
    assert capsys.readouterr().err.count("once") == 1
