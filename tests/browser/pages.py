"""Where the page is, and how to wait for a truth in it."""

from __future__ import annotations

import time
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
