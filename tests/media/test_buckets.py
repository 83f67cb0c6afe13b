from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.media.buckets import OPEN_LIMIT, WINDOW_S, Buckets, Released


def test_one_track_waits_for_nobody() -> None:
    buckets = Buckets[str](["video"])

    assert buckets.put(0.0, "video", "a") == [Released({"video": "a"})]
    assert buckets.put(0.0, "video", "b", bucket=7) == [Released({"video": "b"})]
    assert buckets.deadline() is None


def test_what_is_emitted_in_one_step_goes_out_together() -> None:
    buckets = Buckets[str](["left", "right"])

    assert buckets.put(0.0, "left", "l1") == []
    assert buckets.put(0.1, "right", "r1") == [Released({"left": "l1", "right": "r1"})]


def test_a_track_that_emits_again_begins_a_new_step() -> None:
    buckets = Buckets[str](["left", "right"])
    buckets.put(0.0, "left", "l1")

    # The right one was missing once, so the new step does not wait for it.
    assert buckets.put(0.1, "left", "l2") == [
        Released({"left": "l1"}, missing=("right",)),
        Released({"left": "l2"}),
    ]


def test_an_incomplete_step_goes_out_after_the_window() -> None:
    buckets = Buckets[str](["left", "right"])
    buckets.put(10.0, "left", "l1")

    assert buckets.deadline() == 10.0 + WINDOW_S
    assert buckets.expire(10.0 + WINDOW_S - 0.001) == []
    assert buckets.expire(10.0 + WINDOW_S) == [Released({"left": "l1"}, missing=("right",))]
    assert buckets.deadline() is None


def test_a_missing_track_is_named_once_and_not_waited_for_again() -> None:
    buckets = Buckets[str](["left", "right"])
    buckets.put(0.0, "left", "l1")
    buckets.expire(WINDOW_S)

    assert buckets.put(1.0, "left", "l2") == [Released({"left": "l2"})]


def test_a_track_is_waited_for_again_once_it_gives_something() -> None:
    buckets = Buckets[str](["left", "right"])
    buckets.put(0.0, "left", "l1")
    buckets.expire(WINDOW_S)

    assert buckets.put(1.0, "right", "r2") == []
    assert buckets.put(1.0, "left", "l2") == [Released({"right": "r2", "left": "l2"})]
    assert buckets.put(1.1, "left", "l3") == []


def test_a_track_that_comes_too_late_is_not_called_missing_in_its_own_step() -> None:
    buckets = Buckets[str](["left", "right"])
    buckets.put(0.0, "left", "l1")

    late = buckets.put(WINDOW_S + 0.1, "right", "r2")
    assert late == [Released({"left": "l1"}, missing=("right",))]
    assert buckets.put(WINDOW_S + 0.2, "left", "l2") == [Released({"right": "r2", "left": "l2"})]
    # It gave something, so it takes part again.
    assert buckets.put(WINDOW_S + 0.3, "left", "l3") == []


def test_numbered_buckets_wait_side_by_side() -> None:
    buckets = Buckets[str](["left", "right"])

    assert buckets.put(0.0, "left", "l1", bucket=1) == []
    assert buckets.put(0.0, "left", "l2", bucket=2) == []
    assert buckets.put(0.1, "right", "r1", bucket=1) == [Released({"left": "l1", "right": "r1"})]
    assert buckets.put(0.1, "right", "r2", bucket=2) == [Released({"left": "l2", "right": "r2"})]


def test_a_bucket_used_twice_by_one_track_loses_nothing() -> None:
    buckets = Buckets[str](["left", "right"])
    buckets.put(0.0, "left", "l1", bucket=1)

    released = buckets.put(0.1, "left", "again", bucket=1) + buckets.release_all()

    assert [bundle.parts for bundle in released] == [{"left": "l1"}, {"left": "again"}]


def test_open_limit() -> None:
    buckets = Buckets[int](["left", "right"])
    for number in range(OPEN_LIMIT):
        assert buckets.put(0.0, "left", number, bucket=number) == []

    assert buckets.put(0.0, "left", OPEN_LIMIT, bucket=OPEN_LIMIT) == [
        Released({"left": 0}, missing=("right",))
    ]


def test_flush_releases_everything_that_is_open() -> None:
    buckets = Buckets[str](["left", "right"])
    buckets.put(0.0, "left", "numbered", bucket=5)
    buckets.put(0.0, "left", "counted")

    assert [released.parts for released in buckets.release_all()] == [
        {"left": "numbered"},
        {"left": "counted"},
    ]
    assert buckets.release_all() == []
    assert buckets.deadline() is None


STEPS = st.lists(
    st.tuples(
        st.floats(0, 0.4),
        st.sampled_from(["a", "b", "c"]),
        st.none() | st.integers(0, 40),
    ),
    max_size=80,
)


@given(st.floats(0, 1e6))
def test_what_the_deadline_announces_expires_then(opened: float) -> None:
    buckets = Buckets[str](["left", "right"])
    buckets.put(opened, "left", "part")
    deadline = buckets.deadline()

    assert deadline is not None
    assert [released.parts for released in buckets.expire(deadline)] == [{"left": "part"}]
    assert buckets.deadline() is None


@given(STEPS)
def test_nothing_is_lost_and_nothing_comes_twice(steps: list[tuple[float, str, int | None]]) -> None:
    buckets = Buckets[tuple[str, int]](["a", "b", "c"])
    now, released = 0.0, []
    for index, (pause, track, bucket) in enumerate(steps):
        now += pause
        released += buckets.put(now, track, (track, index), bucket)
        deadline = buckets.deadline()
        assert deadline is None or deadline > now
    released += buckets.release_all()

    out = Counter(part for bundle in released for part in bundle.parts.values())
    assert out == Counter((track, index) for index, (_, track, _) in enumerate(steps))
    assert all(part[0] == track for bundle in released for track, part in bundle.parts.items())


@given(STEPS)
def test_counted_frames_of_a_track_stay_in_order(steps: list[tuple[float, str, int | None]]) -> None:
    buckets = Buckets[tuple[str, int]](["a", "b", "c"])
    now, released = 0.0, []
    for index, (pause, track, _) in enumerate(steps):
        now += pause
        released += buckets.put(now, track, (track, index))
    released += buckets.release_all()

    for track in ("a", "b", "c"):
        indexes = [bundle.parts[track][1] for bundle in released if track in bundle.parts]
        assert indexes == sorted(indexes)


@pytest.mark.parametrize("bucket", [None, 3])
def test_no_bundle_waits_longer_than_the_window(bucket: int | None) -> None:
    buckets = Buckets[str](["left", "right"])
    buckets.put(0.0, "left", "l", bucket)

    deadline = buckets.deadline()

    assert deadline == WINDOW_S
    assert len(buckets.expire(deadline)) == 1


def test_an_incomplete_number_leaves_before_a_complete_later_one() -> None:
    buckets = Buckets[str](["left", "right"])
    buckets.put(0.0, "left", "l1", bucket=1)
    buckets.put(0.1, "left", "l2", bucket=2)

    released = buckets.put(0.2, "right", "r2", bucket=2)

    assert released == [
        Released({"left": "l1"}, missing=("right",)),
        Released({"left": "l2", "right": "r2"}),
    ]
    # The track that was missing has come: it is waited for again.
    assert buckets.put(0.3, "left", "l3", bucket=3) == []
