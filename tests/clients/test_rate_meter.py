"""Bits a second, told from a counter that is looked at now and then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.clients.rate_meter import WINDOW_S, RateMeter


def test_the_first_look_is_over_all_the_time_before() -> None:
    meter = RateMeter(10.0)
    assert meter.look(10.0, 0) == 0
    assert meter.look(14.0, 2000) == 4000


def test_a_rate_is_over_the_newest_seconds() -> None:
    meter = RateMeter(0.0)
    total = 0
    for second in range(1, 10):
        total += 1000
        meter.look(second, total)
    assert meter.look(10, total + 2000) == 16_000
    assert meter.look(11, total + 2000) == 0


def test_looks_that_follow_one_another_at_once_tell_the_same() -> None:
    meter = RateMeter(0.0)
    meter.look(5.0, 10_000)
    first = meter.look(6.0, 20_000)
    assert first == 80_000
    assert meter.look(6.001, 20_000) == pytest.approx(first, rel=0.01)


@given(st.lists(st.floats(0.01, 3), min_size=1, max_size=40), st.integers(0, 10_000_000))
def test_a_steady_stream_has_its_rate_whenever_one_looks(pauses: list[float], rate: int) -> None:
    meter, now = RateMeter(0.0), 0.0
    for pause in pauses:
        now += pause
        told = meter.look(now, round(now * rate))
        assert told == pytest.approx(8 * rate, abs=8 / min(now, WINDOW_S) + 1)
