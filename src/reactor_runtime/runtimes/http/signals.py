"""The first signal ends the session and then the process; the second one ends the process."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reactor_runtime.process import stdio
from reactor_runtime.process.leaving import FORCED_STATUS
from reactor_runtime.worker.ending import leave_at_once

if TYPE_CHECKING:
    from reactor_runtime.worker.worker import Worker

log = logging.getLogger(__name__)

LEAVE_DEADLINE_S = 75.0
"""A shutdown that takes longer than this, the kill limit of the model included, is cut off."""


@contextmanager
def signals(loop: asyncio.AbstractEventLoop, worker: Worker) -> Iterator[None]:
    """Take SIGINT and SIGTERM while the loop runs."""
    asked = False

    def on_signal() -> None:
        nonlocal asked
        if asked:
            log.warning("Asked twice; leaving at once")
            _force(worker)
        asked = True
        log.info("Shutting down; a second signal leaves at once")
        loop.call_later(LEAVE_DEADLINE_S, _force, worker)
        worker.leave()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _force(worker: Worker) -> None:
    faulthandler.dump_traceback(file=stdio.descriptor(), all_threads=True)
    leave_at_once(worker, FORCED_STATUS)
