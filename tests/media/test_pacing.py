from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reactor_runtime.media.pacing import CEILING_FPS, MARGIN, MARGIN_S, QUEUE_S, Pacer

from .simulation import play

EPSILON = 1e-9


@pytest.mark.parametrize("count", [1, 10, 33, 120])
def test_a_batch_passes_whole_and_even(count: int) -> None:
    show = play([(count / 30, count)] * 6)

    assert show.order == list(range(6 * count))
    steady = show.gaps[2 * count :]
    assert max(steady) <= 1 / 30 * 1.5
    assert min(steady) >= 1 / 30 * 0.9


@pytest.mark.parametrize("count", [1, 10, 33, 120])
def test_a_batch_that_the_model_made_in_no_time_is_paced_by_the_display(count: int) -> None:
    show = play([(0.001, count)] * 4)

    assert show.order == list(range(4 * count))
    assert min(show.gaps) >= 1 / CEILING_FPS - EPSILON
    assert max(show.gaps) <= 1 / CEILING_FPS + EPSILON


@pytest.mark.parametrize("rate", [0.0, 24.0, 60.0])
def test_a_frame_that_finds_nothing_in_front_of_it_leaves_at_once(rate: float) -> None:
    pacer = Pacer[str](rate)
    pacer.push(["first"])
    assert pacer.pop(0.0) == "first"

    pacer.push(["second"])

    assert pacer.pop(10.0) == "second"


def test_a_model_at_two_frames_a_second_sees_no_delay() -> None:
    show = play([(0.5, 1)] * 20)

    assert max(show.delays) <= 0.020


def test_single_frames_below_the_ceiling_leave_when_they_are_made() -> None:
    show = play([(1 / 30, 1)] * 90)

    assert max(show.delays) == 0.0


def test_one_slow_step_freezes_the_picture_for_its_own_length_and_one_frame() -> None:
    frame = 1 / 30
    show = play([(frame, 1)] * 60 + [(1.0, 1)] + [(frame, 1)] * 60)

    assert max(show.gaps) <= 1.0 + frame
    assert max(show.delays[62:]) <= EPSILON


def test_one_slow_batch_leaves_no_lasting_delay() -> None:
    usual = 33 / 30
    steps = [(usual, 33)] * 6 + [(usual + 1.0, 33)] + [(usual, 33)] * 6
    show = play(steps)
    undisturbed = play([(usual, 33)] * 13)

    stalls = [gap for gap in show.gaps if gap > 0.1]
    assert len(stalls) == 1
    assert stalls[0] <= 1.0 + 2 / 30 + (1 - 0.97) * usual
    before, after = undisturbed.delays[-33:], show.delays[-33:]
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) <= 0.001


def test_after_a_stall_there_is_no_burst() -> None:
    show = play([(1 / 24, 1)] * 24 + [(1.0, 1)] + [(0.001, 1)] * 24, rate=24)

    after = [gap for gap in show.gaps[24:] if gap < 0.9]
    assert min(after) >= 1 / 24 - EPSILON


def test_a_fixed_rate_gives_exactly_that_many_frames_a_second_and_holds_the_model_back() -> None:
    show = play([(0.005, 1)] * 240, rate=24)

    for second in range(1, 9):
        assert sum(second <= left < second + 1 for left in [t + EPSILON for t in show.left]) == 24
    assert show.ended == pytest.approx(239 / 24, abs=2 / 24)


def test_a_fixed_rate_survives_jitter_of_the_model() -> None:
    jitter = [0.03, 0.05, 0.035, 0.048]
    show = play([(jitter[i % 4], 1) for i in range(200)], rate=24)

    first, last = show.left[0], show.left[-1]
    assert (last - first) == pytest.approx(199 / 24, rel=0.02)


def test_a_first_batch_that_was_slow_because_of_compilation_is_not_followed_by_slow_motion() -> None:
    show = play([(30.0, 33)] + [(33 / 30, 33)] * 5)

    # Until the second batch is there, nothing better is known; from then on it plays at the model's speed.
    second_made = 30.0 + 33 / 30
    after = [gap for gap, left in zip(show.gaps, show.left, strict=False) if left >= second_made]
    assert max(after) <= 1.5 / 30


