"""Whose place an offer takes that names no connection, and who follows the controller."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from tests.clients.people import offer, person

from reactor_runtime.clients.clients import Clients
from reactor_runtime.clients.connection import Connection
from reactor_runtime.clients.roles import Roles
from reactor_runtime.clients.seats import CONSENT_WAIT_S, HEIR_S, NEGOTIATING_S, Seats, same_peer
from reactor_runtime.protocol.message_format import JsonFormat, V16Format
from reactor_runtime.testing import VirtualClock


class Room:
    """What `Seats` reads of `Clients`."""

    def __init__(self) -> None:
        self.clock = VirtualClock(100.0)
        self.connections: dict[int, Connection] = {}
        self.roles = Roles(8, shared_control=False)
        self.seats = Seats(cast("Clients", self))

    def enter(self, peer: str = "", *, default_connection: bool = True, **facts: Any) -> Connection:
        """A client that came without an id, unless that is said otherwise."""
        connection = person(peer, clock=self.clock, **{"made_at": self.clock.unix(), **facts})
        self.connections[connection.id] = connection
        if default_connection:
            self.seats.default_connections.add(connection.id)
        return connection

    def of(self, peer: str = "B", address: str = "here", **facts: Any) -> Connection | None:
        again, v16 = facts.pop("again", True), facts.pop("v16", False)
        return self.seats.of(offer(peer, **facts), address, again=again, v16=v16)


# --- whose place ---


def test_the_same_peer_gets_its_own_place_live_or_not() -> None:
    room = Room()
    room.enter("A")
    mine = room.enter("B")
    assert room.of("B") is mine
    assert room.of("B", again=False) is mine
    assert room.of("C") is None


def test_one_that_named_its_id_is_nobody_elses_place() -> None:
    room = Room()
    room.enter("B", default_connection=False, live=False)
    assert room.of("B") is None


@pytest.mark.parametrize("again", [False, True])
def test_the_place_of_one_that_is_silent_is_free(again: bool) -> None:
    room = Room()
    room.enter("A")
    gone = room.enter("C", live=False)
    assert room.of("B", again=again) is gone


def test_its_own_place_goes_before_a_free_one() -> None:
    room = Room()
    room.enter("A", live=False)
    mine = room.enter("B")
    assert room.of("B") is mine


def test_who_may_only_watch_takes_nobodys_place_who_may_more() -> None:
    room = Room()
    room.enter("A", live=False)
    guest = room.enter("C", live=False, may_control=False)
    assert room.of("B", may_control=False) is guest
    assert room.of("A", may_control=False) is guest
    guest.presence.live = True
    assert room.of("B", may_control=False) is None


def test_an_offer_that_became_nothing_makes_room_for_its_own_address_and_for_others_after_a_while() -> None:
    room = Room()
    room.enter("A", ready=False, live=False, address="here")
    newest = room.enter("C", ready=False, live=False, address="here")
    assert room.of("B", "here") is newest
    assert room.of("B", "here", again=False) is None
    assert room.of("B", "elsewhere") is None
    room.clock.advance(NEGOTIATING_S)
    assert room.of("B", "elsewhere") is None
    room.clock.advance(0.1)
    assert room.of("B", "elsewhere") is newest


def test_one_that_is_live_keeps_its_place_beside_another_of_its_address_however_long_it_is_there() -> None:
    room = Room()
    room.enter("A", address="here")
    room.clock.advance(NEGOTIATING_S * 10)
    assert room.of("B", "here") is None


def test_clients_of_the_first_generation_meet_only_their_own() -> None:
    room = Room()
    room.enter("A", live=False, message_format=JsonFormat())
    assert room.of("B", v16=True) is None
    v16 = room.enter("C", live=False, message_format=V16Format())
    assert room.of("B", v16=True) is v16
    assert room.of("C", v16=True) is v16


def test_a_new_session_has_no_places() -> None:
    room = Room()
    mine = room.enter("B")
    room.roles.join(mine)
    heir = room.enter("C")
    room.seats.expect(heir)
    room.seats.begin()
    assert room.of("B") is None
    assert room.seats.heir_of(mine) is None


def test_peers_are_told_apart_by_certificate_and_session() -> None:
    assert same_peer(offer("A"), offer("A"))
    assert not same_peer(offer("A"), offer("B"))
    assert not same_peer(offer("A", session="1"), offer("A", session="2"))
    assert not same_peer(offer(""), offer(""))


# --- who follows ---


def inherited(room: Room, **facts: Any) -> tuple[Connection, Connection]:
    """One that controls, and one that came in beside it."""
    controller = room.enter("A")
    room.roles.join(controller)
    heir = room.enter("B", **facts)
    room.seats.expect(heir)
    return controller, heir


def test_who_came_in_beside_the_one_that_steers_follows_it_for_so_long() -> None:
    room = Room()
    controller, heir = inherited(room)
    assert room.seats.heir_of(heir) is None
    room.clock.advance(HEIR_S - 0.1)
    assert room.seats.heir_of(controller) is heir
    room.clock.advance(0.1)
    assert room.seats.heir_of(controller) is None


@pytest.mark.parametrize("facts", [{"may_control": False}, {"ready": False}, {"closed": True}])
def test_who_cannot_steer_does_not_follow(facts: dict[str, Any]) -> None:
    room = Room()
    controller, _ = inherited(room, **facts)
    assert room.seats.heir_of(controller) is None


def test_the_newest_follows() -> None:
    room = Room()
    controller, _ = inherited(room)
    newest = room.enter("C")
    room.seats.expect(newest)
    assert room.seats.heir_of(controller) is newest
    newest.presence.closed = True
    assert room.seats.heir_of(controller) is not newest


def test_nobody_follows_itself_nor_one_that_named_its_id() -> None:
    room = Room()
    room.seats.expect(room.enter("C"))  # nobody controls
    controller = room.enter("A", default_connection=False)
    room.roles.join(controller)
    room.seats.expect(controller)
    heir = room.enter("B")
    room.seats.expect(heir)
    assert room.seats.heir_of(controller) is None
    room.seats.default_connections.add(controller.id)
    room.seats.expect(controller)
    assert room.seats.heir_of(controller) is None


# --- waiting for a place ---


async def waiting(room: Room, peer: str = "B", *, v16: bool = False) -> asyncio.Task[None]:
    task = asyncio.ensure_future(room.seats.wait(offer(peer), "here", v16=v16))
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def test_beside_a_live_client_an_offer_waits_until_the_time_is_over() -> None:
    room = Room()
    room.roles.join(room.enter("A"))
    wait = await waiting(room)
    assert not wait.done()
    room.clock.advance(CONSENT_WAIT_S - 0.01)
    await asyncio.sleep(0)
    assert not wait.done()
    room.clock.advance(0.01)
    async with asyncio.timeout(5):
        await wait


async def test_what_changes_meanwhile_ends_its_wait_no_sooner() -> None:
    room = Room()
    room.roles.join(room.enter("A"))
    wait = await waiting(room)
    room.clock.advance(CONSENT_WAIT_S - 0.1)
    room.seats.changed()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not wait.done()
    room.clock.advance(0.1)
    async with asyncio.timeout(5):
        await wait


async def test_it_does_not_wait_where_an_offer_that_became_nothing_makes_room() -> None:
    room = Room()
    room.roles.join(room.enter("A"))
    room.enter("C", ready=False, live=False, address="here")
    wait = await waiting(room)
    assert wait.done()


async def test_it_waits_no_longer_than_until_that_client_goes_silent() -> None:
    room = Room()
    controller = room.enter("A")
    room.roles.join(controller)
    wait = await waiting(room)
    room.seats.changed()  # something else
    await asyncio.sleep(0)
    assert not wait.done()
    controller.presence.live = False
    room.seats.changed()
    async with asyncio.timeout(5):
        await wait


async def test_or_until_it_has_left() -> None:
    room = Room()
    controller, other = room.enter("A"), room.enter("C")
    room.roles.join(controller)
    wait = await waiting(room)
    del room.connections[other.id]
    room.seats.changed()
    async with asyncio.timeout(5):
        await wait


@pytest.mark.parametrize("there", ["nobody", "nobody controls", "itself", "no client of v16"])
async def test_where_there_is_nothing_to_wait_for_it_does_not(there: str) -> None:
    room = Room()
    if there != "nobody":
        someone = room.enter("B" if there == "itself" else "A")
        if there != "nobody controls":
            room.roles.join(someone)
    wait = await waiting(room, v16=there == "no client of v16")
    assert wait.done()
