"""A white flash and a beep in one step, one and a half times a second."""

import numpy as np

from reactor_runtime import AudioOut, VideoModel, VideoOut, get_ctx, model

FPS, RATE, EVERY = 30, 48_000, 20
SAMPLES = RATE // FPS
DARK = np.zeros((240, 320, 3), np.uint8)
BRIGHT = np.full((240, 320, 3), 235, np.uint8)
BEEP = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(SAMPLES) / RATE)).astype(np.float32)
SILENCE = np.zeros(SAMPLES, np.float32)


@model(name="flash")
class Flash(VideoModel):
    main_video = VideoOut(rate=FPS)
    sound = AudioOut(rate=RATE)

    def start_session(self):
        picture, sound = get_ctx().get_track("main_video"), get_ctx().get_track("sound")
        step = 0
        while not get_ctx().should_stop():
            now = step % EVERY < 2
            picture.emit(BRIGHT if now else DARK)
            sound.emit(BEEP if now else SILENCE)
            step += 1
