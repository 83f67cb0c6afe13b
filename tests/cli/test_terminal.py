"""The line at the bottom of a terminal, and what others write meanwhile."""

from __future__ import annotations

import io
import logging
import re
import sys

import pytest

from reactor_runtime.authoring.progress import Progress
from reactor_runtime.process import terminal
from reactor_runtime.runtimes.terminal.loading_bar import line


class Screen(io.StringIO):
    """A terminal: `shown` is what a person would see."""

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> list[str]:
        lines = [""]
        for part in re.split(r"(\n|\r\x1b\[K)", self.getvalue()):
            if part == "\n":
                lines.append("")
            else:
                lines[-1] = "" if part == terminal.CLEAR else lines[-1] + part
        return lines


def a_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Not a fixture: pytest's own streams would come in its place before the test."""
    made = Screen()
    monkeypatch.setattr(sys, "stdout", made)
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setattr(terminal, "_line", terminal._Line())
    return made


def test_what_others_write_takes_the_place_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = a_screen(monkeypatch)
    assert terminal.is_one()
    with terminal.below_all():
        terminal.draw("Loading 10 %")
        print("hello")
        terminal.draw("Loading 20 %")
        assert screen.shown == ["hello", "Loading 20 %"]
        logging.StreamHandler(sys.stderr).emit(logging.makeLogRecord({"msg": "theirs"}))
        terminal.draw("Loading 30 %")
    terminal.clear()
    assert screen.shown == ["hello", "theirs", ""]
    assert sys.stdout is screen


def test_a_bar_of_the_authors_is_left_alone_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = a_screen(monkeypatch)
    with terminal.below_all():
        terminal.draw("Loading 10 %")
        sys.stderr.write("\r\x1b[Kweights: 50%")
        terminal.draw("Loading 20 %")
        assert screen.shown == ["weights: 50%"]
        sys.stderr.write(" done\n")
        terminal.draw("Loading 30 %")
        assert screen.shown[-1] == "Loading 30 %"


def test_a_stream_that_the_author_put_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = a_screen(monkeypatch)
    other = io.StringIO()
    with terminal.below_all():
        sys.stdout = other
    assert sys.stdout is other
    assert sys.stderr is screen


def test_a_file_gets_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not terminal.is_one()


def test_the_line_says_how_far_loading_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert line(Progress(0.4, "unet"), 12.3) == "Loading  ████████░░░░░░░░░░░░  40%  12 s  unet"
    assert line(Progress(None, "a\x1b[2J"), 3) == "Loading  3 s  a\\x1b[2J"
    assert len(line(Progress(1.0, "x" * 200), 3)) == 59
