"""Imports of our own libraries, which leave no garbage in circles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """The collector of circles rests for the imports in this block: it would search what they make some
    thirty times and find nothing, for a twelfth of a server's start.

    Not for an author's module, which may load weights where it is imported. Main thread only.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
