"""HTTP/1.1 requests to workers, streamed both ways. A connection is used again for as long as it is fresh."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Any

import h11

from reactor_runtime.clock import WALL

from .engine import Endpoint

CONNECT_S = 2.0
"""How long a worker may take to accept; one on this machine that is alive accepts at once."""
BLOCK = 64 * 1024
"""Bytes that are read at a time."""
ANSWER_S = 10.0
"""How long a control message may take to be answered."""
ANSWER_LIMIT = 1024 * 1024
"""Bytes of such an answer."""

FRESH_S = 2.0
"""A connection that was idle for longer is not used again: the worker closes it after five."""
IDLE_LIMIT = 16
"""Idle connections to one worker."""

Headers = list[tuple[bytes, bytes]]


class UpstreamError(Exception):
    """The worker does not answer, or not in HTTP."""


class Upstream:
    """Use it once, then `close` it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=BLOCK)
        self._idle_since = 0.0

    @classmethod
    async def open(cls, endpoint: Endpoint) -> Upstream:
        """Raises `UpstreamError`."""
        try:
            async with asyncio.timeout(CONNECT_S):
                return cls(*await asyncio.open_connection(endpoint.host, endpoint.port))
        except (OSError, TimeoutError) as error:
            raise UpstreamError(str(error)) from error

    async def begin(self, method: str, target: bytes, headers: Headers) -> None:
        await self._send(h11.Request(method=method, target=target, headers=headers))

    async def send(self, data: bytes) -> None:
        """A part of the body; empty at its end."""
        await self._send(h11.Data(data=data) if data else h11.EndOfMessage())

    async def head(self) -> h11.Response:
        """The status and the headers. Raises `UpstreamError`."""
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise UpstreamError("it closed the connection")

    async def parts(self) -> AsyncGenerator[bytes]:
        """The body as it comes. Raises `UpstreamError` when it ends too early."""
        while True:
            event = await self._next()
            if isinstance(event, h11.EndOfMessage):
                return
            if not isinstance(event, h11.Data):
                raise UpstreamError("it closed the connection")
            yield bytes(event.data)

    def close(self) -> None:
        self._writer.close()

    @property
    def fresh(self) -> bool:
        """Whether the next request may go out on it."""
        young = WALL.time() - self._idle_since < FRESH_S
        return young and not self._reader.at_eof() and not self._writer.is_closing()

    def done(self) -> bool:
        """The request is answered; says whether another one may follow."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        self._idle_since = WALL.time()
        return True

    async def _send(self, event: Any) -> None:
        try:
            data = self._http.send(event)
            if data:
                self._writer.write(data)
                await self._writer.drain()
        except (OSError, h11.LocalProtocolError) as error:
            raise UpstreamError(str(error)) from error

    async def _next(self) -> Any:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(BLOCK))
        except (OSError, h11.RemoteProtocolError) as error:
            raise UpstreamError(str(error)) from error
        return event


class Pool:
    """Idle connections, by worker. Event loop only."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int], list[Upstream]] = {}

    async def take(self, endpoint: Endpoint) -> Upstream:
        """The one that was used last, or a new one. Raises `UpstreamError`."""
        idle = self._idle.get((endpoint.host, endpoint.port), [])
        while idle:
            if (found := idle.pop()).fresh:
                return found
            found.close()
        return await Upstream.open(endpoint)

    def give(self, endpoint: Endpoint, upstream: Upstream) -> None:
        """It is kept when its answer was read to the end, and closed if not."""
        idle = self._idle.setdefault((endpoint.host, endpoint.port), [])
        if upstream.done() and len(idle) < IDLE_LIMIT:
            idle.append(upstream)
        else:
            upstream.close()
        if not idle:
            del self._idle[endpoint.host, endpoint.port]

    def forget(self, there: Collection[Endpoint]) -> None:
        """Only these workers are left."""
        kept = {(endpoint.host, endpoint.port) for endpoint in there}
        for key in self._idle.keys() - kept:
            for upstream in self._idle.pop(key):
                upstream.close()


def own_headers(endpoint: Endpoint, length: int | None = None) -> Headers:
    """Of a request that the fleet itself makes."""
    host = f"{endpoint.host}:{endpoint.port}".encode()
    headers = [(b"host", host), (b"authorization", b"Bearer " + endpoint.secret.encode())]
    if length is not None:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(length).encode())]
    return headers


async def call(endpoint: Endpoint, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """A message of the fleet to a worker, and its answer. Raises `UpstreamError`, when it is late too."""
    data = b"" if body is None else json.dumps(body).encode()
    upstream = await Upstream.open(endpoint)
    try:
        async with asyncio.timeout(ANSWER_S):
            method = "GET" if body is None else "POST"
            await upstream.begin(method, path.encode(), own_headers(endpoint, len(data) if data else None))
            if data:
                await upstream.send(data)
            await upstream.send(b"")
            head = await upstream.head()
            answer = b""
            async with aclosing(upstream.parts()) as parts:
                async for part in parts:
                    answer += part
                    if len(answer) > ANSWER_LIMIT:
                        raise UpstreamError("its answer is too long")
        return head.status_code, json.loads(answer or b"null")
    except (TimeoutError, ValueError) as error:
        raise UpstreamError("it did not answer in time, or not in JSON") from error
    finally:
        upstream.close()


async def lines(endpoint: Endpoint, path: str) -> AsyncGenerator[dict[str, Any]]:
    """A stream of JSON, one object a line. Raises `UpstreamError` when it ends: it was not to."""
    upstream = await Upstream.open(endpoint)
    try:
        await upstream.begin("GET", path.encode(), own_headers(endpoint))
        await upstream.send(b"")
        head = await upstream.head()
        if head.status_code != 200:
            raise UpstreamError(f"it answered {head.status_code}")
        rest = b""
        async with aclosing(upstream.parts()) as parts:
            async for part in parts:
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    yield json.loads(line)
        raise UpstreamError("its stream ended")
    except ValueError as error:
        raise UpstreamError("it does not speak JSON") from error
    finally:
        upstream.close()
