"""Tells an author whose code holds the session's event loop: nothing else runs there meanwhile."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading

from reactor_runtime.authoring.lines import authors, source, stack_of, where

log = logging.getLogger(__name__)

HELD_S = 1.0
"""A callback of the loop that takes longer is told."""
BEAT_S = 0.25
"""How often the loop is asked whether it is there."""


class BlockWatch:
    """A thread beside a loop that runs, until `close`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ident: int) -> None:
        """`ident` is the thread that runs `loop`."""
        self._loop = loop
        self._ident = ident
        self._closed = threading.Event()
        self._there = threading.Event()
        self._told: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="reactor-loop-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._there.set()

    def _run(self) -> None:
        while not self._closed.wait(BEAT_S):
            self._there.clear()
            try:
                self._loop.call_soon_threadsafe(self._there.set)
            except RuntimeError:
                return  # the loop was closed
            if self._there.wait(HELD_S):
                continue
            if not self._closed.is_set() and self._loop.is_running():
                self._tell()
            self._there.wait()

    def _tell(self) -> None:
        frame = sys._current_frames().get(self._ident)
        if frame is None:
            return
        frames = stack_of(frame)
        own = authors(frames) or frames
        place = where(own[-1])
        if place in self._told:
            return
        self._told.add(place)
        log.warning(
            "The session's event loop has been held for %g s by %s: %s. Nothing else in it runs meanwhile, "
            "no async command either. Await instead: asyncio.sleep() for time.sleep(), emit_async() for "
            "emit(), asyncio.to_thread() for work that blocks.",
            HELD_S,
            place,
            source(own[-1]),
        )
