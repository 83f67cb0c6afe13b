from studio import Studio

from reactor_runtime import VideoModel, command, get_ctx, model


@model(name="bench")
class Bench(VideoModel):
    def __init__(self, config):
        self.studio = Studio()

    @command("configure")
    def configure(self, fps: float = 0.0, slow: float = 0.0, tag: int = 0) -> dict:
        return {"type": "configured", "tag": self.studio.configure(fps, slow, tag)}

    def start_session(self):
        track = get_ctx().get_track()
        while not get_ctx().should_stop():
            self.studio.wait()
            track.emit(self.studio.draw())
