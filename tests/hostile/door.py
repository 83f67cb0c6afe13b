"""The TCP door of a server in this process: real sockets, the real acceptor, and models that are small."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.runtimes.http.models import Painter

from reactor_runtime.runtimes.door.connections import LINGERING_LIMIT, Connections, Slot
from reactor_runtime.runtimes.door.listening import Listener, bind, leave_accept_failures_to_listeners
from reactor_runtime.runtimes.door.server import Server, uvicorn_config
from reactor_runtime.runtimes.door.splice import MediaPort
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.testing import LeapingClock, MemoryServer, VirtualClock, serve

T = TypeVar("T")


async def hurried(clock: LeapingClock, work: Coroutine[Any, Any, T]) -> T:
    """What comes of it while time passes a hundred times as fast."""
    task = asyncio.ensure_future(work)
    while not task.done():
        clock.advance(1.0)
        await asyncio.wait({task}, timeout=0.01)
    return task.result()


class Answer:
    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1]) if lines[0] else 0
        self.headers = dict(line.lower().split(": ", 1) for line in lines[1:])

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


class Wire:
    """One connection, as raw as a client can be."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self, method: str = "GET") -> Answer:
        """The next one, with as much body as it says."""
        async with asyncio.timeout(10):
            raw = await self.reader.readuntil(b"\r\n\r\n")
            length = int(Answer(raw).headers.get("content-length", "0"))
            return Answer(raw + (b"" if method == "HEAD" else await self.reader.readexactly(length)))

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def first(self, count: int) -> bytes:
        """The first bytes; none where the server has closed in place of an answer."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read(count)
            except ConnectionError:
                return b""

    async def closed(self) -> bool:
        return await self.rest() == b""


class Door:
    def __init__(
        self,
        port: int,
        connections: Connections,
        memory: MemoryServer,
        listener: Listener,
        clock: LeapingClock,
        patience: VirtualClock,
    ) -> None:
        self.port = port
        self.patience = patience
        """What the deadlines of connections go by."""
        self.clock = clock
        """Of the connections and of the server behind them; a test leaps ahead."""
        self.connections = connections
        self.memory = memory
        self.listener = listener
        self._wires: list[Wire] = []

    async def wire(self, source: str = "127.0.0.1") -> Wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        wire = Wire(reader, writer)
        self._wires.append(wire)
        return wire

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 # conditions of the server, which tells nobody
                await asyncio.sleep(0.005)

    def slots(self) -> list[Slot]:
        """All connections, as the server counts them."""
        return [slot for slots in self.connections._slots.values() for slot in slots]

    async def is_asked(self, count: int = 1) -> None:
        """Return when so many requests are being answered: their heads are read."""
        await self.until(lambda: sum(slot.idle_since is None for slot in self.slots()) >= count)

    async def hurried(self, work: Coroutine[Any, Any, T]) -> T:
        return await hurried(self.clock, work)

    async def ask(self, text: str, body: bytes = b"", source: str = "127.0.0.1") -> Answer:
        """Send one request, whose lines are separated by ``\\n``, on a connection of its own."""
        wire = await self.wire(source)
        wire.send(text.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
        answer = await wire.answer(text.partition(" ")[0])
        wire.writer.close()
        return answer

    async def get(self, path: str = "/health", source: str = "127.0.0.1") -> Answer:
        return await self.ask(f"GET {path} HTTP/1.1\nHost: localhost", source=source)

    async def close(self) -> None:
        for wire in self._wires:
            wire.writer.close()
        for wire in self._wires:
            await asyncio.gather(wire.writer.wait_closed(), return_exceptions=True)


@asynccontextmanager
async def door(
    limit: int = 64,
    app: Any = None,
    options: HttpOptions | None = None,
    media: MediaPort | None = None,
    tls: ssl.SSLContext | None = None,
    lingering: int = LINGERING_LIMIT,
    patient: bool = False,
) -> AsyncIterator[Door]:
    """`app` takes the place of the runtime's own. `patient`: a connection's deadlines pass only where the
    test moves `Door.patience`. Raises when the server does not leave in time."""
    loop = asyncio.get_running_loop()
    clock = LeapingClock()
    patience = VirtualClock() if patient else clock
    connections = Connections(limit, patience, lingering)
    async with serve(Painter, options=options, clock=clock) as memory:
        own: Any = memory.http._transport
        sockets = bind("127.0.0.1", 0)
        for sock in sockets:
            sock.make_room = connections.make_room
        server = Server(uvicorn_config(app or own.app, connections, media, tls))
        leave_accept_failures_to_listeners(loop)
        serving = loop.create_task(server.serve(sockets=list[socket.socket](sockets)))
        door = Door(sockets[0].getsockname()[1], connections, memory, sockets[0], clock, patience)
        try:
            await door.until(lambda: server.started)
            yield door
        finally:
            memory.worker.close_streams()
            server.leave()
            async with asyncio.timeout(5):
                await serving
            await door.close()
            for sock in sockets:
                sock.close()
