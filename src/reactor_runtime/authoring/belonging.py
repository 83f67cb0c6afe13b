"""Which session a thread belongs to: that of whoever started it, for as long as it lives.

A thread is marked when it is started, so a timer that starts itself again, a pool that grows and a thread of
a thread stay with the session of the first; what an executor is given stays with whoever gave it. A thread
that no Python code started (of a sound library) is judged by whether it was there when the session began.
"""

from __future__ import annotations

import _thread
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum, auto
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

if TYPE_CHECKING:
    from .context import Context


class Outsider(Enum):
    """Of a thread that no session started."""

    MODEL = auto()
    """Started outside of every session, by `__init__` for one: it may join each session."""
    STRANGER = auto()
    """Nobody knows who started it: it may join none."""


Owner = ReferenceType["Context"] | Outsider

present: ContextVar[Context | None] = ContextVar("reactor_runtime_session", default=None)
"""The session that the runtime's own threads run author code of, and asyncio's tasks with them."""

_MARK = "_reactor_runtime_owner"


class _Local(threading.local):
    """For a thread without an object of its own: `threading` makes one up, and may mistake it for another."""

    owner: Owner | None = None


_local = _Local()
_judge: list[Callable[[int], Owner | None]] = []


def judge_native_threads(judge: Callable[[int], Owner | None]) -> None:
    """Ask `judge` for the owner of a native thread, by its id; it may return None."""
    _judge[:] = [judge]


def owner_here() -> Owner | None:
    """Whom the running thread belongs to, and those that it starts; None where nothing says it."""
    context = present.get()
    if context is not None:
        return ref(context)
    if _local.owner is not None:
        return _local.owner
    thread = threading.current_thread()
    if isinstance(thread, threading._DummyThread):
        return _judge[0](threading.get_native_id()) if _judge else None
    # A thread without a mark was started before this module was there.
    owner: Owner = getattr(thread, _MARK, Outsider.MODEL)
    return owner


@contextmanager
def outside_of_sessions() -> Iterator[None]:
    """What is started inside belongs to the model, whatever runs meanwhile."""
    token, before = present.set(None), _local.owner
    _local.owner = Outsider.MODEL
    try:
        yield
    finally:
        _local.owner = before
        present.reset(token)


def native_threads() -> frozenset[int]:
    """The ids of all threads of the process; where the system does not tell, of those that Python knows."""
    try:
        return frozenset(map(int, os.listdir("/proc/self/task")))
    except OSError:
        return frozenset(thread.native_id or 0 for thread in threading.enumerate())


def _session_here() -> Context | None:
    owner = owner_here()
    return owner() if isinstance(owner, ReferenceType) else None


def _run_marked(owner: Owner, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    _local.owner = owner
    return function(*args, **kwargs)


def _run_in(context: Context, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    token = present.set(context)
    try:
        return function(*args, **kwargs)
    finally:
        present.reset(token)


def _watch_starts() -> None:
    """Threads begin in three places; each is wrapped once, and otherwise behaves as it did."""
    start, submit, start_native = threading.Thread.start, ThreadPoolExecutor.submit, _thread.start_new_thread

    def marking_start(self: threading.Thread) -> None:
        setattr(self, _MARK, owner_here() or Outsider.STRANGER)
        start(self)

    def carrying_submit(
        self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        context = _session_here()
        if context is None:
            return submit(self, fn, *args, **kwargs)
        return submit(self, _run_in, context, fn, *args, **kwargs)

    def marking_start_native(
        function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
    ) -> int:
        return start_native(_run_marked, (owner_here() or Outsider.STRANGER, function, *args), kwargs or {})

    threading.Thread.start = marking_start  # type: ignore[method-assign]  # see above
    ThreadPoolExecutor.submit = carrying_submit  # type: ignore[method-assign,assignment]  # see above
    # `threading` itself has its own name for the old one and is not wrapped twice.
    _thread.start_new_thread = marking_start_native


_watch_starts()
