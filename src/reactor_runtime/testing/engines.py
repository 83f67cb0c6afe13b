"""What every engine of a fleet does, as a suite; and an engine of memory, for tests of what stands above one.

::

    @pytest.mark.parametrize("case", ENGINE_CASES, ids=lambda case: case.__name__)
    def test_my_engine(case):
        asyncio.run(check_engine(case, MyRig))
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from reactor_runtime.fleet.engine import (
    Announced,
    Endpoint,
    Engine,
    Event,
    Freed,
    Heard,
    Lost,
    NoRoom,
    Present,
    Refused,
    Started,
    Taken,
)
from reactor_runtime.fleet.readers import Readers
from reactor_runtime.fleet.records import Lease

WITHIN_S = 30.0
"""How long a case waits for one event: workers may load something."""

SEEN = 10
"""A worker may have refused leases with so much higher a number than the newest that it took."""

E = TypeVar("E", bound=Event)


class EngineRig(Protocol):
    """One engine with two slots, for one case."""

    engine: Engine

    def crash(self, worker: str) -> None:
        """End a worker as a fault would."""
        ...


class Told:
    """Reads the events of an engine, and finds those that a case waits for."""

    def __init__(self, engine: Engine) -> None:
        self.events: list[Event] = []
        self._stream = engine.events()
        self._idle: list[Announced] = []

    async def next(self, kind: type[E], where: Callable[[E], bool] = lambda event: True) -> E:
        """The next event of a kind; those before it are passed over. Raises `TimeoutError`."""
        async with asyncio.timeout(WITHIN_S):
            async for event in self._stream:
                self.events.append(event)
                if isinstance(event, kind) and where(event):
                    return event
        raise AssertionError("the events ended")

    async def worker(self, engine: Engine) -> Announced:
        """Start one and wait until it is there."""
        engine.start()
        started = await self.next(Started)
        return await self.next(Announced, lambda event: event.worker == started.worker)

    async def idle(self, engine: Engine) -> Announced:
        """One that was there before and serves nobody; a new one where there is none."""
        if not any(isinstance(event, Present) for event in self.events):
            await self.next(Present)
            there = [event for event in self.events if isinstance(event, Announced)]
            self._idle = [event for event in there if not event.session]
        return self._idle.pop(0) if self._idle else await self.worker(engine)

    async def close(self) -> None:
        await self._stream.aclose()


async def a_worker_is_announced_and_heard(rig: EngineRig, told: Told) -> None:
    await told.next(Present)
    assert told.events == [Present()]
    worker = await told.worker(rig.engine)
    assert (worker.epoch, worker.session) == (0, "")
    await told.next(Heard, lambda event: event.worker == worker.worker)


async def a_lease_is_taken_revoked_and_freed(rig: EngineRig, told: Told) -> None:
    worker, seen = _named(await told.idle(rig.engine))
    rig.engine.grant(Lease(worker, seen + 3, "ticket"))
    taken = await told.next(Taken)
    assert (taken.worker, taken.epoch, bool(taken.session)) == (worker, seen + 3, True)
    rig.engine.revoke(worker, seen + 2, "an older one")
    rig.engine.revoke(worker, seen + 3, "kicked")
    assert await told.next(Freed) == Freed(worker, seen + 3)
    rig.engine.grant(Lease(worker, seen + 4, "ticket"))
    assert (await told.next(Taken)).session != taken.session


async def no_grant_is_taken_that_is_older_than_the_newest(rig: EngineRig, told: Told) -> None:
    worker, seen = _named(await told.idle(rig.engine))
    rig.engine.grant(Lease(worker, seen + 5, "ticket"))
    await told.next(Taken)
    rig.engine.grant(Lease(worker, seen + 5, "ticket"))
    rig.engine.grant(Lease(worker, seen + 4, "another"))
    rig.engine.grant(Lease(worker, seen + 6, "while it is busy"))
    refused = [(await told.next(Refused)).epoch - seen for _ in range(3)]
    assert refused == [5, 4, 6]
    assert not [event for event in told.events if isinstance(event, Freed)]


async def a_lease_ends_by_itself_at_its_deadline(rig: EngineRig, told: Told) -> None:
    worker, seen = _named(await told.idle(rig.engine))
    rig.engine.grant(Lease(worker, seen + 1, "ticket", seconds=0.3))
    await told.next(Taken)
    assert await told.next(Freed) == Freed(worker, seen + 1)


async def a_worker_that_is_stopped_is_lost_once(rig: EngineRig, told: Told) -> None:
    worker, _ = _named(await told.idle(rig.engine))
    rig.engine.stop("nobody")
    rig.engine.stop(worker)
    rig.engine.stop(worker, at_once=True)
    assert (await told.next(Lost)).worker == worker
    other = await told.worker(rig.engine)
    assert other.worker != worker
    assert sum(isinstance(event, Lost) for event in told.events) == 1


async def a_worker_that_crashes_is_lost_and_makes_room(rig: EngineRig, told: Told) -> None:
    (first, seen), (second, _) = [_named(await told.idle(rig.engine)) for _ in range(2)]
    rig.engine.grant(Lease(first, seen + 1, "ticket"))
    await told.next(Taken)
    rig.crash(first)
    assert (await told.next(Lost)).worker == first
    rig.engine.grant(Lease(first, seen + 2, "too late"))
    assert (await told.next(Refused)).epoch == seen + 2
    assert (await told.worker(rig.engine)).worker not in (first, second)


async def there_are_no_more_workers_than_slots(rig: EngineRig, told: Told) -> None:
    for _ in range(2):
        await told.idle(rig.engine)
    rig.engine.start()
    assert isinstance(await told.next(NoRoom), NoRoom)


async def a_new_reader_is_told_what_there_is(rig: EngineRig, told: Told) -> None:
    (busy, seen), (free, seen_by_free) = [_named(await told.idle(rig.engine)) for _ in range(2)]
    rig.engine.grant(Lease(busy, seen + 7, "ticket", seconds=600.0, address="here"))
    taken = await told.next(Taken)
    await told.close()
    again = Told(rig.engine)
    await again.next(Present)
    there = {event.worker: event for event in again.events if isinstance(event, Announced)}
    assert there.keys() == {busy, free}
    lease = there[busy]
    told_of = (lease.epoch - seen, lease.ticket, lease.session, lease.address)
    assert told_of == (7, "ticket", taken.session, "here")
    assert 0 < lease.left <= 600
    assert (there[free].epoch, there[free].session) == (seen_by_free - SEEN, "")
    rig.engine.revoke(busy, seen + 7, "kicked")
    assert await again.next(Freed) == Freed(busy, seen + 7)
    await again.close()


def _named(worker: Announced) -> tuple[str, int]:
    """Its name, and a number that is no less than that of any lease it saw."""
    return worker.worker, worker.epoch + SEEN


Case = Callable[[EngineRig, Told], Awaitable[None]]
ENGINE_CASES: tuple[Case, ...] = (
    a_worker_is_announced_and_heard,
    a_lease_is_taken_revoked_and_freed,
    no_grant_is_taken_that_is_older_than_the_newest,
    a_lease_ends_by_itself_at_its_deadline,
    a_worker_that_is_stopped_is_lost_once,
    a_worker_that_crashes_is_lost_and_makes_room,
    there_are_no_more_workers_than_slots,
    a_new_reader_is_told_what_there_is,
)


async def check_engine(case: Case, make: Callable[[], EngineRig]) -> None:
    """Open an engine, run one case of the suite against it, and close it."""
    rig = make()
    await rig.engine.open()
    try:
        await check_case(case, rig)
    finally:
        await rig.engine.close()


async def check_case(case: Case, rig: EngineRig) -> None:
    """Run one case against an engine that is open and stays so: its workers are there for the next one.

    For engines whose workers come slowly. The first of `ENGINE_CASES` wants an engine without workers.
    """
    told = Told(rig.engine)
    try:
        await case(rig, told)
    finally:
        await told.close()
    await _free(rig.engine)


async def _free(engine: Engine) -> None:
    """End every lease, and wait until it is over."""
    told = Told(engine)
    try:
        await told.next(Present)
        there = [event for event in told.events if isinstance(event, Announced)]
        for busy in [event for event in there if event.session]:
            engine.revoke(busy.worker, busy.epoch, "kicked")
            await told.next(Freed, lambda event, of=busy.worker: event.worker == of)  # type: ignore[misc]  # a default binds it
    finally:
        await told.close()


@dataclass
class _FakeWorker:
    name: str
    epoch: int = 0
    lease: Lease | None = None
    sessions: int = 0
    frozen: bool = False

    @property
    def session(self) -> str:
        return f"{self.name}-{self.sessions}" if self.lease else ""


class FakeEngine:
    """Workers of memory that behave as the real ones do, in milliseconds."""

    HEARTBEAT_S = 0.005

    def __init__(self, slots: int = 2, endpoint: Endpoint | None = None) -> None:
        """`endpoint` is what every worker says of itself."""
        self.slots = slots
        self.workers: dict[str, _FakeWorker] = {}
        self._endpoint = endpoint or Endpoint("127.0.0.1", 9)
        self._readers = Readers()
        self._count = 0
        self._beating: asyncio.Task[None] | None = None
        self._timers: list[asyncio.TimerHandle] = []

    async def open(self) -> None:
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    def start(self) -> None:
        if len(self.workers) >= self.slots:
            self._readers.put(NoRoom("every slot is taken"))
            return
        self._count += 1
        worker = _FakeWorker(f"fake{self._count}")
        self.workers[worker.name] = worker
        self._readers.put(Started(worker.name))
        self._readers.put(self._announcement(worker))

    def stop(self, worker: str, *, at_once: bool = False) -> None:
        if self.workers.pop(worker, None) is not None:
            self._readers.put(Lost(worker, "stopped"))

    def crash(self, worker: str) -> None:
        del self.workers[worker]
        self._readers.put(Lost(worker, "ended with status -9"))

    def grant(self, lease: Lease) -> None:
        worker = self.workers.get(lease.worker)
        if worker is None or worker.lease is not None or lease.epoch <= worker.epoch:
            self._readers.put(Refused(lease.worker, lease.epoch, "stale_grant"))
            return
        worker.epoch, worker.lease = lease.epoch, lease
        worker.sessions += 1
        self._readers.put(Taken(worker.name, lease.epoch, worker.session))
        if lease.seconds:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(lease.seconds, self.end_session, worker.name, lease.epoch))

    def revoke(self, worker: str, epoch: int, reason: str) -> None:
        self.end_session(worker, epoch)

    def end_session(self, worker: str, epoch: int) -> None:
        """The user has finished."""
        known = self.workers.get(worker)
        if known is not None and known.lease is not None and known.epoch == epoch:
            known.lease = None
            self._readers.put(Freed(worker, epoch))

    def events(self) -> AsyncGenerator[Event]:
        return self._readers.read([self._announcement(worker) for worker in self.workers.values()])

    async def close(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
        for timer in self._timers:
            timer.cancel()
        self.workers.clear()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.HEARTBEAT_S)
            for worker in self.workers.values():
                if not worker.frozen:
                    self._readers.put(Heard(worker.name))

    def _announcement(self, worker: _FakeWorker) -> Announced:
        lease = worker.lease or Lease(worker.name, worker.epoch, "")
        what = (lease.ticket, worker.session, lease.address, lease.seconds)
        return Announced(worker.name, self._endpoint, worker.epoch, *what)
