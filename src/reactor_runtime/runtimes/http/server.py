"""The process: sockets, signals, exit status."""

from __future__ import annotations

import asyncio
import logging
import selectors
import socket
import ssl
import sys
import threading
from typing import TYPE_CHECKING

from anyio.lowlevel import checkpoint

from reactor_runtime import loglines
from reactor_runtime.authoring.description import describe
from reactor_runtime.errors import ReactorError
from reactor_runtime.loglines import Block
from reactor_runtime.media.encoders import EncoderChoice, warm_up
from reactor_runtime.process import leaving as leaving_process
from reactor_runtime.process.forks import guarding
from reactor_runtime.process.watchdog import watched
from reactor_runtime.runtimes.access.redaction import redacted
from reactor_runtime.runtimes.door.connections import Connections
from reactor_runtime.runtimes.door.listening import (
    Listener,
    bind,
    connections_limit,
    leave_accept_failures_to_listeners,
)
from reactor_runtime.runtimes.door.server import Server, uvicorn_config
from reactor_runtime.runtimes.door.splice import MediaPort
from reactor_runtime.runtimes.door.tls import context
from reactor_runtime.runtimes.terminal.addresses import print_addresses, query, urls_of, with_token
from reactor_runtime.runtimes.terminal.greeting import greeting, open_page, qr_code
from reactor_runtime.runtimes.terminal.loading_bar import show_loading
from reactor_runtime.session import folders
from reactor_runtime.session.heap import give_back
from reactor_runtime.transports.connecting import Connecting, CountedEngine
from reactor_runtime.transports.impair import ImpairedEngine, Impairment
from reactor_runtime.transports.port import Engine
from reactor_runtime.transports.reactor_webrtc import ReactorWebRtcEngine
from reactor_runtime.transports.tcp_media import TcpMediaEngine, TcpPeers
from reactor_runtime.worker.leases import Leases
from reactor_runtime.worker.signals import signals
from reactor_runtime.worker.worker import Worker

from .app import create_app, rehearse

if TYPE_CHECKING:
    from reactor_runtime.project.project import Project

    from .options import HttpOptions

log = logging.getLogger(__name__)

SWEEP_S = 2.0
"""How long a start waits until what killed processes have left is swept."""
FAILED_LINGER_S = 3.0
"""How long a server whose model did not load stays up to say so."""
SWITCH_INTERVAL_S = 0.0005
"""How long a thread may hold the GIL while another one wants it. On its way out a frame changes threads a few
times; beside a model that computes in Python each change took CPython's 5 ms (docs/performance.md)."""


def serve(project: Project, options: HttpOptions) -> int:
    """Run until asked to leave; returns the exit status. Raises `BindError`."""
    if options.encoder == EncoderChoice.NVENC:
        # Asked for by name: its absence is an error now, not a black picture later.
        warm_up(EncoderChoice.NVENC)
    # Before the model is loaded: an author who knows better sets another one in `__init__`.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    tls = context(options.tls_cert, options.tls_key) if options.tls_cert and options.tls_key else None
    sockets = bind(options.host, options.port)
    _sweep()
    options = with_token(options, sockets[0])
    if options.lifeline is None:
        # Before the event loop runs: it looks for the weights.
        log.info("%s", Block(greeting(project, describe(project.model_class), options)))
    # Our own, so that a forked child can let go of it, and of the reading end of the loop's own pipe.
    selector = selectors.DefaultSelector()
    loop = asyncio.SelectorEventLoop(selector)
    fds = (getattr(selector, "fileno", lambda: -1)(), *(key.fd for key in selector.get_map().values()))
    try:
        with (
            redacted([*options.secrets, options.turn_secret]),
            guarding(sockets, fds),
            asyncio.Runner(loop_factory=lambda: loop) as runner,
        ):
            return runner.run(_serve(project, options, sockets, tls))
    finally:
        for sock in sockets:
            sock.close()


