"""The studio's moving picture; beside it, what the model's own thread has taken of the processor."""

import time

from studio import Studio

from reactor_runtime import VideoModel, command, get_ctx, model


@model(name="overloaded")
class Overloaded(VideoModel):
    def __init__(self, config):
        self.studio = Studio()
        self.spent = 0.0

    @command("spent")
    def tell(self) -> dict:
        return {"type": "spent", "seconds": self.spent}

    def start_session(self):
        track = get_ctx().get_track()
        while not get_ctx().should_stop():
            self.studio.wait()
            track.emit(self.studio.draw())
            self.spent = time.thread_time()
