"""The broker with the world around it: an engine, a store and a clock. Event loop only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace

from reactor_runtime.clock import WALL
from reactor_runtime.errors import FleetError

from . import engine as events
from .alarm import Alarm
from .broker import Broker
from .effects import Effect, Grant, Retire, Revoke, ScaleUp, Told
from .engine import Endpoint, Engine
from .figures import Figures
from .limits import FleetLimits
from .records import Place, Ticket, TicketState
from .saving import Saving
from .stores import Store

log = logging.getLogger(__name__)

PRESENT_S = 10.0
"""How long the engine may take to say which workers there are; it does so at once."""
TAKEN_WITHIN_S = 10.0
"""How long a worker may take to begin the session of a grant."""
SLEPT_S = 2.0
"""A deadline that is met so much too late was missed by this process, not by those whom it is about."""
LOOK_S = 1.0
"""How often a stream looks whether its place has changed, when nobody says so."""
ENDED_LIMIT = 1024
"""Addresses of which is known how their last session ended; the least recent is forgotten."""
AT_ONCE = frozenset({"silent", "refused"})
"""Why a worker is ended without being asked: it does not listen."""


@dataclass
class Serving:
    """A session that runs."""

    session: str
    worker: str
    endpoint: Endpoint
    ticket: str
    address: str
    ends_at: float | None
    """In seconds of the fleet's clock; None without a cap."""


