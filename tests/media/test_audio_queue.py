from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.media.audio_clock import TICK_S, TICK_SAMPLES, WIRE_RATE
from reactor_runtime.media.audio_queue import PICTURE_WAIT_S, PRIMING_S, AudioQueue, Departures


def block(count: int, start: int = 1, channels: int = 1) -> np.ndarray:
    return np.tile(np.arange(start, start + count, dtype=np.int16), (channels, 1))


def play(queue: AudioQueue, start: float, seconds: float) -> np.ndarray:
    ticks = round(seconds / TICK_S)
    return np.concatenate([queue.take(start + n * TICK_S, TICK_SAMPLES) for n in range(ticks)])


def first_sound(heard: np.ndarray) -> float:
    return float(np.flatnonzero(heard[:, 0])[0]) / WIRE_RATE


def test_silence_where_nothing_is() -> None:
    queue = AudioQueue(2)
    np.testing.assert_array_equal(queue.take(0.0, 480), np.zeros((480, 2), np.int16))
    assert queue.counters.silence == 480


def test_a_run_begins_after_its_priming() -> None:
    queue = AudioQueue(1)
    queue.put(1.0, block(4800))
    heard = play(queue, 1.0, 0.2)
    assert first_sound(heard) == pytest.approx(PRIMING_S, abs=1e-4)
    np.testing.assert_array_equal(heard[heard[:, 0] > 0, 0], np.arange(1, 4801))


def test_blocks_of_a_run_have_no_seam() -> None:
    queue = AudioQueue(1)
    queue.put(0.0, block(700))
    queue.put(0.003, block(700, start=701))
    heard = play(queue, 0.0, 0.1)[:, 0]
    begin = int(np.flatnonzero(heard)[0])
    np.testing.assert_array_equal(heard[begin : begin + 1400], np.arange(1, 1401))


def test_a_block_that_comes_just_in_time_joins_the_run() -> None:
    queue = AudioQueue(1)
    queue.put(0.0, block(960))
    play(queue, 0.0, 0.04)  # 20 ms of priming, 20 ms of sound
    queue.put(0.039, block(480, start=961))
    assert queue.take(0.04, 480)[0, 0] == 961
    assert queue.counters.underruns == 0


def test_a_late_block_is_an_underrun_and_begins_a_new_run() -> None:
    queue = AudioQueue(1)
    queue.put(0.0, block(480))
    play(queue, 0.0, 0.1)
    queue.put(0.1, block(480))
    assert first_sound(play(queue, 0.1, 0.1)) == pytest.approx(PRIMING_S, abs=1e-4)
    assert queue.counters.underruns == 2  # the second run has ended as well
    assert queue.counters.silence == 0.2 * WIRE_RATE - 960


@given(
    st.lists(
        st.tuples(st.integers(0, 3000), st.floats(0, 0.1)),
        max_size=40,
    )
)
def test_every_sample_is_played_once_or_still_waits(steps: list[tuple[int, float]]) -> None:
    queue, now, tick, given_samples = AudioQueue(1), 0.0, 0, 0
    heard: list[np.ndarray] = []
    for count, nap in steps:
        numbers = (np.arange(given_samples, given_samples + count) % 32_000 + 1).astype(np.int16)
        queue.put(now, numbers[np.newaxis])
        given_samples += count
        now += nap
        while tick * TICK_S <= now:
            heard.append(queue.take(tick * TICK_S, TICK_SAMPLES))
            tick += 1
    sound = np.concatenate(heard)[:, 0] if heard else np.empty(0)
    sound = sound[sound > 0]
    np.testing.assert_array_equal(sound, np.arange(len(sound)) % 32_000 + 1)
    assert len(sound) == queue.counters.played == given_samples - len(queue)
    assert queue.counters.played + queue.counters.silence == tick * TICK_SAMPLES


def test_sound_waits_for_its_picture() -> None:
    departures = Departures()
    queue = AudioQueue(1, departures)
    queue.put(0.0, block(480), ("video", 3))
    assert not play(queue, 0.0, 0.1).any()
    departures.note(("video", 2), 0.1)
    assert not play(queue, 0.1, 0.1).any()
    departures.note(("video", 3), 0.205)
    assert first_sound(play(queue, 0.2, 0.1)) == pytest.approx(0.005 + PRIMING_S, abs=1e-4)


def test_a_picture_that_left_in_time_makes_no_seam() -> None:
    departures = Departures()
    queue = AudioQueue(1, departures)
    for step in range(3):
        queue.put(step * 0.02, block(960, start=1 + 960 * step), ("video", step))
        departures.note(("video", step), step * 0.02)
    heard = play(queue, 0.0, 0.08)[:, 0]
    assert np.count_nonzero(heard) == 2880
    np.testing.assert_array_equal(heard[heard > 0], np.arange(1, 2881))
    assert queue.counters.underruns == 0


def test_a_picture_that_never_leaves_holds_nothing_for_ever() -> None:
    queue = AudioQueue(1)
    queue.put(0.0, block(480), ("video", 0))
    assert first_sound(play(queue, 0.0, 1.0)) == pytest.approx(PICTURE_WAIT_S, abs=0.011)


def test_what_is_ahead_of_a_picture() -> None:
    queue = AudioQueue(1)
    queue.put(0.0, block(4800), ("video", 0))
    queue.put(0.0, block(480), ("video", 1))
    assert queue.ahead_of(("video", 1)) == pytest.approx(0.1)
    assert queue.ahead_of(("video", 0)) == 0
    assert queue.ahead_of(("other", 0)) == pytest.approx(0.11)


def test_drops_are_counted() -> None:
    queue = AudioQueue(1)
    queue.put(0.0, block(9600))
    queue.trim(0.1)
    assert (len(queue), queue.counters.dropped) == (4800, 4800)
    queue.clear()
    assert (len(queue), queue.counters.dropped) == (0, 9600)


def test_what_nobody_hears_passes() -> None:
    queue = AudioQueue(1)
    queue.put(0.0, block(960))
    queue.skip(0.01)
    assert (len(queue), queue.counters.unheard) == (480, 480)
    queue.skip(1.0)
    assert (len(queue), queue.counters.unheard) == (0, 960)
    assert queue.counters.dropped == 0


def test_the_given_array_may_be_reused() -> None:
    queue, mine = AudioQueue(1), block(480)
    queue.put(0.0, mine)
    mine[:] = 0
    assert play(queue, 0.0, 0.05).any()
