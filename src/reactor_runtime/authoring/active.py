"""Which session the running code belongs to.

The runtime's own threads say it with a context variable (`use`), which asyncio's tasks inherit. A thread that
the author started belongs to the session of whoever started it (`belonging`), never to the one that happens
to run; one that the model started while it loaded may join each session.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import ref

from reactor_runtime.errors import NoSessionError

from .belonging import (
    Outsider,
    Owner,
    judge_native_threads,
    native_threads,
    outside_of_sessions,
    owner_here,
    present,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .context import Context

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
    """The sessions running in this process, each with the native threads that were there when it began."""

    def __init__(self) -> None:
        self.renew_lock()
        self._running: dict[Context, frozenset[int]] = {}
        self._of_model: frozenset[int] | None = None

    def renew_lock(self) -> None:
        """Guards both fields. A forked child gets a new one: who held the old one is not there."""
        self._lock = threading.Lock()

    @property
    def running(self) -> list[Context]:
        with self._lock:
            return list(self._running)

    def begin(self, context: Context) -> None:
        there = native_threads()
        with self._lock:
            if self._of_model is None:
                self._of_model = there
            self._running[context] = there

    def end(self, context: Context) -> None:
        with self._lock:
            self._running.pop(context, None)

    def admit(self, native: frozenset[int]) -> None:
        with self._lock:
            self._of_model = native | (self._of_model or frozenset())

    def owner_of_native(self, ident: int) -> Owner | None:
        """Whom a thread belongs to that no Python code started; None while nothing says it."""
        with self._lock:
            if self._of_model is not None and ident in self._of_model:
                return Outsider.MODEL
            running = dict(self._running)
        if not running:
            return None
        begun_in = [context for context, there in running.items() if ident not in there]
        return ref(begun_in[0]) if len(running) == len(begun_in) == 1 else Outsider.STRANGER

    def only(self, thread: threading.Thread) -> Context:
        """The session that runs, for a thread that may join any."""
        running = self.running
        if not running:
            raise NoSessionError(_NO_SESSION)
        if len(running) > 1:
            raise NoSessionError(_SEVERAL.format(count=len(running), name=thread.name))
        return running[0]


_sessions = _Sessions()
judge_native_threads(_sessions.owner_of_native)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_sessions.renew_lock)


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
    token = present.set(context)
    try:
        yield context
    finally:
        present.reset(token)


@contextmanager
def admitting_threads() -> Iterator[None]:
    """Threads started inside belong to the model, not to a session, and may join each of its sessions."""
    before = native_threads()
    try:
        with outside_of_sessions():
            yield
    finally:
        _sessions.admit(native_threads() - before)


def current() -> Context:
    """The session of the running code. Raises `NoSessionError` when there is none, or not one only."""
    context = present.get()
    if context is None:
        return _of_thread(threading.current_thread())
    if context.ended:
        raise NoSessionError(_ENDED)
    return context


def current_or_none() -> Context | None:
    try:
        return current()
    except NoSessionError:
        return None


def _of_thread(thread: threading.Thread) -> Context:
    owner = owner_here()
    if owner is None:
        raise NoSessionError(_NO_SESSION)
    if owner is Outsider.MODEL:
        return _sessions.only(thread)
    context = None if isinstance(owner, Outsider) else owner()
    if context is None or context.ended:
        raise NoSessionError(_EARLIER.format(name=thread.name))
    return context
