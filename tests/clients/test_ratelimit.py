"""How often one client, and one address, may come: every limit at its edge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.clients.ratelimit import (
    ADDRESSES_LIMIT,
    COMMAND_BURST,
    COMMANDS_PER_S,
    AddressLimit,
    TokenBucket,
)
from reactor_runtime.errors import Refusal, RefusedError

PAUSES = st.lists(st.floats(0, 2), min_size=1, max_size=200)


def test_a_burst_and_then_the_rate() -> None:
    bucket = TokenBucket(rate=10, burst=5)

    assert [bucket.take(0.0) for _ in range(6)] == [True] * 5 + [False]
    assert bucket.take(0.1)
    assert not bucket.take(0.1)
    assert [bucket.take(100.0) for _ in range(6)] == [True] * 5 + [False]


def test_commands_have_the_rate_and_the_burst_that_the_documents_tell() -> None:
    bucket = TokenBucket()
    assert (COMMANDS_PER_S, COMMAND_BURST) == (200.0, 400)
    assert sum(bucket.take(0.0) for _ in range(1000)) == 400
    assert sum(bucket.take(0.5) for _ in range(1000)) == 100


@given(PAUSES)
def test_never_more_than_burst_and_rate(pauses: list[float]) -> None:
    bucket, now, taken = TokenBucket(rate=10, burst=5), 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)

    assert taken <= 5 + 10 * now + 1e-6


@given(st.integers(1, 50), st.integers(1, 50))
def test_who_keeps_to_the_rate_is_never_refused(rate: int, burst: int) -> None:
    bucket = TokenBucket(rate, burst)
    # A hair slower than the rate: sums of floats may fall short of a whole token.
    assert all(bucket.take(i * 1.000001 / rate) for i in range(100))


@given(PAUSES)
def test_what_is_refused_costs_nothing(pauses: list[float]) -> None:
    """Who knocks all the time gets as much as who waits: the refused call takes no token."""
    patient, pushing, now = TokenBucket(rate=2, burst=3), TokenBucket(rate=2, burst=3), 0.0
    for pause in pauses:
        now += pause
        let_in = patient.take(now)
        assert pushing.take(now) == let_in
        if not let_in:
            assert not pushing.take(now)


def test_an_address_has_its_minute_and_others_have_theirs() -> None:
    limit = AddressLimit(per_minute=3)
    assert [limit.take("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert limit.take("b", 0.0)
    assert limit.retry_after == 20
    assert not limit.take("a", 19.9)
    assert limit.take("a", 20.0)
    assert not limit.take("a", 20.0)


def test_no_limit_means_none() -> None:
    limit = AddressLimit(per_minute=0)
    assert all(limit.take("a", 0.0) for _ in range(1000))
    assert limit.retry_after == 1


def test_who_asks_often_is_told_to_wait_a_second_at_least() -> None:
    assert [AddressLimit(n).retry_after for n in (1, 40, 60, 600)] == [60, 2, 1, 1]


def test_one_too_many_is_refused_in_words_that_say_when_to_come_back() -> None:
    limit = AddressLimit(per_minute=2)
    limit.check("a", 0.0, "offers a minute")
    limit.check("a", 0.0, "offers a minute")
    with pytest.raises(RefusedError, match=r"^More than 2 offers a minute; wait a moment") as error:
        limit.check("a", 0.0, "offers a minute")
    assert (error.value.kind, error.value.code) == (Refusal.RATE_LIMITED, "rate_limited")
    assert error.value.retry_after == 30
    limit.check("b", 0.0, "offers a minute")


def test_the_least_recent_address_is_forgotten_and_no_other() -> None:
    limit = AddressLimit(per_minute=1)
    for i in range(ADDRESSES_LIMIT):
        assert limit.take(f"a{i}", 0.0)
    assert not limit.take("a0", 0.0)  # the first one has come again
    assert limit.take("new", 0.0)  # and the second makes room
    assert not limit.take("a0", 0.0)
    assert not limit.take("a2", 0.0)
    assert limit.take("a1", 0.0)
