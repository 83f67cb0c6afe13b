"""`LocalEngine`: a worker is a `reactor run` process of this machine. Nothing has to be installed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from reactor_runtime.clock import WALL

from .engine import Event, Failing, NoRoom
from .hosting import STOP_S, Ended, Hosting
from .processes import to_stderr
from .readers import Readers
from .records import Lease
from .slots import Slots
from .tasks import Tasks


class LocalEngine:
    """Event loop only. `command` runs a worker that listens on a port of its own."""

    def __init__(
        self,
        command: Sequence[str],
        slots: int,
        gpus: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        on_line: Callable[[str, str], None] = to_stderr,
        clock: Callable[[], float] = WALL.time,
    ) -> None:
        self._slots = Slots(slots, gpus, clock)
        self._readers = Readers()
        self._command, self._variables, self._on_line, self._clock = command, variables, on_line, clock
        self._tasks = Tasks("A worker was not started")
        self.closed = asyncio.Event()
        """No worker is left, and none will be."""
        self._closing = False

    async def open(self) -> None:
        self._hosting = Hosting(
            self._command,
            self._readers.put,
            self._ended,
            variables=self._variables,
            on_line=self._on_line,
            clock=self._clock,
        )

    def start(self) -> None:
        self._tasks.spawn(self._start())

    def stop(self, worker: str, *, at_once: bool = False) -> None:
        self._hosting.stop(worker, at_once=at_once)

    def grant(self, lease: Lease) -> None:
        self._hosting.grant(lease)

    def revoke(self, worker: str, epoch: int, reason: str) -> None:
        self._hosting.revoke(worker, epoch, reason)

    def events(self) -> AsyncGenerator[Event]:
        return self._readers.read(self._hosting.present())

    async def close(self) -> None:
        self._closing = True
        await self._hosting.close(STOP_S)
        self.closed.set()
        await self._tasks.end()

    def kill_all(self) -> None:
        """End everything at once. Also when the loop does not run any more."""
        self._hosting.kill_all()

    async def _start(self) -> None:
        name = None if self._closing else await self._slots.take(lambda: self._hosting.leaving, STOP_S)
        if name is None or self._closing:
            self._readers.put(NoRoom(self._slots.why_no_room()))
            return
        try:
            await self._hosting.start(name, self._slots.of[name].gpu)
        except OSError as error:
            self._slots.give_back(name)
            self._readers.put(NoRoom(f"A worker cannot be started: {error.strerror or error}."))

    def _ended(self, ended: Ended) -> None:
        failing = self._slots.give_back(ended.name, by_itself=ended.by_itself)
        if failing is not None:
            self._readers.put(Failing(failing.name, ended.lines))
