"""What the log says of weights that are missing: what to do, on lines that can be read."""

from __future__ import annotations

import logging

import pytest

from reactor_runtime.cli.logs import Formatter
from reactor_runtime.errors import ModelLoadError, WeightsError
from reactor_runtime.worker.loading import explain

WORDS = "There are no weights named 'a'.\nLooked in:\n  /here\x1b[2J"


def _shown(caplog: pytest.LogCaptureFixture, error: BaseException) -> list[str]:
    with caplog.at_level(logging.ERROR):
        explain(error)
    return Formatter().format(caplog.records[-1]).splitlines()[:3]


def test_our_own_lines_stay_lines_and_harmless(caplog: pytest.LogCaptureFixture) -> None:
    error = ModelLoadError(WORDS)
    error.__cause__ = WeightsError(WORDS)
    first, second, third = _shown(caplog, error)
    assert first.endswith("There are no weights named 'a'.")
    assert (second, third) == ("Looked in:", "  /here\\x1b[2J")


def test_an_authors_exception_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    error = ModelLoadError("MyModel.__init__ failed: ValueError: a\n2026-11-28 forged")
    error.__cause__ = ValueError("a\n2026-11-28 forged")
    assert len(_shown(caplog, error)) == 1