def test_the_queue_holds_one_batch_or_a_tenth_of_a_second() -> None:
    assert play([(0.001, 33)] * 5).longest_queue == 33
    assert play([(0.001, 1)] * 50).longest_queue == 1
    # Two frames at 60 fps, steps of uneven length: several batches fit into the tenth of a second.
    uneven = [(0.1, 2)] + [(0.001, 2)] * 6
    assert 2 < play(uneven * 5).longest_queue <= QUEUE_S * CEILING_FPS


@pytest.mark.parametrize(("cost", "rate"), [(0.002, 30.0), (0.02, 30.0), (0.001, 0.0), (0.01, 0.0)])
def test_what_a_fast_model_makes_is_fresh_when_it_leaves(cost: float, rate: float) -> None:
    show = play([(cost, 1)] * 90, rate=rate)

    # Never older than the part of the interval in which the model waits, and half a step where that is less.
    interval = 1 / (rate or CEILING_FPS)
    assert max(show.delays[5:]) <= min(interval - cost, cost * (MARGIN - 1) + MARGIN_S) + EPSILON
    assert max(show.gaps) <= interval + EPSILON


def test_a_fast_batch_is_begun_when_the_one_before_is_nearly_shown() -> None:
    show = play([(0.2, 24)] * 10, rate=24)

    assert max(show.gaps[2:]) <= 1 / 24 + EPSILON
    # Its first frame; the last one waits for the length of the batch behind it.
    assert max(show.delays[72::24]) <= 0.2 * (MARGIN - 1) + MARGIN_S + EPSILON


def test_a_model_whose_steps_jitter_around_its_rate_keeps_a_frame_of_slack() -> None:
    costs = [0.03, 0.03, 0.03, 0.04]
    show = play([(costs[i % 4], 1) for i in range(120)], rate=30)

    assert max(show.gaps[8:]) <= 1 / 30 + EPSILON


def test_one_long_step_ago_is_forgotten_after_a_few() -> None:
    show = play([(0.002, 1)] * 20 + [(0.5, 1)] + [(0.002, 1)] * 30, rate=30)

    assert max(show.delays[-10:]) <= 0.002 * MARGIN + MARGIN_S + EPSILON


@pytest.mark.parametrize("rate", [0.0, 2.0])
def test_what_waits_at_the_end_leaves_within_the_time_for_it(rate: float) -> None:
    pacer = Pacer[int](rate)
    pacer.note_cost(30, 60.0)
    pacer.push(range(30))
    pacer.pop(0.0)
    pacer.drain(1.6)

    now = 0.0
    while (due := pacer.due(now)) is not None:
        now = max(now, due)
        pacer.pop(now)
    assert now <= 1.6 + EPSILON


FLOOR = 1 / CEILING_FPS


def shown(pacer: Pacer[str], *steps: tuple[float, str]) -> list[float]:
    """When the frames of these batches leave that were made for this, all pushed at 0."""
    for cost, names in steps:
        pacer.note_cost(len(names), cost)
        pacer.push(list(names))
    times = []
    while (due := pacer.due(0.0)) is not None:
        assert pacer.pop(due) is not None
        times.append(due)
    return times


@pytest.mark.parametrize(
    ("steps", "gap"),
    [
        ([(0.0, "ab")], FLOOR),
        ([(2.0, "ab")], 0.97),
        ([(100.0, "a" * 100)], 0.995),
        ([(2.0, "ab"), (0.0, "ab")], 0.97),
        ([(5.0, "a"), (2.0, "ab")], 0.97),
    ],
    ids=["no cost", "two", "a long one ends half a frame early", "no sample", "a single frame is no batch"],
)
def test_a_batch_is_spread_over_what_it_cost(steps: list[tuple[float, str]], gap: float) -> None:
    assert shown(Pacer(), *steps)[-1] - shown(Pacer(), *steps)[-2] == pytest.approx(gap)


