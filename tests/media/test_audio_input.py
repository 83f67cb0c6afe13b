from __future__ import annotations

import numpy as np
import pytest

from reactor_runtime.media.audio_input import BUFFER_S, GAP_S, SOURCE_HOLD_S, AudioInput
from reactor_runtime.testing import VirtualClock

from .tones import pitch, tone

TEN_MS = 0.01


class Microphone:
    """An engine that hands on a block every 10 ms of virtual time."""

    def __init__(self, rate: int = 48_000, channels: int = 1, wire_rate: int = 48_000) -> None:
        self.clock = VirtualClock(50.0)
        self.input = AudioInput(rate, channels, clock=self.clock)
        self.wire_rate = wire_rate
        self._place = 0

    def speak(self, seconds: float, hertz: float = 440, channels: int = 1, source: object = None) -> None:
        for _ in range(round(seconds / TEN_MS)):
            self.clock.advance(TEN_MS)
            block = tone(hertz, self.wire_rate, TEN_MS, self._place)
            self._place += len(block)
            self.input.put(np.tile(block, (channels, 1)), self.wire_rate, source)


@pytest.mark.parametrize("wire", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("declared", [16_000, 24_000, 44_100, 48_000])
def test_the_declared_rate_is_what_the_author_gets(wire: int, declared: int) -> None:
    microphone = Microphone(declared, wire_rate=wire)
    microphone.speak(1.0)
    heard = microphone.input.read(declared // 2, timeout=0)
    assert heard is not None
    assert heard.shape == (1, declared // 2)
    assert pitch(heard[0], declared) == pytest.approx(440, abs=1)


def test_the_declared_channels_are_what_the_author_gets() -> None:
    stereo = Microphone(channels=2)
    stereo.speak(0.5)
    assert stereo.input.read(4800, timeout=0).shape == (2, 4800)  # type: ignore[union-attr]  # it is there
    mono = Microphone()
    mono.speak(0.5, channels=2)
    assert mono.input.latest().shape == (1, 480)  # type: ignore[union-attr]  # it is there


def test_read_gives_each_sample_once_and_in_order() -> None:
    sound = AudioInput(48_000, 2, clock=VirtualClock(50.0))
    for first in (0, 10, 20):
        sound.put(np.tile(np.arange(first, first + 10, dtype=np.int16), (2, 1)), 48_000)
    parts = [sound.read(15, timeout=0), sound.read(15, timeout=0)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1)[1], np.arange(30))  # type: ignore[arg-type]
    assert sound.read(1, timeout=0) is None


def test_the_oldest_is_dropped_and_counted() -> None:
    microphone = Microphone(16_000, wire_rate=16_000)
    microphone.speak(3.0)
    assert microphone.input.dropped == pytest.approx(16_000, abs=160)
    assert microphone.input.read(round(BUFFER_S * 16_000), timeout=0) is not None


def test_a_hole_is_filled_so_that_time_is_kept() -> None:
    microphone = Microphone()
    microphone.speak(0.1)
    microphone.clock.advance(0.5)  # the engine hands on nothing while the client sends pure silence
    microphone.speak(0.1)
    heard = microphone.input.read(round(0.7 * 48_000), timeout=0)
    assert heard is not None
    np.testing.assert_array_equal(heard[0, 4800:28_800], 0)
    assert heard[0, 28_810:].any()
    assert microphone.input.silence == 24_000


def test_a_reader_hears_silence_as_it_happens() -> None:
    microphone = Microphone()
    microphone.speak(0.1)
    assert microphone.input.read(4800, timeout=0) is not None
    assert microphone.input.read(480, timeout=0) is None
    microphone.clock.advance(0.2)
    assert microphone.input.read(round((0.2 - GAP_S) * 48_000), timeout=0) is not None
    assert microphone.input.read(480, timeout=0) is None  # no more silence than time


def test_jitter_of_the_engine_is_no_hole() -> None:
    microphone = Microphone()
    for late in [1, 5, 2, 4, 3] * 20:
        microphone.clock.advance(late * TEN_MS)
        for _ in range(late):
            microphone.input.put(np.ones((1, 480), np.int16), 48_000)
    assert microphone.input.silence == 0


def test_latest_is_silent_when_the_client_is() -> None:
    microphone = Microphone()
    assert microphone.input.latest() is None
    microphone.speak(0.05)
    assert microphone.input.latest().any()  # type: ignore[union-attr]  # it is there
    microphone.clock.advance(GAP_S * 2)
    assert not microphone.input.latest().any()  # type: ignore[union-attr]  # it is there


def test_two_clients_are_never_mixed() -> None:
    microphone = Microphone()
    microphone.speak(0.1, source="first")
    assert microphone.input.put(np.ones((1, 480), np.int16), 48_000, "second") is None
    microphone.speak(0.1, source="first")
    microphone.clock.advance(SOURCE_HOLD_S)
    assert microphone.input.put(np.ones((1, 480), np.int16), 48_000, "second") is not None
    assert microphone.input.put(np.ones((1, 480), np.int16), 48_000, "first") is None


def test_nothing_is_left_of_a_client() -> None:
    microphone = Microphone()
    microphone.speak(0.5)
    microphone.input.clear()
    microphone.clock.advance(1.0)
    assert microphone.input.latest() is None
    assert microphone.input.read(1, timeout=0) is None
