"""Tones, and what is heard of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def tone(hertz: float, rate: int, seconds: float, start: int = 0, loud: float = 0.5) -> NDArray[np.int16]:
    """``(M,)`` int16; blocks whose `start` samples follow each other have no seam."""
    time = np.arange(start, start + round(seconds * rate)) / rate
    return np.asarray(np.rint(loud * 32767 * np.sin(2 * np.pi * hertz * time)), dtype=np.int16)


def pitch(samples: NDArray[np.int16], rate: int) -> float:
    """The loudest frequency in Hz, to better than 1 Hz."""
    size = 1 << 18
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size))
    return float(np.argmax(spectrum)) * rate / size


def loudness_beside(samples: NDArray[np.int16], rate: int, hertz: float) -> float:
    """What is not the tone of `hertz`, relative to it, in dB."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    near = np.abs(frequencies - hertz) < 20
    return float(10 * np.log10(spectrum[~near].sum() / spectrum[near].sum()))
