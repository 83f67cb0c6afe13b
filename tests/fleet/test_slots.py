"""Places for workers: their names, their GPUs, and which of them rest."""

from __future__ import annotations

import asyncio

import pytest

from reactor_runtime.fleet.slots import FAILURE_WINDOW_S, FAILURES, Slots
from reactor_runtime.testing import VirtualClock


def nobody() -> bool:
    return False


async def test_a_slot_has_one_worker_and_the_next_one_another_name() -> None:
    slots = Slots(2, ["0"], VirtualClock())
    assert [await slots.take(nobody, 1) for _ in range(3)] == ["w1", "w2", None]
    assert slots.why_no_room() == "every slot is taken"
    assert slots.of["w1"].gpu == slots.of["w2"].gpu == "0"
    assert slots.give_back("w1") is None
    assert await slots.take(nobody, 1) == "w1-2"
    assert set(slots.of) == {"w2", "w1-2"}
    assert Slots(1, [], VirtualClock())._slots[0].gpu is None


async def test_a_slot_whose_workers_end_by_themselves_rests(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    slots = Slots(1, [], clock)
    for end in range(1, FAILURES + 1):
        name = await slots.take(nobody, 1)
        assert name is not None
        clock.advance(1)
        failing = slots.give_back(name, by_itself=True)
        assert (failing is not None) == (end == FAILURES)
    assert "Slot 1 fails: its worker ended 3 times" in caplog.text
    assert await slots.take(nobody, 1) is None
    assert slots.why_no_room() == "1 of 1 slots are failing"
    assert (FAILURES, FAILURE_WINDOW_S) == (3, 300), "as docs/fleet.md says"
    clock.advance(FAILURE_WINDOW_S - FAILURES)
    assert await slots.take(nobody, 1) is None
    clock.advance(1)
    assert await slots.take(nobody, 1) == "w1-4"


async def test_ends_that_were_asked_for_or_lie_far_apart_make_no_slot_rest() -> None:
    clock = VirtualClock()
    slots = Slots(1, [], clock)
    for by_itself, pause in [(False, 1), (True, 1), (False, 1), (True, FAILURE_WINDOW_S), (True, 1)]:
        name = await slots.take(nobody, 1)
        assert name is not None
        assert (slots.give_back(name, by_itself=True) if by_itself else slots.give_back(name)) is None
        clock.advance(pause)
    assert await slots.take(nobody, 1) is not None


async def test_a_slot_that_is_being_left_is_waited_for() -> None:
    slots = Slots(1, [], VirtualClock())
    assert await slots.take(nobody, 1) == "w1"
    taking = asyncio.ensure_future(slots.take(lambda: True, 3600))
    await asyncio.sleep(0)
    assert not taking.done()
    slots.give_back("w1")
    async with asyncio.timeout(10):
        assert await taking == "w1-2"
    assert await slots.take(lambda: True, 0.001) is None


async def test_workers_are_spread_over_the_gpus() -> None:
    slots = Slots(3, ["0", "1"], VirtualClock())
    for _ in range(3):
        await slots.take(nobody, 1)
    assert {name: slot.gpu for name, slot in slots.of.items()} == {"w1": "0", "w2": "1", "w3": "0"}


async def test_where_nobody_is_leaving_nobody_waits() -> None:
    slots = Slots(1, [], VirtualClock())
    await slots.take(nobody, 3600)
    taking = asyncio.ensure_future(slots.take(nobody, 3600))
    await asyncio.sleep(0)
    assert taking.done()
    assert await taking is None


async def test_a_free_slot_is_taken_while_another_is_left() -> None:
    slots = Slots(2, [], VirtualClock())
    await slots.take(nobody, 3600)
    taking = asyncio.ensure_future(slots.take(lambda: True, 3600))
    await asyncio.sleep(0)
    assert taking.done()
    assert await taking == "w2"


async def test_a_slot_that_rests_leaves_the_others_to_be_taken() -> None:
    clock = VirtualClock(1000.0)
    slots = Slots(2, [], clock)
    for _ in range(FAILURES):
        name = await slots.take(nobody, 1)
        assert name is not None
        assert name.startswith("w1")
        slots.give_back(name, by_itself=True)
    assert await slots.take(nobody, 1) == "w2"
    assert slots.give_back("w2", by_itself=True) is None
    assert slots.why_no_room() == "1 of 2 slots are failing"
    clock.advance(FAILURE_WINDOW_S)
    assert slots.why_no_room() == "every slot is taken"