def _sweep() -> None:
    """Before the first client, but not for ever: a disk may hang."""
    sweeping = threading.Thread(target=folders.sweep, name="reactor-sweep", daemon=True)
    sweeping.start()
    sweeping.join(SWEEP_S)


async def _serve(
    project: Project, options: HttpOptions, sockets: list[Listener], tls: ssl.SSLContext | None
) -> int:
    loop = asyncio.get_running_loop()
    leaving: asyncio.Future[int] = loop.create_future()
    media, connecting = MediaPort(peers := TcpPeers()), Connecting()
    engine = CountedEngine(_engine(options, peers), connecting)
    worker = Worker(project, options, engine, lambda status: _resolve(leaving, status))
    worker.signalling.tcp_peers = peers
    leases = Leases(worker) if options.in_fleet else None
    app = create_app(lambda: worker, options, (lambda: leases) if leases else None, connecting=connecting)
    connections = Connections(connections_limit(options.max_connections))
    for counted in (connections, media, connecting):
        worker.metrics.registry.register(counted)
    server = Server(uvicorn_config(app, connections, media if options.takes_tcp_media else None, tls))
    _make_room(loop, sockets, connections)
    await checkpoint()  # anyio imports half of itself when it is first used; a request would wait for that
    await rehearse(app)
    serving = loop.create_task(server.serve(sockets=list(sockets)))
    if options.lifeline is not None:
        options.lifeline.tell_port(sockets[0].getsockname()[1])
    with signals(loop, worker), watched():
        worker.load().add_done_callback(lambda _: give_back())
        warming = loop.run_in_executor(None, _warm_up, EncoderChoice(options.encoder))
        urls = urls_of(sockets[0], options)
        log.info("Serving %s on %s", worker.model.name, urls[0])
        if options.lifeline is None:
            # Nobody opens a worker of a fleet, and its secret is its engine's.
            await _greet(urls, sockets[0], options)
            loop.create_task(show_loading(worker))  # noqa: RUF006  # ends with loading, or with the loop
        status = await leaving
        if worker.standing.load_error is not None:
            await asyncio.sleep(FAILED_LINGER_S)
        worker.close_streams()
        if leases is not None:
            leases.close()
        server.leave()
        await serving
        await warming
        await worker.close()
        leaving_process.begin(status)
    return status


async def _greet(urls: list[str], sock: socket.socket, options: HttpOptions) -> None:
    """Tell whoever started us where to look, and look there when asked to."""
    loop = asyncio.get_running_loop()
    if options.qr:
        code = await loop.run_in_executor(None, qr_code, urls[0] + (query(options) or "/"))
        print(loglines.plain(code), file=sys.stderr, flush=True)
    print_addresses(urls, sock, options)
    if options.open_page:
        loop.run_in_executor(None, open_page, urls[0] + query(options))


def _make_room(loop: asyncio.AbstractEventLoop, sockets: list[Listener], connections: Connections) -> None:
    """An accept that fails ends whoever is idle, and no more than a try a second is made."""
    leave_accept_failures_to_listeners(loop)
    for sock in sockets:
        sock.make_room = connections.make_room


def _engine(options: HttpOptions, peers: TcpPeers) -> Engine:
    engine = ReactorWebRtcEngine()
    if options.takes_tcp_media:
        return TcpMediaEngine(engine, peers, only=options.wire == "tcp")
    if not options.impair:
        return engine
    impairment = Impairment.parse(options.impair)
    log.warning("The network is made worse on purpose: %s", options.impair)
    return ImpairedEngine(engine, impairment)


def _warm_up(choice: EncoderChoice) -> None:
    try:
        warm_up(choice)
    except ReactorError as error:
        log.warning("%s", error)
    give_back()


def _resolve(leaving: asyncio.Future[int], status: int) -> None:
    if not leaving.done():
        leaving.set_result(status)
