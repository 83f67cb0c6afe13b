"""Whose tickets there are."""

from __future__ import annotations

import pytest

from reactor_runtime.errors import FleetError
from reactor_runtime.fleet.records import Ticket, TicketState
from reactor_runtime.fleet.register import Register


def ticket(name: str, user: str = "", address: str = "here") -> Ticket:
    return Ticket(name, user, address, joined=0.0, order=1)


def registered(*tickets: Ticket) -> Register:
    register = Register()
    for each in tickets:
        register.add(each)
    return register


def test_a_ticket_is_known_until_it_is_forgotten() -> None:
    ada = ticket("t")
    register = registered(ada)
    register.release(ada)
    assert register.require("t") is ada
    register.forget("t")
    with pytest.raises(FleetError) as refused:
        register.require("t")
    assert refused.value.code == "unknown_ticket"
    register.forget("t")


def test_a_user_has_one_place_and_nobody_without_a_name_has_one() -> None:
    ada, nameless = ticket("t", "ada"), ticket("n")
    register = registered(ada, nameless)
    assert register.of_user("ada") is ada
    assert register.of_user("bob") is None
    assert register.of_user("") is None
    register.release(ada)
    register.release(nameless)
    assert register.of_user("ada") is None


def test_the_end_of_an_older_ticket_takes_nothing_from_a_newer_one() -> None:
    older, newer = ticket("old", "ada"), ticket("new", "ada")
    register = registered(older, newer)
    register.release(older)
    assert register.of_user("ada") is newer


def test_places_are_counted_for_each_address_and_an_address_without_one_takes_no_memory() -> None:
    first, second, third = ticket("1"), ticket("2"), ticket("3", address="there")
    register = registered(first, second, third)
    assert [register.held_by(address) for address in ("here", "there", "nowhere")] == [2, 1, 0]
    register.release(first)
    assert register.held_by("here") == 1
    register.release(second)
    assert register.held_by("here") == 0
    assert list(register._per_address) == ["there"]


def test_a_store_sees_whatever_was_changed() -> None:
    ada = ticket("t")
    register = registered(ada)
    for change in (
        lambda: register.move(ada, TicketState.OFFERED),
        lambda: register.forget("t"),
        lambda: register.add(ada),
    ):
        register.changed.clear()
        change()
        assert register.changed == {"t"}
    assert ada.state is TicketState.OFFERED
