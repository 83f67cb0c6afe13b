"""What can happen to a voice. An effect takes (M,) float32, gives as many, and remembers what came before."""

from collections.abc import Callable

import numpy as np

RATE = 48_000
CHUNK = 480
"""Samples an effect gets at most: less than any of the delays below, so that each is one addition."""

Effect = Callable[[np.ndarray, float], np.ndarray]


class Plain:
    def __call__(self, voice: np.ndarray, amount: float) -> np.ndarray:
        return voice


class Robot:
    """The voice times a low tone: the oldest robot there is."""

    def __init__(self):
        self.place = 0

    def __call__(self, voice: np.ndarray, amount: float) -> np.ndarray:
        time = np.arange(self.place, self.place + len(voice)) / RATE
        self.place = (self.place + len(voice)) % (RATE * 10)
        hertz = 30 + round(12 * amount) * 10
        return (1.5 * voice * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


class Pitch:
    """Up or down by an octave: two heads read a short tape at another speed, and fade into each other."""

    WINDOW = 2048

    def __init__(self):
        self.tape = np.zeros(self.WINDOW + CHUNK + 2, np.float32)
        self.phase = 0.0

    def __call__(self, voice: np.ndarray, amount: float) -> np.ndarray:
        count = len(voice)
        self.tape = np.concatenate([self.tape[count:], voice])
        speed = 2.0 ** (2 * amount - 1)
        phases = self.phase + (1 - speed) / self.WINDOW * np.arange(count)
        self.phase = float(phases[-1] + (1 - speed) / self.WINDOW) % 1.0
        now = len(self.tape) - count + np.arange(count)
        heard = np.zeros(count, np.float32)
        for head in (0.0, 0.5):
            phase = (phases + head) % 1.0
            place = now - phase * self.WINDOW
            before = np.clip(place.astype(int), 0, len(self.tape) - 2)
            share = (place - before).astype(np.float32)
            sample = self.tape[before] * (1 - share) + self.tape[before + 1] * share
            heard += sample * np.sin(np.pi * phase).astype(np.float32) ** 2
        return heard


class Delay:
    """What was said some samples ago, again and again."""

    def __init__(self, samples: int):
        self.line = np.zeros(samples, np.float32)

    def __call__(self, voice: np.ndarray, feedback: float) -> np.ndarray:
        past = self.line[: len(voice)]
        self.line = np.concatenate([self.line[len(voice) :], voice + feedback * past])
        return past


class Echo:
    def __init__(self):
        self.delay = Delay(int(0.3 * RATE))

    def __call__(self, voice: np.ndarray, amount: float) -> np.ndarray:
        return voice + self.delay(voice, 0.8 * amount) * (0.3 + 0.7 * amount)


class Cathedral:
    """Four echoes whose lengths have nothing in common (Schroeder, 1962)."""

    LENGTHS = (1687, 1801, 1931, 2053)

    def __init__(self):
        self.delays = [Delay(length * 2) for length in self.LENGTHS]

    def __call__(self, voice: np.ndarray, amount: float) -> np.ndarray:
        hall = sum(delay(voice, 0.6 + 0.32 * amount) for delay in self.delays)
        return (1 - 0.5 * amount) * voice + 0.4 * amount * hall


EFFECTS: dict[str, Callable[[], Effect]] = {
    "none": Plain,
    "robot": Robot,
    "pitch": Pitch,
    "echo": Echo,
    "cathedral": Cathedral,
}
