"""A model for the page's tests: one grey level, a camera, and a way to fail."""

import time

import numpy as np
from pydantic import Field

from reactor_runtime import VideoIn, VideoModel, VideoOut, command, get_ctx, model


@model(name="grey")
class Grey(VideoModel):
    main_video = VideoOut(rate=30)
    webcam = VideoIn()

    def __init__(self):
        self.reset()

    def reset(self):
        self.level = 0.5
        self.crashing = False

    @command("set_level", description="How bright the picture is")
    def set_level(self, level: float = Field(0.5, ge=0.0, le=1.0)):
        self.level = level
        get_ctx().send({"type": "level", "level": level})

    @command("crash")
    def crash(self):
        self.crashing = True

    def start_session(self):
        ctx = get_ctx()
        while not ctx.should_stop():
            if self.crashing:
                raise ValueError("as asked")
            seen = ctx.get_track("webcam").latest()
            frame = np.full((240, 320, 3), round(255 * self.level), np.uint8)
            if seen is not None:
                frame[:, 160:] = seen.mean(axis=(0, 1)).astype(np.uint8)
            ctx.get_track().emit(frame)
            time.sleep(1 / 60)
