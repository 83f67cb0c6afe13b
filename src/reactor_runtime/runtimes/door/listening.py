"""Sockets that listen, and stay calm when nothing can be accepted."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import socket
from collections.abc import Callable
from typing import Any

from reactor_runtime.clock import WALL
from reactor_runtime.errors import ReactorError
from reactor_runtime.process import stdio

log = logging.getLogger(__name__)

BACKLOG = 128
"""Connections that wait to be accepted."""
ACCEPTS_AT_A_TIME = 1
"""In one turn of the loop. asyncio goes on with the next one after a failure, and tells of each."""
TELL_EVERY_S = 1.0
DESCRIPTORS_SHARE = 2
"""Connections may take the descriptors of this process divided by this: media and files need some."""
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class BindError(ReactorError):
    """The address cannot be listened on."""

    code = "bind"


class Listener(socket.socket):
    """Makes room when the process has no descriptor left, and tells so once a second at most."""

    make_room: Callable[[], bool] | None = None
    """Ends a connection that is idle; says whether there was one."""
    _told_at = 0.0
    _untold = 0

    def listen(self, backlog: int = BACKLOG, /) -> None:
        """asyncio gives one number for the queue and for how often it accepts in one turn."""
        super().listen(BACKLOG)

    def accept(self) -> tuple[socket.socket, Any]:
        # No connection comes in under the number of a standard descriptor that the model has closed.
        stdio.plug()
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            self._tell(error)
            if self.make_room is not None and self.make_room():
                # Its descriptor is free in the next turn; asyncio asks again then.
                raise BlockingIOError(errno.EAGAIN, "making room") from error
            # asyncio leaves the socket alone for a second.
            raise

    def _tell(self, error: OSError) -> None:
        now = WALL.time()
        if self._told_at and now - self._told_at < TELL_EVERY_S:
            self._untold += 1
            return
        more = f" ({self._untold} more like this)" if self._untold else ""
        log.error(
            "A connection could not be accepted: %s%s. Raise the limit with ulimit -n, or lower "
            "--max-connections.",
            error.strerror,
            more,
        )
        self._told_at, self._untold = now, 0


def leave_accept_failures_to_listeners(loop: asyncio.AbstractEventLoop) -> None:
    """They have told them already, and more calmly."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not str(context.get("message", "")).startswith("socket.accept() out of system resource"):
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)


def connections_limit(wanted: int) -> int:
    """`wanted`, or what the descriptors of this process allow."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or wanted <= soft // DESCRIPTORS_SHARE:
        return wanted
    allowed = max(1, soft // DESCRIPTORS_SHARE)
    log.info("At most %d connections, not %d: this process may open %d files", allowed, wanted, soft)
    return allowed


def bind(host: str, port: int) -> list[Listener]:
    """Listen on `host`; on loopback under both of its addresses, since `localhost` may mean either."""
    try:
        first = _listen(host, port)
    except (OSError, UnicodeError) as error:  # the latter of a name that is none
        raise BindError(
            f"Cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}. Is another server "
            "running there? Choose another with --port."
        ) from error
    sockets = [first]
    if host in ("127.0.0.1", "localhost"):
        try:
            sockets.append(_listen("::1", first.getsockname()[1]))
        except OSError as error:
            log.debug("Not listening on ::1: %s", error)
    return sockets


def _listen(host: str, port: int) -> Listener:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = Listener(family, kind, protocol)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen()
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock
