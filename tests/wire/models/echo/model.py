"""A model that says and shows what reached it."""

from typing import Literal

import numpy as np
from pydantic import Field

from reactor_runtime import CommandError, UploadedFile, VideoIn, VideoModel, VideoOut, command, get_ctx, model

SHADES = {"dark": 40, "mid": 120, "light": 220}


@model(name="echo")
class Echo(VideoModel):
    main_video = VideoOut(rate=30)
    webcam_back = VideoOut()
    webcam = VideoIn()

    def __init__(self):
        self._start_over()

    def _start_over(self):
        self.shade = "mid"
        self.received = 0

    @command("set_shade", description="How bright the picture is")
    def set_shade(self, shade: Literal["dark", "mid", "light"]):
        self.shade = shade

    @command("add")
    def add(self, a: int = Field(..., ge=0, le=100), b: int = 1):
        return {"sum": a + b}

    @command("weigh")
    def weigh(self, file: UploadedFile):
        data = file.read_bytes()
        return {"name": file.name, "mime_type": file.mime_type, "size": file.size, "sum": sum(data)}

    @command("refuse")
    def refuse(self):
        raise CommandError("not_today", "Come back tomorrow.")

    @command("break")
    def break_(self):
        raise ValueError("a secret of the model")

    @command("state")
    def state(self):
        return {"shade": self.shade, "received": self.received, "session": get_ctx().session_id}

    @command("crash")
    def crash(self):
        self.shade = "crash"

    @command("finish")
    def finish(self):
        self.shade = "finish"

    def on_media(self, bundle):
        if bundle.get_track("webcam") is not None:
            self.received += 1

    def start_session(self):
        get_ctx().send({"type": "hello", "shade": self.shade, "received": self.received})
        seen = get_ctx().get_track("webcam")
        while not get_ctx().should_stop():
            if self.shade == "crash":
                raise RuntimeError("the model crashed as it was told to")
            if self.shade == "finish":
                break
            picture = np.full((240, 320, 3), SHADES[self.shade], np.uint8)
            get_ctx().get_track().emit(picture)
            camera = seen.latest()
            get_ctx().get_track("webcam_back").emit(255 - camera if camera is not None else picture)
        if self.shade == "finish":
            get_ctx().send({"type": "goodbye"})

    def reset(self):
        self._start_over()
