"""A model that loads as fast as one can, and does what it is told."""

import os
import time

import numpy as np

from reactor_runtime import VideoModel, VideoOut, command, get_ctx, model


@model(name="toy")
class Toy(VideoModel):
    main_video = VideoOut(rate=10)

    def __init__(self):
        if os.environ.get("TOY_LOADS_S"):
            time.sleep(float(os.environ["TOY_LOADS_S"]))
        if os.environ.get("CUDA_VISIBLE_DEVICES") == os.environ.get("TOY_BROKEN_GPU", "none"):
            raise RuntimeError("this GPU is broken")

    @command("where")
    def where(self):
        return {"gpu": os.environ.get("CUDA_VISIBLE_DEVICES"), "pid": os.getpid()}

    def start_session(self):
        while not get_ctx().should_stop():
            get_ctx().get_track().emit(np.full((120, 160, 3), 90, np.uint8))
