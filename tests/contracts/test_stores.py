"""What every store of a fleet does; a new one is one line here."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_runtime.errors import FleetError
from reactor_runtime.fleet.broker import Broker
from reactor_runtime.fleet.limits import FleetLimits
from reactor_runtime.fleet.records import Ticket, TicketState
from reactor_runtime.fleet.stores import MemoryStore, SqliteStore, Store

Open = Callable[[], Store]


@pytest.fixture(params=["memory", "sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "fleet.db")
    memory = MemoryStore()
    return lambda: memory


def ticket(name: str, order: int, **fields: object) -> Ticket:
    return Ticket(f"t-{name}", name, "here", 1.0, order, **fields)  # type: ignore[arg-type]  # of a test


def test_an_empty_store_has_no_tickets_and_epoch_0(open_store: Open) -> None:
    assert open_store().load() == (0, [])


def test_what_was_saved_is_loaded_in_the_order_of_the_line(open_store: Open) -> None:
    store = open_store()
    ada = ticket("ada", 2, state=TicketState.CLAIMED, worker="w1", epoch=7, reason="worker_lost")
    store.save(7, [ada, ticket("bob", -1)], [])
    assert store.load() == (7, [ticket("bob", -1), ada])


def test_what_is_gone_is_not_loaded_and_what_changed_is_as_it_is_now(open_store: Open) -> None:
    store = open_store()
    store.save(1, [ticket("ada", 1), ticket("bob", 2)], [])
    store.save(2, [ticket("bob", 2, state=TicketState.OFFERED)], ["t-ada", "t-nobody"])
    assert store.load() == (2, [ticket("bob", 2, state=TicketState.OFFERED)])


def test_the_epoch_never_goes_back(open_store: Open) -> None:
    store = open_store()
    store.save(9, [], [])
    store.save(3, [], [])
    assert store.load()[0] == 9


def test_the_store_keeps_a_copy(open_store: Open) -> None:
    store = open_store()
    ada = ticket("ada", 1)
    store.save(1, [ada], [])
    ada.state = TicketState.CANCELLED
    assert store.load()[1][0].state is TicketState.WAITING


def test_a_broker_goes_on_where_the_last_one_stood(open_store: Open) -> None:
    store = open_store()
    before = Broker(FleetLimits(workers_min=0, workers_max=1))
    for name in ("ada", "bob", "eve"):
        before.join(f"t-{name}", name, name, 5.0)
    before.cancel("t-bob", 6.0)
    store.save(before.epoch, before.tickets.values(), [])
    epoch, tickets = store.load()
    after = Broker(before.limits, epoch)
    for each in tickets:
        after.restore(each, 0.5)
    assert [after.place(f"t-{name}", 0.5).position for name in ("ada", "eve")] == [1, 2]
    assert after.join("t-new", "ada", "ada", 1.0)[0].id == "t-ada"


def test_sqlite_survives_a_new_process_and_is_in_wal(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "fleet.db")
    first.save(4, [ticket("ada", 1)], [])
    second = SqliteStore(tmp_path / "fleet.db")
    assert second.load() == (4, [ticket("ada", 1)])
    with sqlite3.connect(tmp_path / "fleet.db") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()
    first.close()
    second.close()


def test_a_row_that_is_no_ticket_costs_nobody_else_a_place(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "fleet.db")
    store.save(1, [ticket("ada", 1)], [])
    with sqlite3.connect(tmp_path / "fleet.db") as db:
        for name, body in (("a", "{"), ("b", "[]"), ("c", '{"state": "odd"}'), ("d", '{"state": "waiting"}')):
            db.execute("INSERT INTO tickets VALUES (?, ?)", (name, body))
    db.close()
    assert store.load() == (1, [ticket("ada", 1)])
    store.close()


def test_a_file_that_is_no_database_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "fleet.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(FleetError, match="--store"):
        SqliteStore(tmp_path / "fleet.db")
