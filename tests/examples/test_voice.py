from __future__ import annotations

import numpy as np
import pytest

RATE = 48_000
EFFECTS = ("none", "robot", "pitch", "echo", "cathedral")


@pytest.fixture
def stage(load):
    return load("voice")


def tone(hertz: float, seconds: float) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return np.rint(8000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)[np.newaxis]


def pitch(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 18))
    return float(np.argmax(spectrum)) * RATE / (1 << 18)


def speak(stage, hertz: float = 440, seconds: float = 1.0) -> np.ndarray:
    """What comes back of a tone."""
    stage.microphone = tone(hertz, seconds)
    stage.play(frames=int(seconds * 30), seconds=1.0)
    return np.concatenate(stage.heard)


def test_waits_for_the_microphone_without_burning_a_core(stage):
    stage.check_it_rests(0.4)
    assert not stage.heard


@pytest.mark.parametrize("effect", EFFECTS)
def test_each_effect_gives_as_much_as_it_takes(stage, effect):
    stage.command("set_effect", effect=effect)
    heard = speak(stage)
    assert heard.shape == (RATE,)
    assert heard.dtype == np.float32
    assert 0.05 < np.abs(heard).max() <= 1
    assert np.isfinite(heard).all()


def test_picture_and_sound_make_a_step(stage):
    speak(stage)
    assert stage.steps[:4] == ["main_video", "voice", "main_video", "voice"]
    assert len(stage.shown) == len(stage.heard) == 30
    assert (stage.shown[20] != stage.shown[0]).any()


@pytest.mark.parametrize(("amount", "hertz"), [(0.0, 220), (0.5, 440), (1.0, 880)])
def test_the_pitch_moves_by_an_octave(stage, amount, hertz):
    stage.command("set_effect", effect="pitch")
    stage.command("set_amount", amount=amount)
    assert pitch(speak(stage)[RATE // 4 :]) == pytest.approx(hertz, rel=0.06)


def test_an_echo_comes_when_the_voice_is_over(stage):
    stage.command("set_effect", effect="echo")
    stage.microphone = np.concatenate([tone(440, 0.1), np.zeros((1, RATE), np.int16)], axis=1)
    stage.play(frames=33, seconds=1.0)
    heard = np.abs(np.concatenate(stage.heard))
    assert heard[int(0.12 * RATE) : int(0.29 * RATE)].max() < 0.01
    assert heard[int(0.3 * RATE) : int(0.4 * RATE)].max() > 0.1


def test_nothing_changes_without_an_effect(stage):
    stage.command("set_effect", effect="none")
    assert pitch(speak(stage)) == pytest.approx(440, abs=1)
    loud = np.abs(speak(stage)).max()
    stage.command("set_volume", volume=0.0)
    assert np.abs(speak(stage)).max() == 0 < loud


def test_pauses_while_nobody_is_there(stage):
    stage.connected = False
    assert stage.play(frames=1, seconds=1) == []
    assert stage.slept >= 1


def test_the_next_person_begins_afresh(stage):
    before = speak(stage)
    for name, value in {"effect": "echo", "amount": 0.9, "volume": 0.2}.items():
        stage.command(f"set_{name}", **{name: value})
    speak(stage)
    stage.model.reset()
    np.testing.assert_array_equal(before, speak(stage))


def test_messages(stage):
    stage.command("set_effect", effect="pitch")
    assert stage.sent == [{"type": "effect", "effect": "pitch"}]