class Fleet:
    def __init__(
        self,
        engine: Engine,
        store: Store,
        limits: FleetLimits,
        clock: Callable[[], float] = WALL.time,
    ) -> None:
        self.engine = engine
        self.broker = Broker(limits)
        self.figures = Figures(self)
        self.serving: dict[str, Serving] = {}
        """By session id."""
        self.ended: dict[str, dict[str, str]] = {}
        """By address, how its last session ended."""
        self.endpoints: dict[str, Endpoint] = {}
        """Of the workers that have loaded."""
        self.pids: dict[str, int] = {}
        self.failing: dict[str, tuple[str, ...]] = {}
        """Slots that are not started for a while, and what was said there last."""
        self.model = ""
        """The model's name, once a worker has said it."""
        self.broken = asyncio.Event()
        """The engine is gone, or we do not understand it: whoever runs the fleet ends, and begins anew."""
        self.clock = clock
        self._changed: dict[str, asyncio.Event] = {}
        """By ticket, while somebody waits for it."""
        self._alarm = Alarm(clock, self._tick)
        self._present = asyncio.Event()
        """The engine has told all that was there."""
        self._saving = Saving(store, self.broker)
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Take over what the store remembers, and what the workers say."""
        epoch, tickets = await self._saving.load()
        self.broker.epoch = epoch
        for ticket in tickets:
            self.broker.restore(ticket, self.clock())
        await self.engine.open()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._listen()), loop.create_task(self._saving.run())]
        for task in self._tasks:
            task.add_done_callback(self._done)

    async def knows_its_workers(self, within: float = PRESENT_S) -> bool:
        """Wait for what the engine says of them: before that, no session that runs would be found."""
        try:
            async with asyncio.timeout(within):
                return await self._present.wait()
        except TimeoutError:
            log.warning("The engine has not said within %g s which workers there are", within)
            return False

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._alarm.cancel()
        await self._saving.close()

    # --- users ---

    def join(self, ticket_id: str, user: str, address: str) -> Ticket:
        """Raises `FleetError`."""
        ticket, effects = self.broker.join(ticket_id, user, address, self.clock())
        self.carry_out(effects)
        return ticket

    def place(self, ticket_id: str) -> Place:
        """Raises `FleetError`."""
        self.broker.seen(ticket_id, self.clock())
        return self.broker.place(ticket_id, self.clock())

    async def claim(self, ticket_id: str, seed: int | None = None) -> Serving:
        """Take the slot that is offered, and wait until its session has begun. Raises `FleetError`."""
        ticket = self.broker.tickets.get(ticket_id)
        waited = self.clock() - ticket.joined if ticket and ticket.state is TicketState.OFFERED else None
        _, effects = self.broker.claim(ticket_id, self.clock())
        # What a session is like is nothing that the broker decides by.
        self.carry_out([Grant(replace(e.lease, seed=seed)) if isinstance(e, Grant) else e for e in effects])
        if waited is not None:
            self.figures.granted(waited)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TAKEN_WITHIN_S), aclosing(self.changes(ticket_id)) as changes:
                async for place in changes:
                    if (found := self.serving_of(ticket_id)) is not None:
                        return found
                    if place.state is not TicketState.CLAIMED:
                        break
        raise FleetError("worker_lost", "The worker failed before the session began; you are next.")

    def cancel(self, ticket_id: str) -> None:
        """Raises `FleetError`."""
        self.carry_out(self.broker.cancel(ticket_id, self.clock()))

    def serving_of(self, ticket_id: str) -> Serving | None:
        return next((s for s in self.serving.values() if s.ticket == ticket_id), None)

    async def changes(self, ticket_id: str) -> AsyncGenerator[Place]:
        """The place of a ticket, now and when it may be another one. Raises `FleetError`, once forgotten."""
        with self.watching(ticket_id):
            while True:
                changed = self._changed.setdefault(ticket_id, asyncio.Event())
                yield self.broker.place(ticket_id, self.clock())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await changed.wait()

    @contextlib.contextmanager
    def watching(self, ticket_id: str) -> Iterator[None]:
        """While this lasts, the holder of the ticket is there."""
        self.broker.watch(ticket_id, 1, self.clock())
        try:
            yield
        finally:
            self.broker.watch(ticket_id, -1, self.clock())
            self._changed.pop(ticket_id, None)  # who else watches looks again within a second
            self._schedule()

    # --- effects ---

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Grant(lease):
                    self.engine.grant(lease)
                case Revoke(worker, epoch, reason):
                    self.engine.revoke(worker, epoch, reason)
                case Told(ticket):
                    if (waiting := self._changed.pop(ticket, None)) is not None:
                        waiting.set()
                case ScaleUp():
                    self.engine.start()
                case Retire(worker, reason):
                    log.info("Worker %s is retired: %s", worker, reason)
                    self._forget(worker)
                    self.engine.stop(worker, at_once=reason in AT_ONCE)
        self._saving.look()
        self._schedule()

    def _forget(self, worker: str) -> None:
        self.endpoints.pop(worker, None)
        self.pids.pop(worker, None)
        self._end_session(worker)

    def _end_session(self, worker: str, end: dict[str, str] | None = None) -> None:
        for serving in [s for s in self.serving.values() if s.worker == worker]:
            del self.serving[serving.session]
            self.ended.pop(serving.address, None)
            self.ended[serving.address] = end or {"reason": "error", "message": "The worker failed."}
            if len(self.ended) > ENDED_LIMIT:
                del self.ended[next(iter(self.ended))]

    # --- the engine's events ---

    async def _listen(self) -> None:
        async with aclosing(self.engine.events()) as stream:
            async for event in stream:
                self.hear(event)
        log.info("The engine is gone")

    def hear(self, event: events.Event) -> None:
        """What an engine says, for the broker."""
        now, broker = self.clock(), self.broker
        effects: list[Effect] = []
        match event:
            case events.Started(worker, pid):
                self.pids[worker] = pid
                effects = broker.worker_starting(worker, now)
            case events.NoRoom():
                effects = broker.scale_failed(now)
            case events.Announced():
                effects = self._announced(event, now)
            case events.Heard(worker):
                broker.heard(worker, now)
            case events.Taken(worker, epoch, session):
                effects = broker.taken(worker, epoch, session, now)
                self._serve(worker, session, now)
            case events.Refused(worker, epoch, reason):
                effects = self._refused(worker, epoch, reason, now)
            case events.Freed():
                effects = self._freed(event, now)
            case events.Lost(worker, reason):
                effects = self._lost(worker, reason, now)
            case events.Failing(slot, lines):
                self.failing[slot] = lines
            case events.Present():
                self._present.set()
                limits = broker.limits
                effects = broker.scale(limits.workers_min, limits.workers_max, now)
        self.carry_out(effects)

    def _announced(self, event: events.Announced, now: float) -> list[Effect]:
        self.endpoints[event.worker] = event.endpoint
        self.model = event.model or self.model
        self.pids[event.worker] = event.pid or self.pids.get(event.worker, 0)
        self.failing.pop(event.worker.partition("-")[0], None)
        effects = self.broker.worker_announced(event.worker, now, event.epoch, event.ticket, event.session)
        if event.session:
            ends_at = now + event.left if event.left else None
            self.serving[event.session] = Serving(
                event.session, event.worker, event.endpoint, event.ticket, event.address, ends_at
            )
        return effects

    def _serve(self, worker_id: str, session: str, now: float) -> None:
        worker, endpoint = self.broker.workers.get(worker_id), self.endpoints.get(worker_id)
        if worker is None or endpoint is None or worker.session != session:
            return
        ticket = self.broker.tickets.get(worker.ticket)
        cap = self.broker.limits.session_cap
        self.serving[session] = Serving(
            session,
            worker_id,
            endpoint,
            worker.ticket,
            ticket.address if ticket else "",
            now + cap if cap else None,
        )

    def _freed(self, event: events.Freed, now: float) -> list[Effect]:
        """One that is about an older lease says nothing of the session that runs by now."""
        worker = self.broker.workers.get(event.worker)
        if worker is None or worker.epoch != event.epoch:
            return []
        self._end_session(event.worker, {"reason": event.reason, "message": event.message})
        return self.broker.freed(event.worker, event.epoch, now)

    def _refused(self, worker_id: str, epoch: int, reason: str, now: float) -> list[Effect]:
        """A worker that does not take what is its turn is not what we think: it is started anew."""
        worker = self.broker.workers.get(worker_id)
        if worker is None or worker.epoch != epoch:
            return []
        log.error("Worker %s refused lease %d: %s", worker_id, epoch, reason)
        return self.broker.worker_lost(worker_id, "refused", now)

    def _lost(self, worker_id: str, reason: str, now: float) -> list[Effect]:
        if worker_id in self.broker.workers:
            log.warning("Worker %s is lost: %s", worker_id, reason)
            self.figures.lost(reason)
        self._forget(worker_id)
        return self.broker.worker_lost(worker_id, reason, now)

    # --- time ---

    def _schedule(self) -> None:
        self._alarm.set(self.broker.deadline() if self._present.is_set() else None)

    def _tick(self, late: float) -> None:
        now = self.clock()
        if late > SLEPT_S:
            log.warning("This process stood still for %.1f s; nobody is given up for that", late)
            self.broker.slept(now)
        self.carry_out(self.broker.tick(now))

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            if (error := task.exception()) is not None:
                log.critical("The fleet stands still: %s", error, exc_info=error)
            self.broken.set()
