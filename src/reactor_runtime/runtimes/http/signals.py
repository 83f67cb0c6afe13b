"""The first signal ends the session and then the process; the second one ends the process."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reactor_runtime.runtimes import stdio

from .ending import leave_at_once
from .leaving import FORCED_STATUS

if TYPE_CHECKING:
    from .runtime import Runtime

log = logging.getLogger(__name__)

LEAVE_DEADLINE_S = 75.0
"""A shutdown that takes longer than this, the kill limit of the model included, is cut off."""
SAME_SIGNAL_S = 0.2
"""Signals this close together are one: Ctrl-C comes from the terminal and from whoever passes it on."""


@contextmanager
def signals(loop: asyncio.AbstractEventLoop, runtime: Runtime) -> Iterator[None]:
    """Take SIGINT and SIGTERM while the loop runs."""
    asked_at: float | None = None

    def on_signal() -> None:
        nonlocal asked_at
        now = loop.time()
        if asked_at is not None and now - asked_at < SAME_SIGNAL_S:
            return
        if asked_at is not None:
            log.warning("Asked twice; leaving at once")
            _force(runtime)
        asked_at = now
        log.info("Shutting down; a second signal leaves at once")
        loop.call_later(LEAVE_DEADLINE_S, _force, runtime)
        runtime.leave()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _force(runtime: Runtime) -> None:
    faulthandler.dump_traceback(file=stdio.descriptor(), all_threads=True)
    leave_at_once(runtime, FORCED_STATUS)
