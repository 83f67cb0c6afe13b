"""The end of the process: whatever the author has left running, it is gone within a bound.

After the event loop has ended Python waits for threads, for executors and for processes, and runs exit hooks,
each for as long as it likes. Here the same is done with a deadline, and who held the process is named.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import logging
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

from reactor_runtime.authoring.lines import authors, stack_of, where
from reactor_runtime.clock import WALL
from reactor_runtime.process import stdio

log = logging.getLogger(__name__)

GONE_WITHIN_S = 5.0
"""From the end of the event loop to the end of the process, at most."""
LAST_S = 3.0
"""So long after that the process is ended without Python: with status 1, and all stacks."""
TERMINATED_WITHIN_S = 1.0
"""How long forked processes may take to end when they are told to."""
FORCED_STATUS = 130
"""Exit status after a second signal."""


class Departure:
    """Begun when nothing is left to do but to go."""

    def __init__(self, status: int, within: float = GONE_WITHIN_S) -> None:
        self.status = status
        self._within = within
        self._thread = threading.Thread(target=self._watch, name="reactor-departure", daemon=True)

    def begin(self) -> None:
        self._thread.start()
        # Should even that thread be held, by a lock of the log or a stderr that takes nothing.
        faulthandler.dump_traceback_later(self._within + LAST_S, exit=True, file=stdio.descriptor())

    def go(self) -> NoReturn:
        """Do what the interpreter does at its end, but its teardown, which nothing could bound."""
        _signals_end_at_once()
        with contextlib.suppress(BaseException):
            # Non-daemon threads and executors: what a plain exit waits for.
            threading._shutdown()  # type: ignore[attr-defined]  # typeshed leaves it out
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
        leave(self.status)

    def _watch(self) -> None:
        time.sleep(self._within)
        log.warning(
            "The process ends now, %g s after the server did. It was held by %s",
            self._within,
            ", ".join(holders()),
        )
        leave(self.status)


_departure: list[Departure] = []


def begin(status: int) -> None:
    """The loop is about to end; from now on the time runs."""
    if not _departure:
        _departure.append(Departure(status))
        _departure[0].begin()


def go_if_begun() -> None:
    """Ends the process with the status that `begin` was given; returns where it was not called."""
    if _departure:
        _departure[0].go()


def leave(status: int) -> NoReturn:
    """End the process at once; forked ones are ended with it."""
    end_children()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    with contextlib.suppress(Exception):
        logging.shutdown()
    os._exit(status)


def end_children() -> None:
    """End what `multiprocessing` has forked or spawned for the author: it would stay without us."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is None:
        return
    with contextlib.suppress(Exception):
        children = multiprocessing.active_children()
        for child in children:
            child.terminate()
        deadline = WALL.time() + TERMINATED_WITHIN_S
        for child in children:
            child.join(max(0.0, deadline - WALL.time()))
            if child.is_alive():
                child.kill()


def holders() -> list[str]:
    """What keeps this process, for a person."""
    frames = sys._current_frames()
    main = threading.main_thread()
    # Python waits for the threads of executors too, daemonic or not; it notes them here.
    workers = getattr(sys.modules.get("concurrent.futures.thread"), "_threads_queues", {})
    threads = [t for t in threading.enumerate() if t is not main]
    waited_for = [t for t in threads if not t.daemon or t in workers]
    held = [f"thread {thread.name!r}{_place(frames.get(thread.ident or -1))}" for thread in waited_for]
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None:
        held += [f"process {child.name!r} ({child.pid})" for child in multiprocessing.active_children()]
    place = _place(frames.get(main.ident or -1))
    if place:
        held.append(f"an exit hook{place}")
    return held or ["nothing that could be named"]


def _place(frame: FrameType | None) -> str:
    own = authors(stack_of(frame)) if frame is not None else []
    return f" at {where(own[-1])}" if own else ""


def _signals_end_at_once() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError):
            signal.signal(number, lambda *_: leave(FORCED_STATUS))
