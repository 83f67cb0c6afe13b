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
    """Runs jobs in order. Daemonic, so that a job that never returns cannot keep the process alive."""

    def __init__(self, name: str, limit: int = 0) -> None:
        """`limit` bounds the jobs that wait; 0 means that the caller bounds them."""
        self.name = name
        self._jobs: queue.Queue[Job | None] = queue.Queue(limit)
        self._lock = threading.Lock()
        """Guards `_closed`: no job comes behind the end. Nothing else is taken meanwhile."""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def ident(self) -> int | None:
        return self._thread.ident

    def submit(self, job: Callable[[], Result]) -> Future[Result]:
        """Raises `queue.Full` when `limit` jobs wait. After `close` the future is cancelled."""
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

        with self._lock:
            if self._closed:
                future.cancel()
            else:
                self._jobs.put_nowait(run)
        return future

    def close(self, timeout: float = 1.0) -> None:
        """Let the thread end after the jobs that wait."""
        with self._lock:
            try:
                if not self._closed:
                    self._jobs.put_nowait(None)
                self._closed = True
            except queue.Full:
                log.debug("Thread %s is full of work and is left to the end of the process", self.name)
                return
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            job()
            # Not kept until the next job comes: it holds a session.
            del job
