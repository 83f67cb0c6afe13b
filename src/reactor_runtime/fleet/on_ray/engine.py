"""`RayEngine`: every slot is an actor of Ray, which runs its worker as a process of its own.

Ray says where, counts GPUs, and makes an actor anew whose machine has gone; who gets which worker is the
broker's to say, as everywhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reactor_runtime.clock import WALL
from reactor_runtime.fleet.engine import Event, Failing, Lost, NoRoom, Refused, Started, from_json
from reactor_runtime.fleet.hosting import STOP_S
from reactor_runtime.fleet.known import Known
from reactor_runtime.fleet.processes import to_stderr
from reactor_runtime.fleet.readers import Readers
from reactor_runtime.fleet.records import Lease
from reactor_runtime.fleet.slots import Slots
from reactor_runtime.fleet.tasks import Tasks
from reactor_runtime.process.job_thread import JobThread
from reactor_runtime.project import environment

from .cluster import Actor, Cluster
from .news import WAIT_S

log = logging.getLogger(__name__)

PLACED_S = 60.0
"""How long Ray may look for a place. Then there is no room for now; Ray goes on looking."""
STARTED_S = 30.0
"""How long an actor that is there may take to fork its worker."""
ANSWER_S = 5.0
"""How long an actor may take to be told something. One that is deaf is ended."""


@dataclass
class Berth:
    """The actor of a slot. It lives as long as the slot is wanted, so that nobody else gets the GPU."""

    actor: Actor
    seen: int = 0
    """The last piece of its news."""


@dataclass
class Placed:
    """A worker in its berth."""

    known: Known
    berth: Berth
    asked_to_stop: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Ray keeps no order among the calls of an actor that has a loop: one waits for the last."""


