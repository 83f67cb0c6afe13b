"""The gateway as a process: what it is given, and how it ends. The engine's process starts it, and starts it
anew when it dies; the listening sockets and the workers stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from pathlib import Path

from reactor_runtime.fleet import remote
from reactor_runtime.fleet.fleet import Fleet
from reactor_runtime.fleet.stores import MemoryStore, SqliteStore, Store
from reactor_runtime.runtimes.access.redaction import redacted
from reactor_runtime.runtimes.door.connections import Connections
from reactor_runtime.runtimes.door.listening import (
    Listener,
    connections_limit,
    leave_accept_failures_to_listeners,
)
from reactor_runtime.runtimes.door.server import Server, uvicorn_config
from reactor_runtime.runtimes.door.splice import MediaPort
from reactor_runtime.worker.lifeline import Lifeline

from .app import create_gateway
from .given import Given
from .options import GatewayOptions, from_json

log = logging.getLogger(__name__)

ENDED, BROKEN = 0, 1


def run(given: Given) -> int:
    Lifeline("gateway", given.parent, -1).tie()
    # The terminal's Ctrl-C is for the engine's process, which ends this one last.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return asyncio.run(_run(given))


async def _run(given: Given) -> int:
    connection = socket.socket(fileno=given.engine_fd)
    reader, writer = await asyncio.open_connection(sock=connection, limit=remote.LINE_LIMIT)
    options = from_json((await reader.readline()).decode())
    fleet = Fleet(remote.RemoteEngine(reader, writer), _store(options), options.limits)
    with redacted([*options.http.secrets, options.signing]):
        await fleet.open()
        try:
            await fleet.knows_its_workers()
            return await _serve(fleet, options, [_listener(fd) for fd in given.listening])
        finally:
            await fleet.close()
            writer.close()


async def _serve(fleet: Fleet, options: GatewayOptions, sockets: list[Listener]) -> int:
    loop = asyncio.get_running_loop()
    connections = Connections(connections_limit(options.http.max_connections))
    app, users = create_gateway(fleet, options)
    media = MediaPort(users)
    for counted in (connections, media):
        fleet.figures.registry.register(counted)
    server = Server(uvicorn_config(app, connections, media if options.http.takes_tcp_media else None))
    leave_accept_failures_to_listeners(loop)
    for sock in sockets:
        sock.make_room = connections.make_room
    leaving = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, leaving.set)
    serving = loop.create_task(server.serve(sockets=list(sockets)))
    waits = [loop.create_task(each.wait()) for each in (leaving, fleet.broken)]
    try:
        await asyncio.wait([serving, *waits], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        server.leave()
        with contextlib.suppress(Exception):
            await serving
    return ENDED if leaving.is_set() else BROKEN


def _store(options: GatewayOptions) -> Store:
    return SqliteStore(Path(options.store)) if options.store else MemoryStore()


def _listener(fd: int) -> Listener:
    sock = Listener(fileno=fd)
    sock.setblocking(False)
    return sock
