"""The picture of a voice: the wave as it was said and as it comes back, and its tones."""

import cv2
import numpy as np

INK, SAID, HEARD = (236, 238, 255), (96, 104, 160), (120, 220, 255)
BARS = 64
WAVE_SAMPLES = 4800
"""A tenth of a second across the picture."""


class Screen:
    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self.paper = paper(width, height)
        self.waiting = self.paper.copy()
        write(self.waiting, "Waiting for your microphone", 1.0, 0.45)
        write(self.waiting, "Allow it in the browser, and put headphones on", 0.6, 0.55)
        tones = np.geomspace(80, 12_000, BARS + 1)
        self.edges = np.round(tones * WAVE_SAMPLES / 48_000).astype(int)
        self.clear()

    def clear(self):
        self.said = np.zeros(WAVE_SAMPLES, np.float32)
        self.heard = np.zeros(WAVE_SAMPLES, np.float32)
        self.bars = np.zeros(BARS, np.float32)

    def draw(self, said: np.ndarray, heard: np.ndarray) -> np.ndarray:
        """(height, width, 3) uint8 RGB; `said` and `heard` are what is new since the last picture."""
        self.said = np.concatenate([self.said, said])[-WAVE_SAMPLES:]
        self.heard = np.concatenate([self.heard, heard])[-WAVE_SAMPLES:]
        picture = self.paper.copy()
        self.draw_bars(picture)
        self.draw_wave(picture, self.said, SAID)
        self.draw_wave(picture, self.heard, HEARD)
        return picture

    def draw_wave(self, picture: np.ndarray, samples: np.ndarray, colour: tuple[int, int, int]):
        x = np.linspace(0, self.width - 1, 400)
        wave = samples[np.linspace(0, len(samples) - 1, 400).astype(int)]
        y = self.height * (0.3 - 0.24 * np.clip(wave * 2, -1, 1))
        points = np.stack([x, y], axis=1).round().astype(np.int32)
        cv2.polylines(picture, [points], False, colour, 2, cv2.LINE_AA)

    def draw_bars(self, picture: np.ndarray):
        power = np.abs(np.fft.rfft(self.heard * np.hanning(WAVE_SAMPLES))) / 200
        loud = np.array(
            [power[a : max(b, a + 1)].max() for a, b in zip(self.edges, self.edges[1:], strict=False)]
        )
        self.bars = np.maximum(self.bars * 0.8, np.clip(np.log10(1 + 40 * loud) / 1.6, 0, 1))
        wide = self.width / BARS
        for number, tall in enumerate(self.bars):
            left, right = round(number * wide) + 2, round((number + 1) * wide) - 2
            top = round(self.height * (0.96 - 0.36 * tall))
            colour = tuple(int(a + (b - a) * tall) for a, b in zip((70, 60, 130), HEARD, strict=True))
            cv2.rectangle(picture, (left, top), (right, round(self.height * 0.97)), colour, -1)


def paper(width: int, height: int) -> np.ndarray:
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    shade = (1 - down) * np.array([24, 28, 58], np.float32) + down * np.array([40, 26, 60], np.float32)
    return np.ascontiguousarray(np.broadcast_to(shade, (height, width, 3)).astype(np.uint8))


def write(picture: np.ndarray, words: str, size: float, at: float):
    (wide, _), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_DUPLEX, size, 1)
    corner = ((picture.shape[1] - wide) // 2, int(picture.shape[0] * at))
    cv2.putText(picture, words, corner, cv2.FONT_HERSHEY_DUPLEX, size, INK, 1, cv2.LINE_AA)
