"""The fixture that watches what tests change in their process."""

from __future__ import annotations

import logging
import os
import resource
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import process
from tests.slots import how_many


def _handler() -> None:
    logging.root.addHandler(logging.NullHandler())


def _fewer_processors() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])


def _lower_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard if soft == 0 else 0, hard))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda: logging.getLogger("reactor_runtime").setLevel(logging.ERROR), "levels of loggers"),
        (_handler, "handlers of the root logger"),
        (lambda: os.environ.update(REACTOR_LEFT="1"), "REACTOR_LEFT"),
        (lambda: os.chdir("/"), "working directory"),
        (lambda: sys.setswitchinterval(0.123), "switch interval"),
        (lambda: warnings.simplefilter("ignore"), "filters of warnings"),
        (lambda: sys.path.append("/nowhere"), "sys.path"),
        pytest.param(
            _fewer_processors, "scheduling", marks=pytest.mark.skipif(how_many() < 2, reason="Has one.")
        ),
        (_lower_limit, "RLIMIT_CORE"),
    ],
)
def test_a_change_is_named_and_put_back(change: Callable[[], None], named: str) -> None:
    logging.getLogger("reactor_runtime")
    before = process.state()
    change()
    changes = process.changed_since(before)
    assert named in "\n".join(changes)
    assert process.changed_since(before) == []


def test_a_signal_handler_is_named_and_put_back() -> None:
    import signal

    before = process.state()
    signal.signal(signal.SIGUSR1, lambda *_: None)
    assert "signal handlers" in process.changed_since(before)[0]
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL


@pytest.mark.skipif(
    not hasattr(os, "sched_setscheduler") or os.geteuid() != 0, reason="Needs Linux and root."
)
def test_real_time_priority_is_named_and_put_back() -> None:
    """What one test left so, each later one of its worker started: servers and browsers before everybody."""
    before = process.state()
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    assert "scheduling" in process.changed_since(before)[0]
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_a_test_that_leaves_the_process_changed_fails(pytester_like: Callable[[str], str]) -> None:
    text = pytester_like("import os\ndef test_it():\n    os.environ['REACTOR_LEFT'] = '1'\n")
    assert "the test leaves the process changed: environment: REACTOR_LEFT" in text


@pytest.fixture
def pytester_like(tmp_path: Path) -> Callable[[str], str]:
    """Runs a file of tests under this project's configuration, and gives what pytest printed."""
    import subprocess

    def run(source: str) -> str:
        root = Path(__file__).parents[1]
        folder = tmp_path / "tests"
        folder.mkdir()
        (folder / "conftest.py").write_text("from tests.conftest import process_unchanged\n", "utf-8")
        (folder / "test_it.py").write_text(source, "utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            str(root / "pyproject.toml"),
        ]
        done = subprocess.run(
            [*command, str(folder)], cwd=root, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout

    return run
