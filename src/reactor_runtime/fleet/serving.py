"""`reactor serve`: the process of the engine. It listens, runs the workers and keeps a gateway up."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import secrets
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reactor_runtime.clock import WALL
from reactor_runtime.errors import FleetError
from reactor_runtime.project import environment
from reactor_runtime.runtimes.door.listening import Listener, bind
from reactor_runtime.runtimes.terminal.addresses import print_addresses, urls_of, with_token

from . import remote
from .engine import Engine
from .gateway import given as gateway
from .gateway.options import GatewayOptions
from .local import LocalEngine
from .processes import to_stderr, to_stderr_as_json

log = logging.getLogger(__name__)

GATEWAY_ENDS, GATEWAY_WINDOW_S = 5, 60.0
"""A gateway that ends so often within so long will not stand at all: the whole ends with status 1."""
GATEWAY_LEAVES_S = 10.0
"""How long a gateway may take to leave when it is asked to."""


@dataclass(frozen=True)
class Serve:
    """What the command line says."""

    gateway: GatewayOptions
    worker_command: Sequence[str]
    gpus: Sequence[str] = ()
    ray: str = ""
    """A Ray cluster's address, or `local`; without one, workers are processes of this machine."""
    log: Sequence[str] = ()
    """Options of the log, for the gateway."""


class Closing(Engine, Protocol):
    """An engine of ours: it says when it has closed, and can be ended at once."""

    closed: asyncio.Event

    def kill_all(self) -> None: ...


def serve(given: Serve) -> int:
    """Until a signal; returns the exit status. Main thread only. Raises `BindError`, `FleetError`."""
    http = given.gateway.http
    sockets = bind(http.host, http.port)
    http = with_token(http, sockets[0])
    options = dataclasses.replace(given.gateway, http=http, signing=secrets.token_urlsafe(32))
    try:
        return asyncio.run(_serve(given, options, sockets))
    finally:
        for sock in sockets:
            sock.close()


async def _serve(given: Serve, options: GatewayOptions, sockets: list[Listener]) -> int:
    loop = asyncio.get_running_loop()
    engine = _engine(given, options.slots)
    await engine.open()
    leaving = asyncio.Event()

    def on_signal() -> None:
        if leaving.is_set():
            log.warning("Asked twice; leaving at once")
            engine.kill_all()
        leaving.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    urls = urls_of(sockets[0], options.http)
    log.info("Serving a fleet of %d slots on %s", options.slots, urls[0])
    print_addresses(urls, sockets[0], options.http)
    gateways = loop.create_task(_keep_gateway(engine, given, options, sockets, leaving))
    waiting = loop.create_task(leaving.wait())
    await asyncio.wait([gateways, waiting], return_when=asyncio.FIRST_COMPLETED)
    leaving.set()
    waiting.cancel()
    log.info("Shutting down; a second signal leaves at once")
    await engine.close()
    return await gateways


def _engine(given: Serve, slots: int) -> Closing:
    on_line = to_stderr_as_json if "json" in given.log else to_stderr
    if not given.ray:
        return LocalEngine(given.worker_command, slots, given.gpus, on_line=on_line)
    from .on_ray.cluster import Cluster
    from .on_ray.engine import RayEngine

    return RayEngine(given.worker_command, slots, Cluster(given.ray, given.gpus), on_line)


async def _keep_gateway(
    engine: Closing, given: Serve, options: GatewayOptions, sockets: list[Listener], leaving: asyncio.Event
) -> int:
    """Start a gateway whenever there is none, until the workers are closed."""
    ends: deque[float] = deque(maxlen=GATEWAY_ENDS)
    while True:
        status = await _one_gateway(engine, given, options, sockets, leaving)
        if leaving.is_set():
            return 0
        ends.append(WALL.time())
        if len(ends) == GATEWAY_ENDS and ends[-1] - ends[0] < GATEWAY_WINDOW_S:
            raise FleetError(
                "gateway", f"The gateway ended {GATEWAY_ENDS} times within a minute; the log above says why."
            )
        log.error("The gateway ended with status %d and is started anew; the workers go on", status)


async def _one_gateway(
    engine: Closing, given: Serve, options: GatewayOptions, sockets: list[Listener], leaving: asyncio.Event
) -> int:
    ours, theirs = socket.socketpair()
    fds = (theirs.fileno(), *(sock.fileno() for sock in sockets))
    running = _fork(fds, given.log)
    theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours, limit=remote.LINE_LIMIT)
    writer.write(options.to_json().encode() + b"\n")
    serving = asyncio.get_running_loop().create_task(remote.serve(engine, reader, writer))
    ended = asyncio.get_running_loop().create_task(asyncio.to_thread(running.wait))
    waiting = asyncio.get_running_loop().create_task(_closed(engine, leaving))
    await asyncio.wait([serving, ended, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not ended.done():
        running.terminate()
        done, _ = await asyncio.wait([ended], timeout=GATEWAY_LEAVES_S)
        if not done:
            running.kill()
    status = await ended
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    return status


def _fork(fds: tuple[int, ...], log_options: Sequence[str]) -> subprocess.Popen[bytes]:
    """By the thread that lives as long as this process: the kernel ends the gateway with it."""
    return subprocess.Popen(
        gateway.command(log_options),
        env={**environment.inherited(), gateway.VARIABLE: ",".join(map(str, (os.getpid(), *fds)))},
        pass_fds=fds,
        stdin=subprocess.DEVNULL,
    )


async def _closed(engine: Closing, leaving: asyncio.Event) -> None:
    """Clients are told how their session ends before the gateway goes."""
    await leaving.wait()
    await engine.closed.wait()
