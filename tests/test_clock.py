"""Time is a port: one file of the package asks the operating system for it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import reactor_runtime
from reactor_runtime.authoring import syntax

PACKAGE = Path(reactor_runtime.__file__).parent
OWN = {"clock.py", "testing/clock.py"}
CLOCKS = {"monotonic", "time", "monotonic_ns", "time_ns"}


def clocks_read(source: str) -> list[str]:
    """Every mention of a clock of the operating system."""
    found = []
    for node in ast.walk(syntax.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS and isinstance(node.value, ast.Name):
            if node.value.id == "time":
                found.append(f"{node.lineno}: time.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [f"{node.lineno}: from time" for name in node.names if name.name in CLOCKS]
    return found


def test_nothing_but_the_clock_and_the_cli_asks_for_the_time() -> None:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name not in OWN and not name.startswith("cli/") and (read := clocks_read(path.read_text("utf-8"))):
            found[name] = read
    assert found == {}


@pytest.mark.parametrize(
    "source",
    ["import time\ntime.monotonic()", "import time\nf(clock=time.time)", "from time import monotonic"],
)
def test_a_clock_that_is_read_is_found(source: str) -> None:
    assert len(clocks_read(source)) == 1
