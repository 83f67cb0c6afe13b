"""How a session ends: its tail leaves, its clients are told why, its wires close; what if it will not end.

Event loop only.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, NoReturn

from reactor_runtime.loglines import Block, escaped_lines
from reactor_runtime.process.leaving import leave
from reactor_runtime.session.heap import give_back
from reactor_runtime.session.run import DRAIN_S

if TYPE_CHECKING:
    from reactor_runtime.session.run import SessionRun

    from .worker import Worker

log = logging.getLogger(__name__)

DELETE_S = 1.0
"""How long a process that ends at once may take to delete its session's files."""
KILLED_STATUS = 70
"""Exit status when the model would not return (EX_SOFTWARE of sysexits.h)."""


async def finish(worker: Worker, run: SessionRun) -> None:
    """Let the tail of a session out, say why it ended, close its wires and free the slot."""
    deadline, session = worker.clock.time() + DRAIN_S, run.session
    if worker.clients.any_ready():
        await _drain(run)
    worker.send_pending(session)
    worker.metrics.collect(session)
    await _tell_and_close(worker, deadline)
    end = worker.life.end
    await asyncio.get_running_loop().run_in_executor(None, run.close, end.reason.value if end else "")
    log.info("Session %d ended: %s", session.number, end.reason if end else "?")
    await asyncio.get_running_loop().run_in_executor(None, give_back)
    worker.free_slot(session)


def warn_stuck(worker: Worker) -> None:
    """Say where the model is that does not return, and let its clients go."""
    log.warning(
        "The model has not returned %g s after the session was to end. Check get_ctx().should_stop() in "
        "its loops, also inside long steps. It is here:\n%s",
        worker.options.stuck_warning,
        Block(escaped_lines(worker.executor.stacks())),
    )
    worker.spawn(_tell_and_close(worker, worker.clock.time() + DRAIN_S))


def kill(worker: Worker) -> None:
    """End the process; does not return."""
    log.critical(
        "The model has not returned %g s after the session was to end; the process ends now, so that no "
        "other user meets this one's state. It is here:\n%s",
        worker.options.kill_timeout,
        Block(escaped_lines(worker.executor.stacks())),
    )
    # The model thread cannot be ended in any other way.
    leave_at_once(worker, KILLED_STATUS)


def leave_at_once(worker: Worker, status: int) -> NoReturn:
    """End the process without waiting for anybody; only what a client has uploaded is deleted."""
    session = worker.session
    if session is not None:
        deleting = threading.Thread(target=session.uploads.close, daemon=True)
        deleting.start()
        # A disk that hangs must not keep the process.
        deleting.join(DELETE_S)
    leave(status)


async def _drain(run: SessionRun) -> None:
    drained = await asyncio.get_running_loop().run_in_executor(None, run.drain)
    if not drained:
        log.warning(
            "Session %d: some of the last frames or sounds did not leave within %g s",
            run.session.number,
            DRAIN_S,
        )


async def _tell_and_close(worker: Worker, deadline: float) -> None:
    end = worker.life.end
    for connection in worker.clients.connections.values():
        worker.dispatcher.abandon(connection)
    if end is not None:
        await worker.clients.send_end(end.reason, end.message, deadline)
    await worker.clients.close_all()
