"""The process: sockets, signals, exit status."""

from __future__ import annotations

import asyncio
import dataclasses
import faulthandler
import ipaddress
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import uvicorn
from anyio.lowlevel import checkpoint

from reactor_runtime.errors import ReactorError
from reactor_runtime.media.encoders import EncoderChoice, warm_up
from reactor_runtime.transports.impair import ImpairedEngine, Impairment
from reactor_runtime.transports.port import Engine
from reactor_runtime.transports.reactor_webrtc import ReactorWebRtcEngine

from .acceptor import acceptor
from .app import create_app, rehearse
from .asgi import App
from .connections import Connections
from .ending import leave_at_once
from .listening import ACCEPTS_AT_A_TIME, Listener, connections_limit, leave_accept_failures_to_listeners
from .runtime import Runtime
from .watchdog import watched

if TYPE_CHECKING:
    from reactor_runtime.project.project import Project

    from .options import HttpOptions

log = logging.getLogger(__name__)

FAILED_LINGER_S = 3.0
"""How long a server whose model did not load stays up to say so."""
FORCED_STATUS = 130
"""Exit status after a second signal."""
SWITCH_INTERVAL_S = 0.0005
"""How long a thread may hold the GIL while another one wants it. On its way out a frame changes threads a few
times; beside a model that computes in Python each change took CPython's 5 ms (docs/performance.md)."""
LEAVE_DEADLINE_S = 75.0
"""A shutdown that takes longer than this, the kill limit of the model included, is cut off."""


class BindError(ReactorError):
    """The address cannot be listened on."""

    code = "bind"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: ours let a session end first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(project: Project, options: HttpOptions) -> int:
    """Run until asked to leave; returns the exit status. Raises `BindError`."""
    if options.encoder == EncoderChoice.NVENC:
        # Asked for by name: its absence is an error now, not a black picture later.
        warm_up(EncoderChoice.NVENC)
    # Before the model is loaded: an author who knows better sets another one in `__init__`.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    sockets = _bind(options.host, options.port)
    options = _with_token(options, sockets[0])
    try:
        return asyncio.run(_serve(project, options, sockets))
    finally:
        for sock in sockets:
            sock.close()


async def _serve(project: Project, options: HttpOptions, sockets: list[Listener]) -> int:
    loop = asyncio.get_running_loop()
    leaving: asyncio.Future[int] = loop.create_future()
    runtime = Runtime(project, options, _engine(options), lambda status: _resolve(leaving, status))
    app = create_app(lambda: runtime, options)
    connections = Connections(connections_limit(options.max_connections))
    runtime.metrics.registry.register(connections)
    server = _Server(_config(app, connections))
    leave_accept_failures_to_listeners(loop)
    for sock in sockets:
        sock.make_room = connections.make_room
    await checkpoint()  # anyio imports half of itself when it is first used; a request would wait for that
    await rehearse(app)
    serving = loop.create_task(server.serve(sockets=list(sockets)))
    with _signals(loop, runtime), watched():
        runtime.load()
        warming = loop.run_in_executor(None, _warm_up, EncoderChoice(options.encoder))
        log.info("Serving %s on %s", runtime.model_name, _url(sockets[0]))
        if options.token:
            # To the terminal of whoever started us, once; never into a log.
            address = f"{_url(sockets[0])}/?token={quote(options.token, safe='')}"
            print(f"Open {address}", file=sys.stderr, flush=True)
        status = await leaving
        if runtime.load_error is not None:
            await asyncio.sleep(FAILED_LINGER_S)
        runtime.close_streams()
        server.should_exit = True
        await serving
        await warming
        await runtime.close()
    return status


def _config(app: App, connections: Connections) -> uvicorn.Config:
    return uvicorn.Config(
        cast("Any", app),  # uvicorn spells ASGI's types out
        http=acceptor(connections),
        backlog=ACCEPTS_AT_A_TIME,
        proxy_headers=False,  # `Entrance` reads them: one place knows whose word is taken
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=2,
    )


def _engine(options: HttpOptions) -> Engine:
    engine = ReactorWebRtcEngine()
    if not options.impair:
        return engine
    impairment = Impairment.parse(options.impair)
    log.warning("The network is made worse on purpose: %s", options.impair)
    return ImpairedEngine(engine, impairment)


def _with_token(options: HttpOptions, sock: socket.socket) -> HttpOptions:
    """Off loopback, strangers can reach us: without a token of the operator's we make one."""
    address = ipaddress.ip_address(sock.getsockname()[0])
    if options.token or options.no_token or address.is_loopback:
        return options
    return dataclasses.replace(options, token=secrets.token_urlsafe(24))


def _warm_up(choice: EncoderChoice) -> None:
    try:
        warm_up(choice)
    except ReactorError as error:
        log.warning("%s", error)


def _resolve(leaving: asyncio.Future[int], status: int) -> None:
    if not leaving.done():
        leaving.set_result(status)


@contextmanager
def _signals(loop: asyncio.AbstractEventLoop, runtime: Runtime) -> Iterator[None]:
    """The first signal ends the session and then the process; the second ends the process."""
    asked = False

    def on_signal() -> None:
        nonlocal asked
        if asked:
            log.warning("Asked twice; leaving at once")
            _force(runtime)
        asked = True
        log.info("Shutting down; a second signal leaves at once")
        loop.call_later(LEAVE_DEADLINE_S, _force, runtime)
        runtime.leave()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _force(runtime: Runtime) -> None:
    faulthandler.dump_traceback(all_threads=True)
    leave_at_once(runtime, FORCED_STATUS)


def _bind(host: str, port: int) -> list[Listener]:
    """Listen on `host`; on loopback under both of its addresses, since `localhost` may mean either."""
    try:
        first = _listen(host, port)
    except OSError as error:
        raise BindError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Is another server running there? "
            "Choose another with --port."
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


def _url(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
