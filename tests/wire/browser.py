"""A page in a Chromium of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.chromium import find_chromium, launched

__all__ = ["find_chromium", "new_page"]


@contextmanager
def new_page(chromium: str) -> Iterator[Any]:
    with launched(chromium) as browser:
        yield browser.new_page()
