"""Three tones out, a microphone in; says what it heard."""

import numpy as np

from reactor_runtime import AudioIn, AudioOut, VideoModel, command, get_ctx, model

STEP_S = 0.05


@model(name="tones")
class Tones(VideoModel):
    low = AudioOut(rate=24_000)
    cd = AudioOut(rate=44_100)
    both = AudioOut(rate=48_000, channels=2)
    microphone = AudioIn(rate=16_000)

    def __init__(self):
        self.reset()

    def reset(self):
        self.pieces = []
        self.silent = False

    @command("hush")
    def hush(self):
        self.silent = True

    @command("heard")
    def heard(self):
        """What came in over the three ways, as (samples, pitch, loudest)."""
        track = get_ctx().get_track("microphone")
        ways = {"read": track.read(16_000, timeout=3), "latest": track.latest(), "on_media": None}
        if self.pieces:
            ways["on_media"] = np.concatenate(self.pieces[-150:], axis=1)
        return {name: None if block is None else measured(block) for name, block in ways.items()}

    def on_media(self, bundle):
        self.pieces.append(bundle.get_track("microphone").data)

    def start_session(self):
        step = 0
        while not get_ctx().should_stop():
            loud = 0 if self.silent else 0.4
            for name, pitches in {"low": [440], "cd": [440], "both": [500, 1500]}.items():
                track = get_ctx().get_track(name)
                count = int(track.rate * STEP_S)
                time = np.arange(step * count, (step + 1) * count) / track.rate
                track.emit(np.stack([loud * np.sin(2 * np.pi * pitch * time) for pitch in pitches]))
            step += 1


def measured(block):
    spectrum = np.abs(np.fft.rfft(block[0] * np.hanning(block.shape[1]), 1 << 17))
    return [list(block.shape), float(np.argmax(spectrum)) * 16_000 / (1 << 17), int(np.abs(block).max())]
