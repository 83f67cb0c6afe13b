"""A model whose picture says which frame it is, and what the last command wished."""

from typing import Literal

import numpy as np

from reactor_runtime import VideoIn, VideoModel, VideoOut, command, get_ctx, model

BITS = 16
SHADES = {"dark": 60, "light": 200}


@model(name="indexed")
class Indexed(VideoModel):
    main_video = VideoOut(rate=30)
    webcam = VideoIn()

    def reset(self):
        self.shade = "dark"

    __init__ = reset

    @command("set_shade")
    def set_shade(self, shade: Literal["dark", "light"]):
        self.shade = shade

    @command("seen")
    def seen(self):
        frame = get_ctx().get_track("webcam").latest()
        return None if frame is None else int(frame.mean())

    @command("wait")
    def wait(self, seconds: float):
        get_ctx().wait_stop(seconds)

    def start_session(self):
        index = 0
        while not get_ctx().should_stop():
            picture = np.full((64, BITS * 16, 3), SHADES[self.shade], np.uint8)
            for bit in range(BITS):
                picture[:32, bit * 16 : bit * 16 + 16] = 255 * (index >> bit & 1)
            get_ctx().get_track().emit(picture)
            index += 1
