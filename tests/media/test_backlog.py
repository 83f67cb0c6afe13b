"""What waits in front of an encoder, and what is not begun."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.media.backlog import COSTS, COSTS_LEAST, OVERLOAD_S, QUEUE_FRAMES, STALE_S, Backlog

from .fakes import picture

FRAME_S = 1 / 30


def backlog(cost: float = 0.0, known: int = COSTS) -> Backlog:
    made = Backlog()
    for _ in range(known):
        made.took(cost)
    return made


def put(made: Backlog, *times: float) -> None:
    for index, at in enumerate(times):
        made.put(picture(index), at, at)


def taken(made: Backlog, now: float) -> tuple[int, int]:
    (frame, _), skipped = made.take(now)
    return frame.index, skipped


def test_an_encoder_that_follows_takes_each_in_turn() -> None:
    made = backlog(cost=FRAME_S / 2)
    put(made, 0.0, FRAME_S)
    assert [taken(made, FRAME_S), taken(made, FRAME_S * 1.5)] == [(0, 0), (1, 0)]


def test_what_would_make_the_next_one_late_is_not_begun() -> None:
    made = backlog(cost=STALE_S * 1.5)
    put(made, 0.0, FRAME_S)
    assert taken(made, FRAME_S) == (1, 1)


def test_a_single_one_is_begun_whatever_it_costs() -> None:
    made = backlog(cost=10.0)
    put(made, 0.0)
    assert taken(made, 5.0) == (0, 0)


def test_one_slow_picture_is_no_forecast() -> None:
    made = backlog(cost=0.001, known=COSTS - 1)
    made.took(3.0)
    put(made, 0.0, FRAME_S)
    assert taken(made, FRAME_S) == (0, 0)


def test_the_first_ones_are_no_forecast_because_they_open_the_encoder() -> None:
    made = backlog(cost=3.0, known=COSTS_LEAST - 1)
    put(made, 0.0, FRAME_S)
    assert taken(made, FRAME_S) == (0, 0)


def test_a_few_are_a_forecast() -> None:
    made = backlog(cost=STALE_S * 1.5, known=COSTS_LEAST)
    put(made, 0.0, FRAME_S)
    assert taken(made, FRAME_S) == (1, 1)


def test_what_is_just_in_time_is_begun() -> None:
    made = Backlog()
    put(made, 0.0, FRAME_S)
    assert taken(made, STALE_S) == (0, 0), "it has waited so long and no longer"
    made = backlog(cost=STALE_S)
    put(made, 0.0, 0.0)
    assert taken(made, 0.0) == (0, 0), "the next one will have"


def test_a_stale_one_is_skipped_without_a_forecast() -> None:
    made = Backlog()
    put(made, 100.0, 100.0 + FRAME_S)
    assert taken(made, 100.0 + STALE_S * 1.01) == (1, 1)


def test_a_fresh_one_is_not_skipped_whatever_the_clock_says() -> None:
    made = Backlog()
    put(made, 100.0, 100.0 + FRAME_S)
    assert taken(made, 100.0 + FRAME_S) == (0, 0)


@pytest.mark.parametrize("caught_up", [False, True])
def test_an_overloaded_one_takes_the_newest_however_fresh_the_others_are(caught_up: bool) -> None:
    made = Backlog()
    put(made, 0.0, 0.0)
    assert [taken(made, 0.0), taken(made, 0.0)] == [(0, 0), (1, 0)]
    if caught_up:
        made.caught_up()
    later = OVERLOAD_S * 1.01
    put(made, later, later, later)
    assert taken(made, later) == ((0, 0) if caught_up else (2, 2))


def test_a_draining_one_skips_nothing() -> None:
    made = backlog(cost=10.0)
    made.draining = True
    put(made, 0.0, FRAME_S)
    assert [taken(made, 9.0), taken(made, 19.0)] == [(0, 0), (1, 0)]


def test_being_overloaded_is_told_once_and_ends_when_it_has_caught_up() -> None:
    made = Backlog()
    put(made, 0.0, 0.0)
    later = OVERLOAD_S * 1.01
    assert not made.overloaded(OVERLOAD_S * 0.99)
    assert not made.tells_overload(OVERLOAD_S * 0.99)
    assert made.overloaded(later)
    assert [made.tells_overload(later) for _ in range(2)] == [True, False]
    made.caught_up()
    assert not made.overloaded(later)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 0.1)), max_size=60),
    st.floats(0, 0.3),
)
def test_every_picture_is_taken_or_counted_and_none_is_taken_before_an_older_one(
    steps: list[tuple[bool, float]], cost: float
) -> None:
    made, now, given_in, lost, out = backlog(cost), 0.0, 0, 0, []
    for puts, passed in steps:
        now += passed
        if puts:
            lost += made.put(picture(given_in), now, now)
            given_in += 1
            assert len(made) <= QUEUE_FRAMES
        elif len(made):
            index, skipped = taken(made, now)
            out.append(index)
            lost += skipped
    assert out == sorted(set(out))
    assert given_in == len(out) + lost + made.clear()


def test_overload_begins_with_the_first_frame_that_had_to_wait() -> None:
    made = Backlog()
    made.put(picture(0), 0.0, 0.0)
    assert not made.overloaded(9.0), "one frame is what an encoder works on"
    made.put(picture(1), 1.0, 1.0)
    made.put(picture(2), 1.25, 1.25)
    assert not made.overloaded(1.0 + OVERLOAD_S)
    assert made.overloaded(1.0 + OVERLOAD_S + 0.01)
    made.caught_up()
    assert not made.overloaded(9.0)


def test_what_is_cleared_is_gone_and_counted() -> None:
    made = Backlog()
    for index in range(3):
        made.put(picture(index), 0.0, 0.0)
    assert (made.clear(), len(made), made.clear()) == (3, 0, 0)
