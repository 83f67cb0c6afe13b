from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.transports.impair.shaper import (
    OVERHEAD,
    QUEUE_S,
    Impairment,
    ImpairmentError,
    Shaper,
)

PACKET = 1172


def send(impairment: Impairment, times: list[float], size: int = PACKET) -> list[float | None]:
    shaper = Shaper(impairment, random.Random(1))
    return [shaper.arrival(now, size) for now in times]


def steady(seconds: float, per_second: int = 100) -> list[float]:
    return [number / per_second for number in range(round(seconds * per_second))]


def test_what_an_author_writes() -> None:
    assert Impairment.parse("loss=3,rtt=150, jitter=30,rate=2M,blackout=5@10") == Impairment(
        loss=3, rtt=150, jitter=30, rate=2_000_000, blackout=5, blackout_at=10
    )
    assert Impairment.parse("rate=500k").rate == 500_000
    assert Impairment.parse("") == Impairment()


@pytest.mark.parametrize(
    "text",
    ["los=3", "loss", "loss=", "loss=-1", "loss=many", "loss=101", "blackout_at=3", "rtt=1e9", "rate=2T"],
)
def test_what_cannot_be_read_is_a_sentence(text: str) -> None:
    with pytest.raises(ImpairmentError, match="--impair"):
        Impairment.parse(text)


@given(st.text(max_size=40))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        found = Impairment.parse(text)
    except ImpairmentError:
        return
    assert 0 <= found.loss <= 100


def test_nothing_asked_nothing_done() -> None:
    times = steady(2)
    assert send(Impairment(), times) == times


def test_the_share_that_is_lost() -> None:
    arrivals = send(Impairment(loss=3), steady(100))

    assert 0.02 < sum(arrival is None for arrival in arrivals) / len(arrivals) < 0.04


def test_delay_is_half_of_the_round_trip_and_jitter_never_reorders() -> None:
    times = steady(10)
    arrivals = [a for a in send(Impairment(rtt=150, jitter=30), times) if a is not None]

    delays = [arrival - now for arrival, now in zip(arrivals, times, strict=True)]
    assert 0.075 <= min(delays) < 0.08
    assert 0.1 < max(delays) <= 0.105
    assert arrivals == sorted(arrivals)


def test_a_bottleneck_carries_its_rate_and_drops_what_its_queue_cannot_hold() -> None:
    times = steady(10, per_second=400)  # 3.8 Mbit/s
    arrivals = [a for a in send(Impairment(rate=2_000_000), times) if a is not None]

    assert len(arrivals) * (PACKET + OVERHEAD) * 8 / 10 == pytest.approx(2_000_000, rel=0.05)
    assert max(arrivals) <= times[-1] + QUEUE_S + 0.01


def test_a_blackout_lasts_as_long_as_it_was_asked_for() -> None:
    times = steady(20)
    arrivals = send(Impairment(blackout=5, blackout_at=10), [100 + now for now in times])

    dark = [now for now, arrival in zip(times, arrivals, strict=True) if arrival is None]
    assert (dark[0], dark[-1], len(dark)) == (10.0, 14.99, 500)
