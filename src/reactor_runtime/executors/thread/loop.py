"""The one event loop of a session's async code, and what becomes of what still runs there at its end."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from reactor_runtime.clock import WALL

from .watch import BlockWatch

log = logging.getLogger(__name__)

HANDLER_GRACE_S = 1.0
"""How long an async command that runs when its session ends may take to end; then it is cancelled."""
LEFTOVERS_S = 2.0
"""How long tasks that are left at the end may take to hear that they are cancelled."""
Work = Coroutine[Any, Any, Any]


class SessionLoop:
    """Runs on the model thread while an async `start_session` does (`run`); else on a thread of its own, from
    the first async command on.

    `call` and `waiting_in` may come from any thread, the rest from the model's.
    """

    def __init__(self, own_thread: bool) -> None:
        """With `own_thread` it lives on one; else whoever calls `run` gives it its thread."""
        self._own_thread = own_thread
        self._lock = threading.Lock()
        """Guards that the loop is made once, and not after the end."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended = False
        self._handler: asyncio.Task[Any] | None = None

    @property
    def on_model_thread(self) -> bool:
        return not self._own_thread

    def call(self, coroutine: Work) -> Any:
        """Run a command's coroutine on the loop, wait for it, and return or raise what it did."""
        loop = self._living()
        if loop is None:
            coroutine.close()
            raise asyncio.CancelledError
        future: Future[Any] = asyncio.run_coroutine_threadsafe(self._handle(coroutine), loop)
        outcome = future.result()
        if isinstance(outcome, _Raised):
            raise outcome.error
        return outcome

    def run(self, coroutine: Work) -> Any:
        """Run a coroutine of the model on the calling thread, to its end."""
        loop = self._living()
        if loop is None:
            coroutine.close()
            raise RuntimeError("This session's event loop has ended.")
        asyncio.set_event_loop(loop)
        watch = BlockWatch(loop, threading.get_ident())
        try:
            return loop.run_until_complete(coroutine)
        finally:
            watch.close()
            asyncio.set_event_loop(None)

    def settle(self, make: Callable[[], Work]) -> Any:
        """Run a coroutine of ours, `make()`, whatever tasks of the author raise meanwhile."""
        while True:
            try:
                return self.run(make())
            # A task's `sys.exit()` comes out of its loop.
            except BaseException:
                log.exception("A task of the session failed")

    def grant_grace(self) -> None:
        """The session ends: the command that runs may end by itself for a moment, then it is cancelled."""
        with self._lock:
            loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(loop.call_later, HANDLER_GRACE_S, self._cancel_handler)

    def cancel_leftovers(self) -> list[str]:
        """Cancel every task that is left and name those that do not end: they never run again."""
        with self._lock:
            loop, thread = self._loop, self._thread
        if loop is None:
            return []
        left: list[str]
        if thread is None:
            left = self.settle(_cancel_all)
        else:
            # However long: a task that blocks the loop is author code that runs, as a handler is.
            left = asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
        if left:
            log.warning(
                "Tasks of the ended session do not end although they were cancelled, and never run again: %s",
                ", ".join(left),
            )
        return left

    def close(self) -> None:
        """End the loop; nothing of it runs after this."""
        with self._lock:
            self._ended = True
            loop, thread = self._loop, self._thread
        if loop is None:
            return
        if thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
        # Threads of its executor are the session's: they reach no other one.
        loop.close()

    def waiting_in(self) -> list[str]:
        """For a person: where the tasks of the loop wait."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return []
        return [_place(task) for task in _tasks(loop)]

    def _living(self) -> asyncio.AbstractEventLoop | None:
        with self._lock:
            if self._ended:
                return None
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                if self._own_thread:
                    self._thread = threading.Thread(target=self._live, name="reactor-async", daemon=True)
                    self._thread.start()
            return self._loop

    def _live(self) -> None:
        loop = self._loop
        assert loop is not None
        asyncio.set_event_loop(loop)
        watch = BlockWatch(loop, threading.get_ident())
        while True:
            try:
                loop.run_forever()
                break
            # A task's `sys.exit()` comes out here; the others go on.
            except BaseException:
                log.exception("A task of an async command failed")
        watch.close()

    async def _handle(self, coroutine: Work) -> Any:
        self._handler = asyncio.current_task()
        try:
            return await coroutine
        except (SystemExit, KeyboardInterrupt) as error:
            return _Raised(error)  # raised in a task they would end the loop
        finally:
            self._handler = None

    def _cancel_handler(self) -> None:
        if self._handler is not None:
            self._handler.cancel()


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error


async def _cancel_all() -> list[str]:
    """Cancel what runs on this loop, new tasks too; returns the names of what would not end."""
    deadline = WALL.time() + LEFTOVERS_S
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in tasks:
            task.cancel()
        left = deadline - WALL.time()
        if left <= 0:
            return sorted(task.get_name() for task in tasks)
        await asyncio.wait(tasks, timeout=min(left, LEFTOVERS_S / 10))
    await asyncio.get_running_loop().shutdown_asyncgens()
    return []


def _tasks(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[Any]]:
    try:
        return list(asyncio.all_tasks(loop))
    except RuntimeError:
        return []  # they change while another thread looks


def _place(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    if not frames:
        return task.get_name()
    code = frames[-1].f_code
    return f"{code.co_filename}:{frames[-1].f_lineno} in {code.co_name}"
