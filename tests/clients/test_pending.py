"""Connections that were announced: ids that nobody guesses, bounds, and who is forgotten for them."""

from __future__ import annotations

import secrets
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.clients.pending import (
    CANDIDATES_LIMIT,
    FIRST_ID,
    LAST_ID,
    PENDING_LIMIT,
    PENDING_S,
    PendingConnections,
    new_id,
)
from reactor_runtime.transports.port import IceCandidate


def candidates(count: int) -> list[IceCandidate]:
    return [IceCandidate(f"candidate:{i}", "0", 0) for i in range(count)]


class AllBut:
    """Every id is taken but one of the last digit 7."""

    def __contains__(self, connection_id: object) -> bool:
        return int(str(connection_id)) % 10 != 7


def test_an_id_is_one_that_sdks_take_and_never_one_that_is_taken() -> None:
    ids = {new_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(FIRST_ID <= i <= LAST_ID for i in ids)
    assert all(new_id(AllBut()) % 10 == 7 for _ in range(20))


def test_ids_reach_from_end_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda _: 0)
    assert new_id() == FIRST_ID == 2**31
    monkeypatch.setattr(secrets, "randbelow", lambda below: below - 1)
    assert new_id() == LAST_ID == 2**32 - 1


def test_what_is_announced_is_known_to_its_session_for_so_long() -> None:
    there = PendingConnections()
    mine = there.announce(1, now=10.0, taken=(), address="a")
    assert there.known(mine, 1, 10.0)
    assert there.address(mine) == "a"
    assert not there.known(mine, 2, 10.0)
    assert not there.known(mine + 1, 1, 10.0)
    assert there.address(mine + 1) is None
    assert there.known(mine, 1, 10.0 + PENDING_S - 0.001)
    assert not there.known(mine, 1, 10.0 + PENDING_S)
    assert there.address(mine) is None


def test_early_candidates_wait_for_their_offer_once() -> None:
    there, three = PendingConnections(), candidates(3)
    mine = there.announce(1, 0.0, ())
    for each in three:
        there.add(mine, 1, 1.0, each)
    assert there.take(mine, 1) == three
    assert there.take(mine, 1) == []
    assert not there.known(mine, 1, 1.0)


def test_candidates_of_another_session_are_not_handed_over() -> None:
    there = PendingConnections()
    there.add(7, 1, 0.0, candidates(1)[0], "a")
    assert there.take(7, 2) == []
    there.add(7, 1, 0.0, candidates(1)[0], "a")
    there.open(7, 2, 0.0)
    assert there.take(7, 2) == []
    there.add(7, 1, 0.0, candidates(1)[0])
    there.add(7, 2, 0.0, candidates(2)[1])
    assert not there.known(7, 1, 0.0)
    assert there.take(7, 2) == [candidates(2)[1]]


def test_opening_again_lengthens_nothing() -> None:
    there = PendingConnections()
    first = there.open(7, 1, 0.0)
    assert there.open(7, 1, PENDING_S - 1) is first
    assert not there.known(7, 1, PENDING_S)
    assert there.open(7, 1, PENDING_S) is not first


def test_what_has_expired_is_begun_again() -> None:
    there = PendingConnections()
    there.add(7, 1, 0.0, candidates(1)[0])
    assert there.open(7, 1, PENDING_S).candidates == []
    assert there.known(7, 1, PENDING_S + 1)


def test_so_many_candidates_and_no_more() -> None:
    there, many = PendingConnections(), candidates(CANDIDATES_LIMIT + 5)
    for each in many:
        there.add(7, 1, 0.0, each)
    assert there.take(7, 1) == many[:CANDIDATES_LIMIT]


def test_a_new_session_knows_nobody() -> None:
    there = PendingConnections()
    mine = there.announce(1, 0.0, ())
    there.clear()
    assert not there.known(mine, 1, 0.0)


def test_who_floods_loses_its_own_and_nobody_else_does() -> None:
    there = PendingConnections()
    quiet = there.announce(1, 0.0, (), "quiet")
    flood = [there.announce(1, 0.0, (), "loud") for _ in range(PENDING_LIMIT - 1)]
    assert all(there.known(i, 1, 0.0) for i in (quiet, *flood))
    further = there.announce(1, 0.0, (), "loud")
    assert [there.known(i, 1, 0.0) for i in (quiet, flood[0], flood[1], further)] == [True, False, True, True]
    there.announce(1, 0.0, (), "newcomer")
    assert there.known(quiet, 1, 0.0)
    assert not there.known(flood[1], 1, 0.0)


def test_of_two_that_are_equally_loud_the_one_that_asks_gives_way() -> None:
    there, half = PendingConnections(), PENDING_LIMIT // 2
    one = [there.announce(1, 0.0, (), "one") for _ in range(half)]
    two = [there.announce(1, 0.0, (), "two") for _ in range(half)]
    there.announce(1, 0.0, (), "two")
    assert there.known(one[0], 1, 0.0)
    assert not there.known(two[0], 1, 0.0)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 5)), max_size=150))
def test_whoever_announces_there_are_never_more_than_the_limit_and_the_newest_is_there(
    calls: list[tuple[str, float]],
) -> None:
    there, now, ids = PendingConnections(), 0.0, dict[int, str]()
    for address, pause in calls:
        now += pause
        before = Counter(a for i, a in ids.items() if there.known(i, 1, now))
        mine = there.announce(1, now, (), address)
        ids[mine] = address
        left = Counter(a for i, a in ids.items() if there.known(i, 1, now))
        assert there.known(mine, 1, now)
        assert left.total() <= PENDING_LIMIT
        # Who loses a place is one that had most.
        lost = before + Counter([address]) - left
        assert all(before[each] == max(before.values()) for each in lost)
