"""Lines and values of a person's file inside a sentence: on one line, and never long."""

from __future__ import annotations

import os
from pathlib import Path

MAX_CHARS = 80
"""What a sentence shows of a line or of a value."""


def shortened(text: str, limit: int = MAX_CHARS) -> str:
    """`text` on one line, without what a terminal would obey."""
    line = " ".join(text.split())
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def quoted(text: str) -> str:
    """The text of a line between backticks."""
    return f"`{shortened(text)}`"


def line_of(text: str, number: int) -> str:
    """Line `number` of `text`, counted from 1; empty past its end."""
    lines = text.splitlines()
    return lines[number - 1] if 0 < number <= len(lines) else ""


def shown_path(path: Path) -> str:
    """The path as a person in the current folder would type it."""
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):
        return str(path)
    return str(path) if relative.startswith("..") else relative