def test_a_batch_without_any_cost_known_leaves_at_the_displays_rate() -> None:
    pacer = Pacer[str]()
    pacer.push(["a", "b"])
    assert pacer.pop(1.0) == "a"
    assert pacer.due(1.0) == pytest.approx(1.0 + FLOOR)


def test_single_frames_after_a_slow_batch_are_not_spread() -> None:
    times = shown(Pacer(), (2.0, "ab"), (0.1, "c"), (0.1, "d"))
    assert times == pytest.approx([0.0, 0.97, 0.97 + FLOOR, 0.97 + 2 * FLOOR])


def test_room_and_turn_of_a_single_frame_are_not_those_of_a_batch() -> None:
    pacer = Pacer[str]()
    pacer.note_cost(2, 2.0)
    pacer.push(["a"])
    assert not pacer.has_room(1)
    assert not pacer.has_room(2)
    assert pacer.pop(0.0) == "a"
    assert pacer.has_room(1)
    assert pacer.due_next(1) == pytest.approx(FLOOR)
    assert pacer.due_next(2) == pytest.approx(0.97)


def test_a_batch_has_room_where_all_that_waits_is_seen_within_the_bound() -> None:
    pacer = Pacer[str]()
    pacer.push(["a"])
    assert [pacer.has_room(count) for count in (2, 4, 6)] == [True, True, False]


def test_a_next_step_is_forecast_from_two_on_and_single_ones_at_their_own_rate() -> None:
    pacer = Pacer[str]()
    pacer.note_cost(1, 0.001)
    assert pacer.begin_next(1) == -math.inf
    pacer.push(["a"])
    pacer.pop(0.0)
    assert pacer.begin_next(1) == -math.inf
    pacer.note_cost(1, 0.001)
    assert pacer.begin_next(1) == pytest.approx(FLOOR - 0.001 * MARGIN - MARGIN_S)
    pacer.note_cost(2, FLOOR / 2)
    pacer.note_cost(2, 2 * FLOOR)
    assert pacer.begin_next(1) == -math.inf, "a step that takes longer than a frame is shown is begun at once"


@pytest.mark.parametrize(("late", "on_grid"), [(0.0, True), (0.05, True), (0.2, False)])
def test_a_thread_that_wakes_late_does_not_move_the_grid(late: float, on_grid: bool) -> None:
    pacer = Pacer[str]()
    pacer.push(["a", "b", "c"])
    pacer.pop(1.0)
    pacer.pop(1.0 + FLOOR + late * FLOOR)
    begun = 1.0 + FLOOR + (0.0 if on_grid else late * FLOOR)
    assert pacer.due(1.0) == pytest.approx(begun + FLOOR)


def test_whatever_is_next_can_be_had_at_once() -> None:
    pacer = Pacer[str]()
    pacer.push(["a", "b"])
    assert [pacer.pop_any() for _ in range(3)] == ["a", "b", None]


def test_what_is_cleared_is_counted() -> None:
    pacer = Pacer[int]()
    pacer.push(range(33))
    pacer.pop(0.0)

    assert pacer.clear() == 32
    assert len(pacer) == 0
    assert pacer.due(1.0) is None
    assert pacer.pop(1.0) is None


@given(
    steps=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 40)), max_size=30),
    rate=st.sampled_from([0.0, 1.0, 24.0, 60.0]),
)
def test_nothing_is_lost_and_the_order_is_kept(steps: list[tuple[float, int]], rate: float) -> None:
    show = play(steps, rate)

    assert show.order == list(range(sum(count for _, count in steps)))
    assert all(delay >= 0 for delay in show.delays)


@example(steps=[(0.004154609362421847, 1), (0.004618485364784475, 1)], rate=24.0)
@given(
    steps=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40)), min_size=1, max_size=30),
    rate=st.sampled_from([0.0, 24.0]),
)
def test_the_queue_is_never_longer_than_a_batch_or_its_time(
    steps: list[tuple[float, int]], rate: float
) -> None:
    show = play(steps, rate)

    biggest = max(count for _, count in steps)
    assert show.longest_queue <= max(biggest, QUEUE_S * CEILING_FPS)
