"""The code blocks of the two seed documents, as files that hold nothing else.

The documents came without code fences and indentation; the files add the indentation and change nothing more.
They are named after the document, in order: `videomodel-…` and `model-…`. `.txt` keeps formatters away.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "blocks"
IMPORTS = """
from reactor_runtime import VideoModel, command, get_ctx, model
"""


def read(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text()


def names(ending: str = "") -> list[str]:
    return [path.name.removesuffix(".txt") for path in sorted(FOLDER.glob(f"*{ending}.txt"))]


def run(source: str, **given: Any) -> dict[str, Any]:
    """Execute a source as a module of its own, with `given` as further globals."""
    scope: dict[str, Any] = {"__name__": "author", **given}
    exec(compile(IMPORTS + source, "author.py", "exec", dont_inherit=True), scope)
    return scope


def model_around(*blocks: str, decorator: str = '@model(name="fragment")', **given: Any) -> Any:
    """A model class whose body is these blocks, each unchanged."""
    body = textwrap.indent("\n".join(blocks), "    ")
    return run(f"{decorator}\nclass Fragment(VideoModel):\n{body}\n", **given)["Fragment"]
