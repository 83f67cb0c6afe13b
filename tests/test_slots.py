"""Long tests do not starve each other: each process holds one slot, or all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.slots import Slots

HOLDER = """
import sys
from pathlib import Path
from tests.slots import Slots
with getattr(Slots(Path({folder!r}), 2), {which!r})():
    print("holds", flush=True)
    sys.stdin.readline()
"""
ROOT = Path(__file__).parents[1]
Hold = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """`hold("one")` or `hold("all")`: another process that waits for it and ends with its input."""
    with ExitStack() as stack:

        def begin(which: str) -> subprocess.Popen[str]:
            script = HOLDER.format(folder=str(tmp_path), which=which)
            command = [sys.executable, "-c", script]
            pipe = subprocess.PIPE
            process = stack.enter_context(
                subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe)
            )
            stack.callback(process.kill)
            return process

        yield begin


def held(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "holds\n"


def let_go(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=20)


def test_a_third_waits_for_one_of_two(hold: Hold) -> None:
    first, second = hold("one"), hold("one")
    held(first)
    held(second)
    third = hold("one")
    with pytest.raises(subprocess.TimeoutExpired):
        third.wait(0.5)
    let_go(first)
    held(third)


def test_who_wants_all_waits_for_each_and_then_nobody_is_beside(hold: Hold, tmp_path: Path) -> None:
    first = hold("one")
    held(first)
    alone = hold("all")
    with pytest.raises(subprocess.TimeoutExpired):
        alone.wait(0.5)
    let_go(first)
    held(alone)
    second = hold("one")
    let_go(alone)
    held(second)


def test_a_process_that_dies_holds_nothing(hold: Hold, tmp_path: Path) -> None:
    dying = hold("all")
    held(dying)
    dying.kill()
    dying.wait()
    with Slots(tmp_path, 2).one() as number:
        assert number == 0
