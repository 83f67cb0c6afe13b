"""A UDP relay that shapes what it forwards. Event loop only."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from .shaper import Impairment, Shaper

Address = tuple[str, int]

PATHS_LIMIT = 32
"""Client addresses one relay serves; packets from further ones are dropped."""


class _Socket(asyncio.DatagramProtocol):
    """Hands every datagram to a function."""

    def __init__(self, received: Callable[[bytes, Address], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._received(data, (addr[0], addr[1]))


class Relay:
    """Stands in front of one UDP port of the engine.

    Each client address gets a socket of its own towards the engine, so that ICE sees as many paths as there
    are.
    """

    def __init__(self, target: Address, impairment: Impairment) -> None:
        self.target = target
        self._impairment = impairment
        self._chance = random.Random()
        self._loop = asyncio.get_running_loop()
        self._front: asyncio.DatagramTransport | None = None
        self._paths: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}
        self._inward: dict[Address, Shaper] = {}
        self._outward: dict[Address, Shaper] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> Address:
        """Listen on a free port of the target's address; returns it."""
        front, _ = await self._loop.create_datagram_endpoint(
            lambda: _Socket(self._from_client), local_addr=(self.target[0], 0)
        )
        self._front = front
        host, port = front.get_extra_info("sockname")[:2]
        return host, port

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._front is not None:
            self._front.close()
        for path in self._paths.values():
            if path.done() and not path.cancelled() and path.exception() is None:
                path.result().close()
            else:
                path.cancel()
        self._paths.clear()

    def _from_client(self, data: bytes, client: Address) -> None:
        if client not in self._paths:
            if len(self._paths) >= PATHS_LIMIT:
                return
            self._paths[client] = asyncio.ensure_future(self._open_path(client))
            self._inward[client] = Shaper(self._impairment, self._chance)
            self._outward[client] = Shaper(self._impairment, self._chance)
        arrival = self._inward[client].arrival(self._loop.time(), len(data))
        if arrival is not None:
            self._loop.call_at(arrival, self._to_engine, data, client)

    def _to_engine(self, data: bytes, client: Address) -> None:
        path = self._paths.get(client)
        if path is None:
            return
        if not path.done():
            path.add_done_callback(lambda _: self._to_engine(data, client))
        elif not path.cancelled() and path.exception() is None:
            path.result().sendto(data)

    async def _open_path(self, client: Address) -> asyncio.DatagramTransport:
        transport, _ = await self._loop.create_datagram_endpoint(
            lambda: _Socket(lambda data, _: self._from_engine(data, client)),
            local_addr=(self.target[0], 0),
            remote_addr=self.target,
        )
        return transport

    def _from_engine(self, data: bytes, client: Address) -> None:
        arrival = self._outward[client].arrival(self._loop.time(), len(data))
        if arrival is not None:
            self._loop.call_at(arrival, self._to_client, data, client)

    def _to_client(self, data: bytes, client: Address) -> None:
        if self._front is not None and not self._front.is_closing():
            self._front.sendto(data, client)
