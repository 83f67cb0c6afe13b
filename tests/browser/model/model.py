"""A model for the page's tests: one grey level, and a command for every way to fail."""

import time
from typing import Literal, Optional

import numpy as np
from pydantic import BaseModel, Field

from reactor_runtime import CommandError, VideoIn, VideoModel, VideoOut, command, get_ctx, model


class Style(BaseModel):
    name: str
    strength: float = Field(1.0, ge=0, le=2)


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

    @command("move")
    def move(self, direction: Literal["left", "right"]):
        raise CommandError("wall", f"There is a wall on the {direction}.", field="direction")

    @command("say", description="Comes back as a message")
    def say(self, text: str):
        get_ctx().send({"type": "said", "text": text})

    @command("describe", description="Returns what it was given")
    def describe(
        self,
        points: list[int] = [1, 2],  # noqa: B006 - what an author writes; the runtime copies defaults
        style: Style = Style(name="ink"),  # noqa: B008 - the same
        zoom: Optional[float] = Field(None, ge=1, le=8),  # noqa: UP045 - the spelling of the seeds
        tags: dict[str, int] = {},  # noqa: B006
    ):
        return {"points": points, "style": style, "zoom": zoom, "tags": tags}

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
