from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.transports.gate import BACKLOG_S, KEY_ALLOWANCE_S, START_BPS, FrameGate


def test_the_first_frame_is_a_keyframe() -> None:
    gate = FrameGate()

    assert gate.needs_key
    assert not gate.admits(key=False, size=100, now=0.0)
    assert gate.wants_key()
    assert gate.admits(key=True, size=100, now=0.0)
    assert gate.admits(key=False, size=100, now=0.0)
    assert gate.dropped == 1


def test_a_frame_that_is_within_the_rate_always_passes() -> None:
    gate = FrameGate()
    size = START_BPS // 8 // 30

    assert all(gate.admits(key=index == 0, size=size, now=index / 30) for index in range(300))
    assert gate.dropped == 0


def test_a_peer_that_falls_behind_loses_frames_up_to_the_next_keyframe() -> None:
    gate = FrameGate()
    gate.set_rate(800_000)
    gate.admits(key=True, size=100, now=0.0)
    half_a_second = 800_000 // 8 // 2
    assert gate.admits(key=False, size=half_a_second, now=0.0)

    assert not gate.admits(key=False, size=10, now=0.01)
    assert not gate.admits(key=False, size=10, now=10.0), "not without a keyframe, however long it takes"
    assert gate.wants_key()
    assert gate.admits(key=True, size=10, now=10.1)
    assert gate.admits(key=False, size=10, now=10.2)


def test_a_keyframe_is_not_asked_for_while_the_backlog_is_large() -> None:
    gate = FrameGate()
    gate.set_rate(800_000)
    gate.admits(key=True, size=100_000, now=0.0)

    assert not gate.admits(key=False, size=10, now=0.1)
    assert not gate.wants_key()
    assert not gate.admits(key=False, size=10, now=0.9)
    assert gate.wants_key()


def test_a_keyframe_may_overdraw() -> None:
    gate = FrameGate()
    gate.set_rate(800_000)
    gate.admits(key=True, size=int(100_000 * (BACKLOG_S + KEY_ALLOWANCE_S / 2)), now=0.0)

    assert gate.admits(key=True, size=10, now=0.0)


def test_a_rate_of_nothing_is_no_rate() -> None:
    gate = FrameGate()
    gate.set_rate(0)

    assert gate.admits(key=True, size=1000, now=0.0)
    assert gate.admits(key=False, size=1000, now=0.0)


def test_reset_begins_again_with_a_keyframe() -> None:
    gate = FrameGate()
    gate.admits(key=True, size=10_000_000, now=0.0)
    gate.reset()

    assert gate.wants_key()
    assert not gate.admits(key=False, size=1, now=0.0)
    assert gate.admits(key=True, size=1, now=0.0)


FRAMES = st.lists(st.tuples(st.booleans(), st.integers(1, 300_000), st.floats(0, 0.2)), max_size=100)


@given(FRAMES, st.integers(100_000, 20_000_000))
def test_what_passes_can_be_decoded_and_is_bounded(frames: list[tuple[bool, int, float]], rate: int) -> None:
    gate, now, sent = FrameGate(), 0.0, 0
    admitted: list[bool | None] = []
    gate.set_rate(rate)
    for key, size, pause in frames:
        now += pause
        if gate.admits(key, size, now):
            sent += size * 8
            admitted.append(key)
        else:
            admitted.append(None)

    assert gate.dropped == admitted.count(None)
    for index, passed in enumerate(admitted):
        if passed is False:
            assert index > 0
            assert admitted[index - 1] is not None, "a frame after a gap that is no keyframe"
    largest = max((size for _, size, _ in frames), default=0) * 8
    assert sent <= rate * (now + BACKLOG_S + KEY_ALLOWANCE_S) + 2 * largest + 1


def test_a_keyframe_is_wanted_by_who_lost_its_place_once_half_of_the_bound_has_left() -> None:
    gate = FrameGate()
    gate.set_rate(1_000_000)
    assert gate.wants_key(), "it begins with one"
    assert gate.admits(True, 1000, 0.0)
    assert not gate.wants_key(), "nothing is missing"
    gate.admits(False, int(BACKLOG_S * 1_000_000 / 8), 0.0)
    assert not gate.admits(False, 1, 0.0)
    assert not gate.wants_key()
    half = BACKLOG_S / 2 + 1000 * 8 / 1_000_000
    for late, wanted in ((half - 0.01, False), (half + 0.01, True)):
        assert not gate.admits(False, 1, late)
        assert gate.wants_key() is wanted


RATE = 8_000_000
BOUND = round(BACKLOG_S * RATE / 8)
"""Bytes that may be on their way at this rate."""


def full(more: int) -> FrameGate:
    """One that has just let a keyframe of its bound pass, and so many bytes more."""
    gate = FrameGate()
    gate.set_rate(RATE)
    assert BOUND * 8 == BACKLOG_S * RATE, "no rounding"
    assert gate.admits(True, BOUND + more, 0.0)
    return gate


def test_a_frame_passes_up_to_the_bound_and_no_byte_further() -> None:
    assert full(0).admits(False, 1, 0.0)
    assert not full(1).admits(False, 1, 0.0)


def test_what_has_left_or_was_reset_weighs_nothing() -> None:
    for begin_again in (False, True):
        gate, now = full(0), 0.0
        if begin_again:
            gate.reset()
        else:
            now = 10.0
        assert gate.admits(True, BOUND, now)
        assert gate.admits(False, 1, now)


def test_a_keyframe_is_wanted_from_half_of_the_bound_on_and_no_byte_before() -> None:
    quarter_of_a_second = RATE // 8 // 4
    for more, wanted in ((0, True), (1, False)):
        gate = full(quarter_of_a_second - BOUND // 2 + more)
        assert not gate.admits(False, 1, 0.0)
        assert not gate.admits(False, 1, 0.25)
        assert gate.wants_key() is wanted
