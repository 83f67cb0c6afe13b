import json
import os
import time
from pathlib import Path

from studio import Studio

from reactor_runtime import VideoModel, command, get_ctx, model

FPS = 30
REPORT_S = 0.2


@model(name="spinning")
class Spinning(VideoModel):
    """Computes in pure Python all the time; draws 30 pictures a second, and emits them when told to."""

    def __init__(self, config):
        self.studio = Studio()
        self.emitting = True
        self.report = Path(os.environ["BENCH_TURNS"])

    @command("configure")
    def configure(self, fps: float = 0.0, slow: float = 0.0, tag: int = 0) -> None:
        self.emitting = fps != 1

    def start_session(self):
        track = get_ctx().get_track()
        turns, due, told = 0, time.monotonic(), 0.0
        while not get_ctx().should_stop():
            while time.monotonic() < due:
                for _ in range(100):
                    turns += 1
            due = max(due + 1 / FPS, time.monotonic())
            picture = self.studio.draw()
            if self.emitting:
                track.emit(picture)
            if time.monotonic() > told + REPORT_S:
                told = time.monotonic()
                self.report.write_text(json.dumps({"turns": turns, "at": told}))
