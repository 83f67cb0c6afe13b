"""What a fleet makes of an engine's word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fleet.memory import offered

from reactor_runtime.fleet.engine import Announced, Endpoint, Freed, Present, Started, Taken
from reactor_runtime.fleet.fleet import Fleet
from reactor_runtime.fleet.limits import FleetLimits
from reactor_runtime.fleet.stores import MemoryStore
from reactor_runtime.testing import FakeEngine


@asynccontextmanager
async def playing() -> AsyncIterator[Fleet]:
    """A session runs on its one worker."""
    fleet = Fleet(FakeEngine(slots=1), MemoryStore(), FleetLimits())
    for event in (Present(), Started("w1"), Announced("w1", Endpoint("127.0.0.1", 9))):
        fleet.hear(event)
    fleet.join("ticket", "user", "address")
    _, effects = fleet.broker.claim("ticket", fleet.clock())
    fleet.carry_out(effects)
    fleet.hear(Taken("w1", fleet.broker.workers["w1"].epoch, "session"))
    assert fleet.serving.keys() == {"session"}
    try:
        yield fleet
    finally:
        await fleet.close()


async def test_the_end_of_an_older_lease_ends_no_session() -> None:
    async with playing() as fleet:
        epoch = fleet.broker.workers["w1"].epoch
        fleet.hear(Freed("w1", epoch - 1, "stopped", "of somebody before"))
        assert fleet.serving.keys() == {"session"}
        assert fleet.ended == {}
        assert fleet.place("ticket").state.value == "claimed"


async def test_the_end_of_a_lease_ends_its_session() -> None:
    async with playing() as fleet:
        fleet.hear(Freed("w1", fleet.broker.workers["w1"].epoch, "stopped", "well"))
        assert fleet.serving == {}
        assert fleet.ended == {"address": {"reason": "stopped", "message": "well"}}


async def test_a_worker_that_nobody_knows_ends_nothing() -> None:
    async with playing() as fleet:
        fleet.hear(Freed("w9", 1))
        assert fleet.serving.keys() == {"session"}


async def test_a_fleet_that_begins_anew_knows_what_runs() -> None:
    engine = FakeEngine(slots=1)
    await engine.open()
    before = Fleet(engine, MemoryStore(), FleetLimits())
    await before.open()
    assert await before.knows_its_workers()
    before.join("ticket", "user", "address")
    await offered(before, "ticket")
    session = (await before.claim("ticket")).session
    await before.close()
    after = Fleet(engine, MemoryStore(), FleetLimits())
    await after.open()
    assert await after.knows_its_workers()
    assert after.serving.keys() == {session}
    await after.close()
    await engine.close()


async def test_an_engine_that_says_nothing_is_not_waited_for_longer() -> None:
    fleet = Fleet(FakeEngine(slots=1), MemoryStore(), FleetLimits())
    assert not await fleet.knows_its_workers(within=0.01)
