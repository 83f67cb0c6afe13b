"""Which session the running code belongs to.

The runtime's own threads say it with a context variable (`use`). A thread that the author started has no such
variable: it belongs to the only session of the process, unless it was started during an earlier one. Such a
thread must never reach the next user's session, so the sessions are counted, and every thread is noted with
the count at which it was first seen.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from reactor_runtime.errors import NoSessionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .context import Context

_current: ContextVar[Context | None] = ContextVar("reactor_runtime_session", default=None)

# Threads that may join any session: those alive before the first one, and those a model starts while it
# loads.
_BEFORE_ANY_SESSION = 0

_NO_SESSION = (
    "No session is running, and get_ctx() is only valid during one: in start_session, in a @command method, "
    "in on_media, and in what they call. In __init__, in warmup and at class level there is no user yet; "
    "move the call into start_session."
)
_ENDED = (
    "This code belongs to a session that has ended. Threads and tasks of a session must end with it: check "
    "get_ctx().should_stop() in their loops and join them in a `finally` of start_session."
)
_EARLIER = (
    "Thread {name!r} was started during an earlier session and must not reach the next user's. End it with "
    "its session; or, for a pool that lives longer, take `ctx = get_ctx()` in start_session and hand `ctx` "
    "to the work."
)
_SEVERAL = (
    "{count} sessions are running in this process, and thread {name!r} does not say which one it belongs to. "
    "Take `ctx = get_ctx()` in start_session and hand `ctx` to the thread."
)


class _Sessions:
    """The sessions running in this process, each under the count at which it began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, Context] = {}
        self._count = 0
        self._births: WeakKeyDictionary[threading.Thread, int] = WeakKeyDictionary()

    def begin(self, context: Context) -> None:
        with self._lock:
            for thread in threading.enumerate():
                self._births.setdefault(thread, self._count)
            self._count += 1
            self._running[self._count] = context

    def end(self, context: Context) -> None:
        with self._lock:
            for count in [count for count, running in self._running.items() if running is context]:
                del self._running[count]

    def admit(self, threads: set[threading.Thread]) -> None:
        with self._lock:
            for thread in threads:
                self._births[thread] = _BEFORE_ANY_SESSION

    def of_thread(self, thread: threading.Thread) -> Context:
        with self._lock:
            running = dict(self._running)
            # A thread that was not there when the latest session began was started since.
            birth = self._births.get(thread, self._count)
        if not running:
            raise NoSessionError(_NO_SESSION)
        if len(running) > 1:
            raise NoSessionError(_SEVERAL.format(count=len(running), name=thread.name))
        ((count, context),) = running.items()
        if birth not in (_BEFORE_ANY_SESSION, count):
            raise NoSessionError(_EARLIER.format(name=thread.name))
        return context


_sessions = _Sessions()


def activate(context: Context) -> None:
    """Begin a session: from now on author threads find `context`. Call before the first author code runs."""
    _sessions.begin(context)


def deactivate(context: Context) -> None:
    """End a session, after `reset` has run: what the author kept of it stops working. Twice is harmless."""
    _sessions.end(context)
    context._end()


@contextmanager
def use(context: Context) -> Iterator[Context]:
    """Run author code as part of `context`. The runtime's threads wrap every call of author code in this."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


@contextmanager
def admitting_threads() -> Iterator[None]:
    """Threads started inside belong to the model, not to a session, and may join each of its sessions."""
    before = set(threading.enumerate())
    try:
        yield
    finally:
        _sessions.admit(set(threading.enumerate()) - before)


def current() -> Context:
    """The session of the running code. Raises `NoSessionError` when there is none, or not one only."""
    context = _current.get()
    if context is None:
        return _sessions.of_thread(threading.current_thread())
    if context.ended:
        raise NoSessionError(_ENDED)
    return context


def current_or_none() -> Context | None:
    try:
        return current()
    except NoSessionError:
        return None
