"""Where the page is, and how to wait for a truth in it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WEB = HERE.parents[1] / "src" / "reactor_runtime" / "web"


def until(page: Any, expression: str, limit: float = 10) -> None:
    """Waits for a truth in the page. Playwright's `wait_for_function` needs `unsafe-eval`: refused."""
    deadline = time.monotonic() + limit
    while not page.evaluate(expression):
        if time.monotonic() > deadline:
            raise AssertionError(f"never became true: {expression}")
        page.wait_for_timeout(50)


def playing(open_page: Callable[..., Any]) -> Callable[..., Any]:
    """The page in front of a pretended model with these commands, when it plays."""

    def open_(*commands: dict[str, Any], script: str = "", **more: Any) -> Any:
        page = open_page(f"runtime.commands = {json.dumps(commands)};\n{script}", height=900, **more)
        page.locator("html[data-phase=live]").wait_for()
        return page

    return open_
