"""Children that an author forks: they get neither our signals nor our sockets, and cannot speak to our loop.

A forked child shares the wake-up descriptor, the handlers and every socket of its parent. Without this its
own SIGTERM would shut the server down, and its life would keep ports and connections open. A child that is
spawned has none of it: our descriptors are closed on `exec`, and the engine's are made so (`close_on_exec`).
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import stat
import threading
from collections.abc import Iterable, Iterator, Sequence

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_INTERNET = (socket.AF_INET, socket.AF_INET6)


class ForkGuard:
    """`guarding` holds while the server runs."""

    def __init__(self) -> None:
        self._ports: frozenset[int] = frozenset()
        self._fds: tuple[int, ...] = ()
        self._active = False
        self._masks = threading.local()
        os.register_at_fork(before=self._before, after_in_parent=self._unblock, after_in_child=self._child)

    @contextlib.contextmanager
    def guarding(self, sockets: Sequence[socket.socket], fds: tuple[int, ...]) -> Iterator[None]:
        """`sockets` listen; `fds` are the loop's own descriptors besides its wake-up pipe."""
        self._ports = frozenset(sock.getsockname()[1] for sock in sockets)
        self._fds, self._active = fds, True
        try:
            yield
        finally:
            self._active = False

    def _before(self) -> None:
        """A signal that the child gets before its handlers are its own would reach us: it waits."""
        self._masks.old = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS) if self._active else None

    def _unblock(self) -> None:
        old = getattr(self._masks, "old", None)
        if old is not None:
            self._masks.old = None
            signal.pthread_sigmask(signal.SIG_SETMASK, old)

    def _child(self) -> None:
        if not self._active:
            return
        self._active = False
        wakeup = signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # Ctrl-C goes to the whole group: the server hears it and ends its children in order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._forget([fd for fd in (wakeup, *self._fds) if fd >= 0])
        self._forget(self._sockets())
        self._unblock()

    @staticmethod
    def _forget(fds: list[int]) -> None:
        """Not closed: a Python object that still holds the number would close what gets it next."""
        null = os.open(os.devnull, os.O_RDWR)
        for fd in fds:
            with contextlib.suppress(OSError):
                os.dup2(null, fd, inheritable=False)
        os.close(null)

    def _sockets(self) -> list[int]:
        """Connections to our ports, and the engine's sockets: datagrams that no Python object sends."""
        ours, datagrams = [], []
        for fd, kind, port in _internet_sockets(_open_descriptors()):
            if kind == socket.SOCK_DGRAM:
                datagrams.append(fd)
            elif port in self._ports:
                ours.append(fd)
        theirs = _of_python() if datagrams else set()
        return ours + [fd for fd in datagrams if fd not in theirs]


def _internet_sockets(fds: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Descriptor, kind and local port of those among `fds`."""
    for fd in fds:
        with contextlib.suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(fd).st_mode):
                continue
            sock = socket.socket(fileno=fd)
            try:
                if sock.family in _INTERNET:
                    yield fd, sock.type, sock.getsockname()[1]
            finally:
                sock.detach()


def _open_descriptors() -> list[int]:
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return [int(name) for name in os.listdir(folder)]
    return []


def _of_python() -> set[int]:
    """What Python's own socket objects hold: those that an author made."""
    sockets = [thing for thing in gc.get_objects() if issubclass(type(thing), socket.socket)]
    return {sock.fileno() for sock in sockets}


def close_on_exec() -> None:
    """Let no program that an author starts keep the engine's sockets, which it opens without that flag."""
    # Few are looked at closely: what Python opens, and what was here before, is not inheritable.
    for fd, kind, _ in _internet_sockets(_inheritable()):
        if kind == socket.SOCK_DGRAM:
            with contextlib.suppress(OSError):
                os.set_inheritable(fd, False)


def _inheritable() -> Iterator[int]:
    for fd in _open_descriptors():
        with contextlib.suppress(OSError):
            if os.get_inheritable(fd):
                yield fd


_guard: list[ForkGuard] = []


def guarding(
    sockets: Sequence[socket.socket], fds: tuple[int, ...]
) -> contextlib.AbstractContextManager[None]:
    """One guard for the process: what runs at a fork cannot be taken back."""
    if not _guard:
        _guard.append(ForkGuard())
    return _guard[0].guarding(sockets, fds)
