"""`/events` under many readers and many events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from functools import partial

import pytest
from tests.growth import check_growth

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.runtimes.http import events as events_module
from reactor_runtime.testing import VirtualClock
from reactor_runtime.worker import journal as journal_module
from reactor_runtime.worker.journal import BATCH, FOLLOWERS_LIMIT, FOLLOWERS_PER_ADDRESS, HISTORY, Journal

from .door import Answer, Wire, door

STREAM = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_the_numbers_of_the_table() -> None:
    assert (FOLLOWERS_LIMIT, FOLLOWERS_PER_ADDRESS, HISTORY) == (64, 16, 4096)
    assert (journal_module.BATCH_EVERY_S, BATCH) == (0.1, 256)


def filled(history: int) -> Journal:
    journal = Journal(VirtualClock(), history)
    for index in range(history):
        journal.add("command", index=index)
    return journal


@pytest.mark.parametrize("behind", [1, 20, BATCH])
def test_the_next_events_cost_the_same_whatever_the_history(behind: int) -> None:
    """Sixteen times the history costs less than twice may."""

    def read(journal: Journal) -> None:
        for _ in range(200):
            assert len(journal.since(journal.last - behind)) == behind

    check_growth(partial(read, filled(HISTORY)), partial(read, filled(65_536)), grain=0.001)


@pytest.mark.parametrize("history", [1, 3, 300, HISTORY])
def test_what_is_next_is_what_a_search_would_find(history: int) -> None:
    journal = filled(history)
    journal.add("one more")
    every = list(journal._events)
    for seq in {0, 1, 2, history // 2, history - 1, history, history + 1, history + 5}:
        assert journal.since(seq) == [event for event in every if event.seq > seq][:BATCH]


async def test_a_burst_is_few_writes() -> None:
    journal = Journal(VirtualClock())
    written: list[list[int]] = []

    async def read() -> None:
        async for events in journal.follow(0, 60):
            written.append([event.seq for event in events])

    readers = [asyncio.ensure_future(read()) for _ in range(FOLLOWERS_LIMIT)]
    for index in range(200):
        journal.add("command", index=index)
        await asyncio.sleep(0)
    journal.close()
    await asyncio.gather(*readers)

    assert sorted(seq for batch in written for seq in batch) == sorted([*range(1, 201)] * FOLLOWERS_LIMIT)
    assert len(written) <= 10 * FOLLOWERS_LIMIT


def test_readers_at_the_same_place_share_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = filled(10)
    formatted = 0
    format_ = events_module._format

    def counting(event: journal_module.JournalEvent) -> str:
        nonlocal formatted
        formatted += 1
        return format_(event)

    monkeypatch.setattr(events_module, "_format", counting)
    texts = {events_module._TEXTS.of(journal.since(5)) for _ in range(FOLLOWERS_LIMIT)}
    assert (len(texts), formatted) == (1, 5)
    assert events_module._TEXTS.of(journal.since(6)) not in texts


async def test_no_more_than_64_streams_are_given_when_all_are_asked_for_at_once() -> None:
    async with door(limit=1000) as server:

        async def status(wire: Wire) -> int:
            return Answer(await wire.reader.readuntil(b"\r\n\r\n")).status

        wires = [await server.wire() for _ in range(150)]
        for wire in wires:
            wire.send(STREAM)
        statuses = await asyncio.gather(*map(status, wires))
        assert statuses.count(200) == FOLLOWERS_LIMIT
        assert statuses.count(503) == 150 - FOLLOWERS_LIMIT
        for wire in wires:
            wire.writer.close()
        journal = server.memory.worker.journal
        await server.until(lambda: journal.followers == 0)
        assert (await server.ask("HEAD /events HTTP/1.1\nHost: localhost")).status == 200
        await server.until(lambda: journal.followers == 0)


def test_a_place_is_given_back_whatever_happens() -> None:
    journal = Journal(VirtualClock())
    with pytest.raises(ZeroDivisionError), journal.place():
        raise ZeroDivisionError
    assert journal.followers == 0
    journal.followers = FOLLOWERS_LIMIT
    with pytest.raises(RefusedError), journal.place():
        raise AssertionError("one too many")
    assert journal.followers == FOLLOWERS_LIMIT


def test_one_address_leaves_streams_to_others() -> None:
    journal = Journal(VirtualClock())
    with contextlib.ExitStack() as streams:
        for _ in range(FOLLOWERS_PER_ADDRESS):
            streams.enter_context(journal.place("192.0.2.1"))
        with pytest.raises(RefusedError, match="your address") as refused:
            streams.enter_context(journal.place("192.0.2.1"))
        assert (refused.value.kind, refused.value.code) == (Refusal.BUSY, "too_many_streams")
        streams.enter_context(journal.place("192.0.2.2"))
        for _ in range(FOLLOWERS_LIMIT - FOLLOWERS_PER_ADDRESS - 1):
            streams.enter_context(journal.place())
        with pytest.raises(RefusedError, match="open already"):
            streams.enter_context(journal.place())
    assert (journal.followers, journal._by_address) == (0, {})


@pytest.mark.parametrize(
    "text", ["a\nevent: x\ndata: {}\n\n", "\r\r", "\x00\x1b[2J\x7f", "\u2028\u0085", "\ud800"]
)
def test_what_clients_name_ends_no_line(text: str) -> None:
    journal = Journal(VirtualClock())
    journal.add("command", command=text)
    [event] = journal.since(0)
    written = events_module._format(event)

    found = re.fullmatch(r"id: 1\nevent: command\ndata: ([ -~]*)\n\n", written)
    assert found is not None
    assert json.loads(found[1])["command"] == text
