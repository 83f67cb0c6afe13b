from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.media.audio_clock import CATCH_UP_TICKS, TICK_S, TICK_SAMPLES, WIRE_RATE, AudioClock

CATCH_UP_S = CATCH_UP_TICKS * TICK_S


def run(clock: AudioClock, naps: list[float], start: float = 100.0) -> list[list[float]]:
    clock.start(start)
    now, turns = start, []
    for nap in naps:
        now += nap
        turns.append(clock.take(now))
    return turns


def test_a_tick_is_a_frame_of_the_engine() -> None:
    assert round(TICK_S * WIRE_RATE) == TICK_SAMPLES


@given(st.lists(st.floats(0.0, 0.045), min_size=1, max_size=200), st.floats(0, 1e6))
def test_every_tick_comes_once_and_in_order(naps: list[float], start: float) -> None:
    clock = AudioClock()
    ticks = [tick for turn in run(clock, naps, start) for tick in turn]
    assert ticks == pytest.approx([start + number * TICK_S for number in range(len(ticks))], abs=1e-6)
    assert clock.skipped == 0


@given(st.lists(st.floats(0.0, 2.0), min_size=1, max_size=100))
def test_what_is_sent_and_skipped_is_the_wall_clock(naps: list[float]) -> None:
    clock = AudioClock()
    sent = sum(len(turn) for turn in run(clock, naps))
    elapsed = (sent + clock.skipped) * TICK_S
    assert elapsed == pytest.approx(sum(naps), abs=TICK_S + 1e-5)


@given(st.lists(st.floats(0.0, 2.0), min_size=1, max_size=100))
def test_a_sender_that_was_held_up_catches_up_50_ms_at_most(naps: list[float]) -> None:
    for turn in run(AudioClock(), naps):
        assert len(turn) <= CATCH_UP_TICKS


@given(st.lists(st.floats(0.001, CATCH_UP_S - TICK_S), min_size=1, max_size=50))
def test_sixty_seconds_take_sixty_seconds(naps: list[float]) -> None:
    clock, now, sent = AudioClock(), 0.0, 0
    clock.start(now)
    for nap in itertools.cycle(naps):
        now += nap
        if now > 60:
            break
        sent += len(clock.take(now))
    sent += len(clock.take(60.0))
    assert sent * TICK_S == pytest.approx(60, abs=0.05)


def test_after_a_stall_it_goes_on_with_the_newest_ticks() -> None:
    clock = AudioClock()
    [turn] = run(clock, [1.0], start=0.0)
    assert turn == pytest.approx([0.96, 0.97, 0.98, 0.99, 1.0])
    assert clock.skipped == 96


def test_a_pause_is_not_a_stall() -> None:
    clock = AudioClock()
    run(clock, [0.1], start=0.0)
    clock.pause()
    assert (clock.take(5.0), clock.next_tick()) == ([], None)
    clock.start(10.0)
    assert clock.take(10.0) == [10.0]
    assert clock.next_tick() == pytest.approx(10.01)


def test_starting_twice_is_starting_once() -> None:
    clock = AudioClock()
    clock.start(0.0)
    clock.start(0.5)
    assert clock.next_tick() == 0.0
