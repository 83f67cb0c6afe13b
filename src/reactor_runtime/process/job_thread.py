"""A long-lived thread that runs one job after another."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Job = Callable[[], None]


class JobThread:
    """Runs jobs in order. Daemonic, so that a job that never returns cannot keep the process alive.

    Who gives it jobs bounds how many wait.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        # The simple one wakes who waits in one step: a client waits for its answer meanwhile.
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        """Guards `_closed`: no job comes behind the end. Nothing else is taken meanwhile."""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def ident(self) -> int | None:
        return self._thread.ident

    def submit(self, job: Callable[[], Result]) -> Future[Result]:
        """After `close` the future is cancelled."""
        future: Future[Result] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(job())
            # A job's outcome, whatever it is, belongs to whoever waits for it: SystemExit of an author's
            # `sys.exit()` too, or the thread would end in silence.
            except BaseException as error:  # noqa: BLE001
                future.set_exception(error)

        if not self.post(run):
            future.cancel()
        return future

    def post(self, job: Job) -> bool:
        """Run a job whose outcome nobody waits for here; what it raises is logged. False after `close`."""
        with self._lock:
            if not self._closed:
                self._jobs.put(job)
            return not self._closed

    def close(self, timeout: float = 1.0) -> None:
        """Let the thread end after the jobs that wait."""
        with self._lock:
            if not self._closed:
                self._jobs.put(None)
            self._closed = True
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            try:
                job()
            # Whatever it is: those that come after it are somebody else's.
            except BaseException:
                log.exception("A job of thread %s failed; it goes on with the next one", self.name)
            # Not kept until the next job comes: it holds a session.
            del job
