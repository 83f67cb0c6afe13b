"""One slot, on whichever machine Ray puts it: it runs the slot's worker and says what comes of it.

Ray makes an actor of this class. Control passes here and nothing else: requests of clients go to the worker's
own address, and media past both. When this process ends, however it does, the kernel ends the worker.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence

from reactor_runtime.fleet.engine import Event, to_json
from reactor_runtime.fleet.hosting import Ended, Hosting
from reactor_runtime.fleet.records import Lease
from reactor_runtime.project import environment

from .news import News, Piece

THREADS = "OMP_NUM_THREADS"
"""Ray sets it to 1 in its actors, which would slow a model down; only the operator's counts."""


class SlotActor:
    """Its methods run on the one event loop that Ray gives an actor."""

    def __init__(self, arguments: Sequence[str], variables: Mapping[str, str], gateway: str) -> None:
        """`arguments` follow the interpreter of this machine; `gateway` is where requests come from."""
        self._arguments = list(arguments)
        self._variables = dict(variables)
        self._gateway = gateway
        self._made: Hosting | None = None

    async def start(self, name: str) -> int:
        """Start a worker that listens at this node's address; returns its process id. Raises `OSError`."""
        return await self._hosting().start(name)

    async def stop(self, name: str, at_once: bool) -> None:
        if self._made is not None:
            self._made.stop(name, at_once=at_once)

    async def grant(self, lease: Lease) -> None:
        if self._made is not None:
            self._made.grant(lease)

    async def revoke(self, name: str, epoch: int, reason: str) -> None:
        if self._made is not None:
            self._made.revoke(name, epoch, reason)

    async def news(self, seen: int) -> list[Piece] | None:
        """None where nothing was ever started: Ray has made this actor anew, and its worker is gone."""
        return None if self._made is None else await self._news.after(seen)

    async def pid(self) -> int:
        """Of this process itself, for those who look for it."""
        return os.getpid()

    async def close(self, within: float) -> None:
        if self._made is not None:
            await self._made.close(within)

    def _hosting(self) -> Hosting:
        """Made where the loop runs."""
        if self._made is None:
            import ray

            address = ray.util.get_node_ip_address()
            self._news = News()
            self._loop = asyncio.get_running_loop()
            variables = {**environment.inherited(), **self._variables}
            if THREADS not in self._variables:
                variables.pop(THREADS, None)
            self._made = Hosting(
                [sys.executable, *self._arguments],
                self._tell,
                self._ended,
                host=address,
                proxies=self._gateway,
                variables=variables,
                on_line=self._line,
            )
        return self._made

    def _tell(self, event: Event) -> None:
        self._news.put(event=to_json(event))

    def _ended(self, ended: Ended) -> None:
        self._news.put(ended=ended.name, by_itself=ended.by_itself, lines=list(ended.lines))

    def _line(self, name: str, text: str) -> None:
        """On a thread that reads a worker's log."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.line, name, text)
