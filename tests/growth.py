"""How the cost of some work grows with its input, told in a thread's own processor time.

What else the machine does takes time from a thread, but hardly adds to its own; what it adds is kept out by
taking the shortest of several runs, and several tries. What grows quadratically passes no try.
"""

from __future__ import annotations

import time
from collections.abc import Callable

GROWTH = 2.5
"""The most that twice the input may cost."""
RUNS = 9
TRIES = 4


def seconds(work: Callable[[], object]) -> float:
    """Of this thread's own time; the shortest of `RUNS`."""
    times = []
    for _ in range(RUNS):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


def check_growth(small: Callable[[], object], large: Callable[[], object], *, grain: float) -> None:
    """Fail where `large` costs over `GROWTH` times `small` and `grain` seconds."""
    tries = []
    for _ in range(TRIES):
        tries.append((seconds(small), seconds(large)))
        less, more = tries[-1]
        if more <= GROWTH * less + grain:
            return
    told = ", ".join(f"{more * 1000:.2f} ms after {less * 1000:.2f} ms" for less, more in tries)
    raise AssertionError(f"grows too fast: {told}")
