"""How far sound and picture are apart for a person: a model that flashes and beeps, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .browser import new_page
from .server import Server

PAGE = Path(__file__).with_name("skew.js")
SETTLING_S = 5.0
"""Chromium begins with a deep jitter buffer for sound and takes some seconds to come down."""
NICE = -15
"""28 times the processor time of what others get beside it."""
NEAR_MS = 300.0
"""A flash and a beep further apart than this do not belong together; the model gives one every 667 ms."""


@dataclass(frozen=True)
class Skew:
    """How much later than the flash each beep is heard, in ms; negative when it is early."""

    settling: list[float]
    settled: list[float]
    missed: int
    """Flashes without a beep, once settled."""

    def p(self, percent: float) -> float:
        """A percentile of the distance, whatever its sign."""
        return float(np.percentile(np.abs(self.settled), percent))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Go before others on this machine, where we may, with all that starts inside: it is we who are measured.

    Beside other work each wait for a processor makes the browser's buffer for sound longer, for many seconds.
    Not at real-time priority: two such threads that wait for each other in the kernel hold all processors.
    """
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


def measure(server: Server, chromium: str, seconds: float) -> Skew:
    """Watch and listen for `seconds` after the settling."""
    with new_page(chromium) as page:
        # Any page of the server's origin will do; this one has no script.
        page.goto(f"{server.url}/health")
        return compare(page.evaluate(PAGE.read_text(), {"seconds": SETTLING_S + seconds}))


def compare(seen: dict[str, Any]) -> Skew:
    flashes, beeps = np.array(seen["flashes"]), np.array(seen["beeps"])
    settling: list[float] = []
    settled: list[float] = []
    missed = 0
    for flash in flashes[:-1]:  # the last one's beep may be still to come
        late = flash > seen["began"] + SETTLING_S * 1000
        apart = beeps - flash
        nearest = float(apart[np.argmin(np.abs(apart))]) if len(beeps) else float("inf")
        if abs(nearest) > NEAR_MS:
            missed += late
        else:
            (settled if late else settling).append(nearest)
    return Skew(settling, settled, missed)
