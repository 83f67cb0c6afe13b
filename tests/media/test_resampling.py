from __future__ import annotations

import numpy as np
import pytest

from reactor_runtime.media.resampling import Resampler

from .tones import loudness_beside, pitch, tone


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 96_000])
def test_a_tone_keeps_its_pitch_without_seams(rate: int) -> None:
    whole = tone(440, rate, 1.0)
    resampler = Resampler(48_000, 1)
    parts = [resampler.convert(part[np.newaxis], rate) for part in np.array_split(whole, 37)]
    heard = np.concatenate(parts, axis=1)[0]
    assert len(heard) == pytest.approx(48_000, abs=100)
    assert pitch(heard, 48_000) == pytest.approx(440, abs=1)
    assert loudness_beside(heard[2000:-2000], 48_000, 440) < -60


def test_stereo_stays_stereo() -> None:
    both = np.stack([tone(500, 24_000, 0.5), tone(1500, 24_000, 0.5)])
    heard = Resampler(48_000, 2).convert(both, 24_000)
    assert pitch(heard[0], 48_000) == pytest.approx(500, abs=1)
    assert pitch(heard[1], 48_000) == pytest.approx(1500, abs=1)


def test_channels_are_mixed_or_doubled_as_declared() -> None:
    both = np.stack([tone(500, 48_000, 0.5), np.zeros(24_000, np.int16)])
    mono = Resampler(16_000, 1).convert(both, 48_000)
    assert mono.shape[0] == 1
    assert pitch(mono[0], 16_000) == pytest.approx(500, abs=1)
    doubled = Resampler(48_000, 2).convert(mono, 16_000)
    np.testing.assert_array_equal(doubled[0], doubled[1])


def test_what_fits_is_not_touched() -> None:
    block = np.ones((1, 480), np.int16)
    assert Resampler(48_000, 1).convert(block, 48_000) is block


def test_the_source_may_change_its_rate() -> None:
    resampler = Resampler(48_000, 1)
    resampler.convert(tone(440, 24_000, 0.2)[np.newaxis], 24_000)
    heard = resampler.convert(tone(440, 16_000, 0.5)[np.newaxis], 16_000)
    assert pitch(heard[0], 48_000) == pytest.approx(440, abs=2)
