from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
import pytest

from reactor_runtime.clock import WALL, Clock
from reactor_runtime.errors import FrameError
from reactor_runtime.media.audio_queue import PRIMING_S
from reactor_runtime.media.sound import ENDING_S, PICTURE_LAG_S, QUEUE_S, AudioTrackConfig, Sound
from reactor_runtime.testing import VirtualClock

from .fakes import held_back, quickest, until
from .tones import pitch, tone

WIRE = 48_000


class Ear:
    """A sink that remembers."""

    def __init__(self, fail: bool = False) -> None:
        self.blocks: list[np.ndarray] = []
        self.times: list[float] = []
        self.late: list[float] = []
        self.fail = fail

    def push(self, pcm: bytes, rate: int, channels: int, at: float) -> None:
        if self.fail:
            raise RuntimeError("a broken peer")
        assert rate == WIRE
        self.blocks.append(np.frombuffer(pcm, np.int16).reshape(-1, channels).T)
        self.times.append(at)
        self.late.append(time.monotonic() - at)

    @property
    def heard(self) -> np.ndarray:
        return np.concatenate(self.blocks, axis=1) if self.blocks else np.empty((1, 0), np.int16)


@contextmanager
def sounding(clock: Clock = WALL, **tracks: tuple[int, int]) -> Iterator[Sound]:
    sound = Sound({name: AudioTrackConfig(name, *facts) for name, facts in tracks.items()}, clock)
    try:
        yield sound
    finally:
        sound.close()


def play_out(clock: VirtualClock, sound: Sound, samples: int) -> None:
    """Let time pass until so many samples of the voice are out."""
    while sound.counters("voice").played < samples:
        clock.until_waiting()
        clock.advance(0.01)


def audio_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "reactor-audio"]


@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
def test_a_tone_is_heard_at_pitch(rate: int) -> None:
    with sounding(voice=(rate, 1)) as sound:
        ear = Ear()
        sound.subscribe("voice", ear)
        sound.emit("voice", tone(440, rate, 0.5))
        assert sound.drain(5.0)
    loud = ear.heard[0][np.abs(ear.heard[0]) > 0]
    assert len(loud) == pytest.approx(WIRE / 2, abs=300)
    assert pitch(ear.heard[0], WIRE) == pytest.approx(440, abs=1)


def test_without_a_listener_there_is_no_thread_and_the_same_pace() -> None:
    def held() -> float:
        with sounding(voice=(WIRE, 1)) as sound:
            began = time.monotonic()
            for _ in range(4):
                sound.emit("voice", np.ones(round(WIRE * 0.1), np.int16))
            lasted = time.monotonic() - began
            assert audio_threads() == []
            assert sound.counters("voice").unheard > 0
            assert sound.counters("voice").dropped == 0
        assert lasted > 0.15
        return lasted

    assert quickest(held) < 0.6


def test_the_thread_is_there_while_somebody_listens() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        first, second = Ear(), Ear()
        sound.subscribe("voice", first)
        sound.subscribe("voice", second)
        assert len(audio_threads()) == 1
        sound.unsubscribe(first)
        until(lambda: second.blocks)
        sound.unsubscribe(second)
        until(lambda: not audio_threads())
        sound.subscribe("voice", first)
        until(lambda: first.blocks)


def test_every_listener_gets_the_same_and_a_broken_one_harms_nobody() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        ears = [Ear(), Ear(fail=True), Ear()]
        for ear in ears:
            sound.subscribe("voice", ear)
        sound.emit("voice", tone(440, WIRE, 0.1))
        assert sound.drain(5.0)
    first, last = ears[0].heard[0], ears[2].heard[0]
    np.testing.assert_array_equal(first[first != 0], last[last != 0])


