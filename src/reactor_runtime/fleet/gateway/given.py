"""What the engine's process gives the gateway that it starts. Light: the engine itself serves nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from reactor_runtime.project import environment

VARIABLE = "REACTOR_GATEWAY"
"""The parent's id, the engine's socket and the listening ones, as numbers with commas."""


@dataclass(frozen=True)
class Given:
    parent: int
    engine_fd: int
    listening: tuple[int, ...]


def found() -> Given | None:
    """None in a process that a person started."""
    text = environment.take(VARIABLE)
    numbers = [int(part) for part in text.split(",") if part.isdecimal()]
    return Given(numbers[0], numbers[1], tuple(numbers[2:])) if len(numbers) > 2 else None


def command(log: Sequence[str]) -> Sequence[str]:
    """`log` are the options of the log, which it keeps as its engine does."""
    return [sys.executable, "-m", "reactor_runtime", "serve", *log]
