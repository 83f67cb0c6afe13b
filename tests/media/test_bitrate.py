from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.media.bitrate import (
    CEILING_BPS,
    FLOOR_BPS,
    HEADROOM,
    REOPEN_DOWN,
    REOPEN_INTERVAL_S,
    SETTLED_S,
    SETTLED_UP,
    default_bitrate,
    target_bitrate,
    worth_reopening,
)
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.media.encoders.base import REOPEN_UP

RATES = st.integers(1, 100_000_000)


def test_a_picture_of_832x480_gets_three_and_a_half_megabits() -> None:
    assert 3_500_000 <= default_bitrate(832, 480, VideoCodec.H264) <= 3_700_000


def test_vp8_needs_fewer_bits() -> None:
    assert default_bitrate(832, 480, VideoCodec.VP8) < 0.8 * default_bitrate(832, 480, VideoCodec.H264)


def test_larger_pictures_get_more_bits_but_fewer_for_each_pixel() -> None:
    small, large = (default_bitrate(16 * n, 9 * n, VideoCodec.H264) for n in (50, 100))
    assert small * 2 < large < small * 4


@pytest.mark.parametrize("codec", VideoCodec)
def test_floor_and_ceiling(codec: VideoCodec) -> None:
    assert default_bitrate(2, 2, codec) == FLOOR_BPS
    assert default_bitrate(15360, 8640, codec) == CEILING_BPS


def test_without_an_estimate_the_wish_is_the_target() -> None:
    assert target_bitrate(3_000_000, []) == 3_000_000


def test_the_network_sets_the_target_with_room_for_retransmission() -> None:
    assert target_bitrate(4_000_000, [1_000_000]) == int(1_000_000 * HEADROOM)


def test_the_slowest_peer_decides() -> None:
    assert target_bitrate(4_000_000, [2_000_000, 3_000_000]) == int(2_000_000 * HEADROOM)


def test_a_peer_that_cannot_follow_does_not_spoil_the_picture_of_all() -> None:
    assert target_bitrate(4_000_000, [100_000, 3_000_000]) == int(1_500_000 * HEADROOM)


@given(RATES, st.lists(RATES, max_size=8))
def test_the_target_is_in_range_and_not_above_the_wish(wanted: int, estimates: list[int]) -> None:
    target = target_bitrate(wanted, estimates)

    if estimates:
        assert FLOOR_BPS <= target <= CEILING_BPS
        assert target <= max(wanted, FLOOR_BPS)
    else:
        assert target == wanted


@given(RATES, st.floats(0, 100))
def test_the_same_rate_is_never_worth_reopening(rate: int, since: float) -> None:
    assert not worth_reopening(rate, rate, since)


def test_falls_are_followed_at_once_and_rises_after_a_while() -> None:
    assert worth_reopening(1_000_000, 700_000, since_last_s=0.0)
    assert not worth_reopening(1_000_000, 800_000, since_last_s=100.0)
    assert not worth_reopening(1_000_000, 1_300_000, since_last_s=SETTLED_S - 1)
    assert worth_reopening(1_000_000, 1_300_000, since_last_s=SETTLED_S)
    assert not worth_reopening(1_000_000, 1_050_000, since_last_s=SETTLED_S)
    assert not worth_reopening(1_000_000, 2_000_000, since_last_s=REOPEN_INTERVAL_S / 2)
    assert worth_reopening(1_000_000, 2_000_000, since_last_s=REOPEN_INTERVAL_S)


@pytest.mark.parametrize(
    ("bound", "since"), [(REOPEN_DOWN, 0.0), (SETTLED_UP, SETTLED_S), (REOPEN_UP, REOPEN_INTERVAL_S)]
)
def test_a_rate_that_is_just_at_its_bound_is_not_worth_reopening(bound: float, since: float) -> None:
    current = 1_000_000
    just = int(current * bound)
    assert just == current * bound, "no rounding"
    assert not worth_reopening(current, just, since)