def test_two_tracks_never_share_a_buffer() -> None:
    with sounding(low=(24_000, 1), high=(WIRE, 2)) as sound:
        low, high = Ear(), Ear()
        sound.subscribe("low", low)
        sound.subscribe("high", high)
        sound.emit("low", tone(300, 24_000, 0.3))
        sound.emit("high", np.stack([tone(900, WIRE, 0.3), tone(1200, WIRE, 0.3)]))
        assert sound.drain(5.0)
    assert pitch(low.heard[0], WIRE) == pytest.approx(300, abs=2)
    assert pitch(high.heard[0], WIRE) == pytest.approx(900, abs=2)
    assert pitch(high.heard[1], WIRE) == pytest.approx(1200, abs=2)


def test_silence_fills_and_time_goes_on() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        ear = Ear()
        sound.subscribe("voice", ear)
        time.sleep(0.5)
        until(lambda: len(ear.blocks) + sound.clock.skipped >= 45)
        sound.unsubscribe(ear)
    # Its time is the wall's: the most punctual of the first and of the last are as punctual.
    assert min(ear.late[-20:]) == pytest.approx(min(ear.late[:20]), abs=0.01)
    assert 0 <= min(ear.late) < 0.05
    # Nobody is sent the same tick twice; one that a busy machine was too late for is counted.
    ticks = np.diff(ear.times) / 0.01
    assert ticks == pytest.approx(np.round(ticks), abs=1e-4)
    assert ticks.min() > 0.5
    assert round(ticks.sum()) <= len(ear.blocks) - 1 + sound.clock.skipped
    assert sound.counters("voice").silence == len(ear.blocks) * 480


def test_emit_holds_a_fast_model_back() -> None:
    clock = VirtualClock(50.0)
    with sounding(clock, voice=(WIRE, 1)) as sound:
        sound.subscribe("voice", Ear())

        def model() -> None:
            for _ in range(25):
                sound.emit("voice", np.ones(960, np.int16))

        emitting = threading.Thread(target=model)
        emitting.start()
        while emitting.is_alive():
            with suppress(TimeoutError):
                clock.until_waiting(2, within=0.01)  # the audio thread, and the model that is held back
                clock.advance(0.005)
        assert sound.counters("voice").dropped == 0
    assert clock.time() - 50.0 == pytest.approx(0.5 - QUEUE_S, abs=0.02)


def test_a_long_block_passes_whole() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        sound.subscribe("voice", Ear())
        began = time.monotonic()
        sound.emit("voice", np.ones(2 * WIRE, np.int16))
        assert time.monotonic() - began < 1  # held back, it would be nearly 2 s
        assert sound.flush() > WIRE / 2


def test_flush_cuts_what_waits_and_lets_the_model_go_on() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        ear = Ear()
        sound.subscribe("voice", ear)
        sound.emit("voice", np.ones(2 * WIRE, np.int16))
        waiting = held_back(lambda: sound.emit("voice", np.full(480, 7, np.int16)))
        until(lambda: ear.heard.any())
        sound.flush()
        waiting.join(1)  # what was emitted lasts 2 s
        assert not waiting.is_alive()
        assert sound.drain(5.0)
    assert 0 < np.count_nonzero(ear.heard == 1) < WIRE
    assert np.count_nonzero(ear.heard == 7) == 480
    assert sound.counters("voice").dropped > WIRE


@pytest.mark.parametrize("end", ["release", "close"])
def test_the_end_wakes_a_producer(end: str) -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        sound.emit("voice", np.ones(2 * WIRE, np.int16))
        waiting = held_back(lambda: sound.emit("voice", np.ones(480, np.int16)))
        getattr(sound, end)()
        waiting.join(1)  # what was emitted lasts 2 s
        assert not waiting.is_alive()


