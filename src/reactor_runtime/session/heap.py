"""What a session has freed goes back to the system.

Pictures are large and short-lived, and many threads make them. glibc keeps what they free for the next time,
in a pool for each thread: after a hundred sessions that was some 30 MB, and it came and went
(docs/performance.md). Imports and the making of a model leave some 20 MB behind once.
"""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return free memory to the system, where the C library can (glibc). Takes milliseconds; any thread."""
    if _TRIM is not None:
        _TRIM(0)


def _find() -> ctypes._NamedFuncPointer | None:
    if sys.platform != "linux":
        return None
    try:
        # Another C library than glibc has no such function.
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    trim.argtypes = [ctypes.c_size_t]
    return trim


_TRIM = _find()
