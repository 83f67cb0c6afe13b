"""uvicorn behind our acceptor: how a worker and a gateway serve."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import uvicorn

from .acceptor import acceptor
from .asgi import App
from .connections import Connections
from .listening import ACCEPTS_AT_A_TIME
from .splice import MediaPort

DATE_S = 1.0
"""How often the date that answers have is set."""


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: ours let a session end first; `leave` ends it.

    It is told when to leave, where uvicorn looks ten times a second whether it should.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._left = asyncio.Event()

    def leave(self) -> None:
        """Take no more connections and answer what was asked. On the event loop."""
        self.should_exit = True
        self._left.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # which sets the date that answers have
            with suppress(TimeoutError):
                async with asyncio.timeout(DATE_S):
                    await self._left.wait()


def uvicorn_config(
    app: App,
    connections: Connections,
    media: MediaPort | None = None,
    tls: ssl.SSLContext | None = None,
) -> uvicorn.Config:
    return uvicorn.Config(
        cast("Any", app),  # uvicorn spells ASGI's types out
        http=acceptor(connections, media, tls),
        backlog=ACCEPTS_AT_A_TIME,
        proxy_headers=False,  # `Entrance` reads them: one place knows whose word is taken
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=2,
    )