def test_the_tail_is_heard() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        ear = Ear()
        sound.subscribe("voice", ear)
        sound.emit("voice", np.ones(WIRE // 2, np.int16))
        sound.release()
        assert sound.drain(5.0)
        assert np.count_nonzero(ear.heard) == WIRE // 2
        assert not ear.blocks[-1].any()


def test_what_waits_at_the_end_is_bounded_and_counted() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        sound.subscribe("voice", Ear())
        sound.release()
        for _ in range(10):
            sound.emit("voice", np.ones(WIRE, np.int16))
        assert sound.counters("voice").dropped >= (10 - ENDING_S) * WIRE - WIRE
        assert sound.drain(0.1) is False


def test_none_is_silence_as_long_as_a_step() -> None:
    clock = VirtualClock(50.0)
    with sounding(clock, voice=(WIRE, 1)) as sound:
        ear = Ear()
        sound.subscribe("voice", ear)
        sound.emit("voice", np.ones(960, np.int16))
        sound.emit("voice", None)
        sound.emit("voice", np.ones(960, np.int16))
        play_out(clock, sound, 3 * 960)
        until(lambda: np.count_nonzero(ear.heard) == 2 * 960)
    places = np.flatnonzero(ear.heard[0])
    assert places[960] - places[959] == 961


def test_refused_in_the_callers_thread() -> None:
    with sounding(voice=(WIRE, 1)) as sound, pytest.raises(FrameError, match="accepted"):
        sound.emit("voice", "hello")


def test_latest_is_what_was_emitted_last() -> None:
    with sounding(voice=(24_000, 1)) as sound:
        assert sound.latest("voice") is None
        block = tone(440, 24_000, 0.02)
        sound.emit("voice", block)
        np.testing.assert_array_equal(sound.latest("voice"), block[np.newaxis])
        block[:] = 0
        assert sound.latest("voice").any()  # type: ignore[union-attr]  # it is there


def test_nothing_is_left_after_close() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        ear = Ear()
        sound.subscribe("voice", ear)
        sound.emit("voice", np.ones(480, np.int16))
        sound.close()
        sound.emit("voice", np.ones(480, np.int16))
        gone = weakref.ref(ear)
        del ear
        until(lambda: gone() is None)


def test_sound_is_stamped_with_the_time_of_its_picture() -> None:
    clock = VirtualClock(50.0)
    with sounding(clock, voice=(WIRE, 1)) as sound:
        ear = Ear()
        sound.subscribe("voice", ear)
        sound.picture_emitted(("video", 0), 1)
        sound.emit("voice", np.ones(960, np.int16))
        while len(ear.blocks) < 3:  # ticks have come, and the picture has not left
            clock.until_waiting()
            clock.advance(0.01)
        left = clock.advance(0.003)
        lag = sound.picture_left(("video", 0), left)
        play_out(clock, sound, 960)
        until(lambda: np.count_nonzero(ear.heard) == 960)
    assert lag == PICTURE_LAG_S
    first = next(i for i, block in enumerate(ear.blocks) if block.any())
    began = ear.times[first] + np.flatnonzero(ear.blocks[first][0])[0] / WIRE
    assert began == pytest.approx(left + lag, abs=0.002)


def test_pictures_without_sound_do_not_wait() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        sound.subscribe("voice", Ear())
        sound.picture_emitted(("video", 0), 1)
        assert sound.picture_left(("video", 0), time.monotonic()) == 0
        assert sound.hold(("video", 1), 0.0) == 0


def test_pictures_wait_for_the_sound_of_earlier_steps() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        sound.subscribe("voice", Ear())
        for step in range(2):
            sound.picture_emitted(("video", step), 1)
            sound.picture_left(("video", step), time.monotonic())
            sound.emit("voice", np.ones(round(0.1 * WIRE), np.int16))
        sound.picture_emitted(("video", 2), 1)
        assert 0.1 < sound.hold(("video", 2), 0.0) < 0.2
        assert sound.hold(("video", 2), 0.5) == 0
        sound.release()
        assert sound.hold(("video", 2), 0.0) == 0


def test_a_long_sentence_does_not_stop_the_pictures_behind_it() -> None:
    with sounding(voice=(WIRE, 1)) as sound:
        sound.subscribe("voice", Ear())
        for step in range(5):
            sound.picture_emitted(("video", step), 1)
            if step == 3:
                sound.emit("voice", np.ones(3 * WIRE, np.int16))
        assert sound.hold(("video", 4), 0.0) == 0


def test_a_priming_is_shorter_than_the_lag() -> None:
    # Otherwise a sound could be due before its picture.
    assert PRIMING_S < PICTURE_LAG_S
