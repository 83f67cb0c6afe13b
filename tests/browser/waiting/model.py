"""Waits for a camera, fails where it is told to, and may ignore the wish to stop."""

import time
from pathlib import Path

import numpy as np

from reactor_runtime import VideoIn, VideoModel, VideoOut, command, get_ctx, model


@model(name="waiting", title="The waiting room", description="Shows nothing before it sees something")
class WaitingRoom(VideoModel):
    main_video = VideoOut(rate=30)
    webcam = VideoIn()

    def __init__(self):
        self.reset()

    def reset(self):
        self.how = ""

    def on_media(self, bundle):
        raise LookupError("no such face")

    @command("fail")
    def fail(self, how: str):
        if how == "here":
            raise ZeroDivisionError("in the command")
        self.how = how

    def start_session(self):
        ctx = get_ctx()
        seen = None
        while not ctx.should_stop():
            if self.how == "crash":
                raise ValueError("as asked")
            if self.how.startswith("ignore until "):
                self.ignore(Path(self.how.removeprefix("ignore until ")))
            seen = ctx.get_track("webcam").latest()
            if seen is not None:
                ctx.get_track().emit(np.full((240, 320, 3), 200, np.uint8))
            time.sleep(1 / 60)

    def ignore(self, until):
        """Whatever happens, until this file is there; for 25 s at most."""
        end = time.monotonic() + 25
        while not until.exists() and time.monotonic() < end:
            time.sleep(0.05)
