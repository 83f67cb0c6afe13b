"""What runs on the event loop without anybody waiting for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from reactor_runtime.clock import Clock, Timer

log = logging.getLogger(__name__)


class Background:
    """The tasks of one worker, kept until they end and ended with it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: Timer | None = None

    def call(self, function: Callable[..., None], *args: object) -> None:
        """Run `function` on the loop, from any thread; a loop that has ended needs nothing any more."""
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:
            log.debug("The event loop has ended; %s is not called", getattr(function, "__name__", function))

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine to its end, and log what it raises. Event loop only."""
        task: asyncio.Task[None] = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def wake_in(self, delay: float | None, function: Callable[[], None]) -> None:
        """Call `function` once after `delay` seconds, in place of what was to be called; never, for None."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if delay is None else self._clock.call_later(delay, function)

    def cancel(self) -> None:
        """End whatever still runs."""
        self.wake_in(None, lambda: None)
        for task in list(self._tasks):
            task.cancel()

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("An internal task failed", exc_info=task.exception())