class RayEngine:
    """Event loop only. `command` runs a worker; its interpreter is that of the machine where it runs."""

    def __init__(
        self,
        command: Sequence[str],
        slots: int,
        cluster: Cluster,
        on_line: Callable[[str, str], None] = to_stderr,
        clock: Callable[[], float] = WALL.time,
        placed_within: float = PLACED_S,
    ) -> None:
        self._arguments = command[1:]
        self._variables = environment.of_workers()
        self._cluster = cluster
        self._slots = Slots(slots, (), clock)
        self._on_line = on_line
        self._clock = clock
        self._placed_within = placed_within
        self._readers = Readers()
        self._berths: dict[int, Berth] = {}
        """By the number of a slot."""
        self._workers: dict[str, Placed] = {}
        self._tasks = Tasks("What was told to a worker, or heard of it, failed")
        # What Ray starts here ends with the thread that started it: this one lives as long as we do.
        self._thread = JobThread("reactor-ray")
        self.closed = asyncio.Event()
        """No worker is left, and none will be."""
        self._closing = False

    async def open(self) -> None:
        await asyncio.wrap_future(self._thread.submit(self._cluster.join))

    def start(self) -> None:
        self._tasks.spawn(self._start())

    def stop(self, worker: str, *, at_once: bool = False) -> None:
        placed = self._workers.get(worker)
        if placed is None:
            return
        # One that went by itself did not go because it is told to.
        placed.asked_to_stop = placed.asked_to_stop or not placed.known.lost
        self._tasks.spawn(self._stop(placed, at_once))

    def grant(self, lease: Lease) -> None:
        placed = self._workers.get(lease.worker)
        if placed is None or placed.known.lost:
            # Nothing more that a lost one says is passed on: its answer would not come.
            self._readers.put(Refused(lease.worker, lease.epoch, "unknown_worker"))
            return
        placed.known.granted(lease)
        self._tasks.spawn(self._grant(placed, lease))

    def revoke(self, worker: str, epoch: int, reason: str) -> None:
        placed = self._workers.get(worker)
        if placed is not None:
            self._tasks.spawn(self._revoke(placed, epoch, reason))

    def events(self) -> AsyncGenerator[Event]:
        there = [placed.known for placed in self._workers.values() if not placed.known.lost]
        return self._readers.read([known.present(self._clock()) for known in there])

    async def close(self) -> None:
        self._closing = True
        for placed in list(self._workers.values()):
            placed.asked_to_stop = True
            self._tasks.spawn(self._stop(placed, at_once=False))
        try:
            async with asyncio.timeout(STOP_S + ANSWER_S):
                await self._slots.until(lambda: not self._workers)
        except TimeoutError:
            log.warning("Workers of Ray do not end, and are ended: %s", ", ".join(self._workers))
        self.kill_all()
        self.closed.set()
        await self._tasks.end()
        await asyncio.wrap_future(self._thread.submit(self._cluster.leave))
        await asyncio.get_running_loop().run_in_executor(None, self._thread.close)

    def kill_all(self) -> None:
        """End every actor at once, and so its worker. Also when the loop does not run any more."""
        for berth in self._berths.values():
            self._cluster.kill(berth.actor)
        self._berths.clear()

    # --- inside: from a start to an end ---

    async def _start(self) -> None:
        name = None if self._closing else await self._slots.take(self._leaving, STOP_S)
        if name is None or self._closing:
            self._readers.put(NoRoom(self._slots.why_no_room()))
            return
        number = self._slots.of[name].number
        berth = self._berths.get(number)
        if berth is None:
            actor = self._cluster.actor(f"w{number}", self._arguments, self._variables)
            berth = self._berths[number] = Berth(actor)
        problem = await self._place(name, berth)
        if problem:
            self._slots.give_back(name)
            self._readers.put(NoRoom(problem))

    async def _place(self, name: str, berth: Berth) -> str:
        """Start the worker where Ray has put its actor; returns why that cannot be."""
        try:
            async with asyncio.timeout(self._placed_within):
                await self._until_there(berth)
        except TimeoutError:
            # A worker that was asked for now would come when nobody expects it: only a place is waited for.
            return "Ray has no room for an actor with a GPU"
        try:
            async with asyncio.timeout(STARTED_S):
                pid = await berth.actor.start.remote(name)
        except self._cluster.errors as error:
            self._release(berth)
            return f"A worker cannot be started: {_first_line(error)}"
        placed = self._workers[name] = Placed(Known(name, pid), berth)
        self._readers.put(Started(name, pid))
        self._tasks.spawn(self._follow(placed))
        return ""

    async def _until_there(self, berth: Berth) -> None:
        """An actor that is made anew answers when it is there."""
        while True:
            try:
                await berth.actor.pid.remote()
            except self._cluster.errors as error:
                log.debug("An actor is not there yet: %s", _first_line(error))
                await asyncio.sleep(0.2)
            else:
                return

    async def _follow(self, placed: Placed) -> None:
        """What the actor says, until its worker or itself is gone."""
        berth, name = placed.berth, placed.known.name
        while name in self._workers:
            try:
                async with asyncio.timeout(WAIT_S + ANSWER_S):
                    pieces = await berth.actor.news.remote(berth.seen)
            except TimeoutError:
                continue  # the broker hears no heartbeat meanwhile, and says what is to be done
            except self._cluster.errors as error:
                log.warning("The actor of worker %s is gone: %s", name, _first_line(error))
                pieces = None
            if pieces is None:
                self._gone(placed, "its actor or its machine is gone")
                return
            for number, piece in pieces:
                berth.seen = max(berth.seen, number)
                self._hear(placed, piece)

    def _hear(self, placed: Placed, piece: dict[str, Any]) -> None:
        match piece:
            case {"event": said}:
                event = from_json(said)
                # When its worker was started was said here.
                if not placed.known.lost and not isinstance(event, Started):
                    placed.known.lost = isinstance(event, Lost)
                    placed.known.hear(event, self._clock())
                    self._readers.put(event)
            case {"line": text, "worker": name}:
                self._on_line(name, text)
            case {"dropped": count}:
                log.warning("%d lines of the log of worker %s were dropped", count, placed.known.name)
            case {"ended": _, "by_itself": by_itself, "lines": lines}:
                self._ended(placed, by_itself and not placed.asked_to_stop, lines)

    def _ended(self, placed: Placed, by_itself: bool, lines: Sequence[str]) -> None:
        name = placed.known.name
        if self._workers.pop(name, None) is None:
            return
        failing = self._slots.give_back(name, by_itself=by_itself)
        if failing is not None:
            self._readers.put(Failing(failing.name, tuple(lines)))
        if failing is not None or not by_itself:
            self._release(placed.berth)

    def _gone(self, placed: Placed, reason: str) -> None:
        """A worker went with its actor. That is no fault of the model's."""
        name = placed.known.name
        placed.berth.seen = 0
        if self._workers.pop(name, None) is None:
            return
        if not placed.known.lost:
            placed.known.lost = True
            self._readers.put(Lost(name, "stopped" if placed.asked_to_stop else reason))
        self._slots.give_back(name)

    def _release(self, berth: Berth) -> None:
        """Nobody needs the place for now: whoever asks Ray may have it."""
        for number in [number for number, known in self._berths.items() if known is berth]:
            del self._berths[number]
            self._cluster.kill(berth.actor)

    # --- inside: messages ---

    async def _stop(self, placed: Placed, at_once: bool) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await placed.berth.actor.stop.remote(placed.known.name, at_once)
        except self._cluster.errors:
            log.warning("The actor of worker %s does not answer and is ended", placed.known.name)
            self._release(placed.berth)
            self._gone(placed, "stopped")

    async def _grant(self, placed: Placed, lease: Lease) -> None:
        try:
            async with placed.turn, asyncio.timeout(ANSWER_S):
                await placed.berth.actor.grant.remote(lease)
        except self._cluster.errors as error:
            refused = Refused(lease.worker, lease.epoch, f"unreachable: {_first_line(error)}")
            placed.known.hear(refused, self._clock())
            self._readers.put(refused)

    async def _revoke(self, placed: Placed, epoch: int, reason: str) -> None:
        name = placed.known.name
        try:
            async with placed.turn, asyncio.timeout(ANSWER_S):
                await placed.berth.actor.revoke.remote(name, epoch, reason)
        except self._cluster.errors as error:
            log.warning("Worker %s was not told to end its session: %s", name, _first_line(error))

    def _leaving(self) -> bool:
        return any(placed.asked_to_stop or placed.known.lost for placed in self._workers.values())


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
