from __future__ import annotations

import numpy as np
import pytest

from reactor_runtime.errors import FrameError
from reactor_runtime.media.samples import BLOCK_LIMIT_S, to_samples

RATE = 24_000


def test_int16_is_taken_as_it_is() -> None:
    block = np.array([[-32768, 0, 32767]], np.int16)
    np.testing.assert_array_equal(to_samples(block, 1, RATE), block)
    np.testing.assert_array_equal(to_samples(block[0], 1, RATE), block)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_scaled(dtype: type) -> None:
    samples = to_samples(np.array([-1.0, -0.5, 0.0, 1.0], dtype), 1, RATE)
    assert samples.dtype == np.int16
    np.testing.assert_allclose(samples, [[-32767, -16384, 0, 32767]], atol=1)


def test_a_little_too_loud_is_clipped() -> None:
    np.testing.assert_array_equal(to_samples(np.array([-1.2, 1.2]), 1, RATE), [[-32767, 32767]])


def test_mono_on_a_stereo_track_sounds_on_both_sides() -> None:
    samples = to_samples(np.array([1, 2, 3], np.int16), 2, RATE)
    np.testing.assert_array_equal(samples, [[1, 2, 3], [1, 2, 3]])


def test_nothing_is_nothing() -> None:
    assert to_samples(np.empty(0), 2, RATE).shape == (2, 0)


def test_torch_tensors_are_taken() -> None:
    torch = pytest.importorskip("torch")
    samples = to_samples(torch.tensor([[0.5, -0.5]], dtype=torch.bfloat16), 1, RATE)
    np.testing.assert_allclose(samples, [[16384, -16384]], atol=1)


@pytest.mark.parametrize(
    ("given", "channels", "words"),
    [
        (np.zeros((100, 2), np.int16), 2, ["(100, 2)", "emit its transpose", "(2, M)"]),
        (np.zeros((2, 100), np.int16), 1, ["(2, 100)", "AudioOut(channels=2)"]),
        (np.zeros((1, 2, 3), np.int16), 1, ["(1, 2, 3)", "accepted on this track: (M,) or (1, M)"]),
        (np.zeros(100, np.int32), 1, ["int32", "int16 or float"]),
        (np.full(10, 20_000.0), 1, ["from 20000 to 20000", "[-1, 1]", "int16"]),
        (np.array([0.0, np.nan]), 1, ["nan", "[-1, 1]"]),
        ([0.1, 0.2], 1, ["a list", "numpy array"]),
        (np.zeros(int((BLOCK_LIMIT_S + 1) * RATE), np.int16), 1, ["61 s", "at most 60 s"]),
    ],
)
def test_anything_else_is_refused_in_words(given: object, channels: int, words: list[str]) -> None:
    with pytest.raises(FrameError) as refused:
        to_samples(given, channels, RATE)
    for word in words:
        assert word in str(refused.value)
