"""Tells which callback holds the event loop, with its stack, while it does so.

A thread looks at the loop's stack twenty times a second. The same call of `Handle._run` at two looks is
one callback. Nothing is hung into the loop itself. A loop whose thread has not run since the last look waits
still, and costs no look.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reactor_runtime.clock import WALL, Clock
from reactor_runtime.loglines import Block

log = logging.getLogger(__name__)

HELD_S = 0.1
"""A callback that runs longer than this is told."""
LOOK_EVERY_S = 0.05
"""Each look takes the interpreter from whoever works, and a tenth of a millisecond to wake up."""
TELL_EVERY_S = 10.0
"""Others in between are counted."""
STACK_DEPTH = 20
"""Frames that are told, the innermost ones."""

_RUN = asyncio.Handle._run.__code__


class Watchdog:
    """Watches the loop of the thread that makes it, between `start` and `stop`."""

    def __init__(self, clock: Clock = WALL) -> None:
        self._clock = clock
        self._loop_thread = threading.get_ident()
        self._watching = threading.Lock()
        """Guards nothing: it is held while this watches, and the thread ends when it gets it. It waits for it
        with three quarters of the processor time that an `Event` takes."""
        self._thread = threading.Thread(target=self._watch, name="reactor-watchdog", daemon=True)
        self._told_at: float | None = None
        self._untold = 0

    def start(self) -> None:
        self._watching.acquire()
        self._thread.start()

    def stop(self) -> None:
        self._watching.release()
        self._thread.join()

    def _watch(self) -> None:
        seen: FrameType | None = None
        told = waits = False
        free_at = looked_at = self._clock.time()
        busy_at = self._busy_for()
        while not self._watching.acquire(timeout=LOOK_EVERY_S):
            now, busy = self._clock.time(), self._busy_for()
            if waits and busy == busy_at:
                looked_at = now
                continue  # it has not run since it was seen to wait: a walk through its stack is spared
            frame = sys._current_frames().get(self._loop_thread)
            running = _callback(frame)
            if running is None or running is not seen:
                # It began after the last look. When that is long ago, this thread could not look: either the
                # machine was busy, or the loop's thread was and kept the interpreter for itself.
                kept = running is not None and busy - busy_at > HELD_S
                free_at = looked_at if kept or now - looked_at < 2 * LOOK_EVERY_S else now
                seen, told = running, False
            if running is not None and not told and now - free_at >= HELD_S:
                told = True
                self._tell(now - free_at, frame)
            looked_at, busy_at, waits = now, busy, running is None
            del frame, running  # else what the callback holds would live until the next look

    def _busy_for(self) -> float:
        """Processor time of the loop's thread so far; where the system does not tell, nothing is like it."""
        try:
            return time.clock_gettime(time.pthread_getcpuclockid(self._loop_thread))
        except (AttributeError, OSError):
            return math.nan

    def _tell(self, held: float, frame: FrameType | None) -> None:
        now = self._clock.time()
        if self._told_at is not None and now - self._told_at < TELL_EVERY_S:
            self._untold += 1
            return
        more = f" ({self._untold} more since the last such line)" if self._untold else ""
        self._told_at, self._untold = now, 0
        frames = [each for each in traceback.extract_stack(frame) if "<frozen importlib" not in each.filename]
        stack = Block("".join(traceback.format_list(frames[-STACK_DEPTH:])))
        log.warning(
            "The event loop is held by one callback for %.0f ms now%s:\n%s", held * 1000, more, Block(stack)
        )


def _callback(frame: FrameType | None) -> FrameType | None:
    """The call of `Handle._run` below `frame`: one for each callback that runs."""
    while frame is not None and frame.f_code is not _RUN:
        frame = frame.f_back
    return frame


@contextmanager
def watched(clock: Clock = WALL) -> Iterator[Watchdog]:
    """Watch the loop of this thread."""
    watchdog = Watchdog(clock)
    watchdog.start()
    try:
        yield watchdog
    finally:
        watchdog.stop()
