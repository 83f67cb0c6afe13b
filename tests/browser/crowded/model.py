"""A model for the page's tests that has too much of everything: tracks, parameters, messages, words."""

import numpy as np
from pydantic import Field, create_model

from reactor_runtime import CommandError, VideoModel, VideoOut, command, get_ctx, model

WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
NAMES = ("main_video", "depth", "normals", "segmentation_of_everything_that_is_seen", "top", "side")
MESSAGES = 10_000
Sixty = create_model("Sixty", **{f"part_{number}": (float, Field(0.5, ge=0, le=1)) for number in range(60)})  # type: ignore[call-overload]  # fields by number


@model(name="a-model-with-a-name-that-is-as-long-as-a-name-may-ever-be-here")
class Crowded(VideoModel):
    main_video = VideoOut(rate=10, default=True)
    depth = VideoOut(rate=10)
    normals = VideoOut(rate=10)
    segmentation_of_everything_that_is_seen = VideoOut(rate=10)
    top = VideoOut(rate=10)
    side = VideoOut(rate=10)

    def __init__(self):
        self.reset()

    def reset(self):
        self.flooding = False

    @command("tune", description=WORD * 3)
    def tune(self, parts: Sixty = Sixty()):  # noqa: B008 - how authors write it
        return sum(parts.model_dump().values())  # type: ignore[attr-defined]  # as above

    @command("flood")
    def flood(self):
        self.flooding = True

    @command("refuse")
    def refuse(self, why: str):
        raise CommandError("no", f"{why} {WORD * 100}", field="why")

    def start_session(self):
        ctx, said = get_ctx(), 0
        wide, tall = np.zeros((180, 320, 3), np.uint8), np.full((180, 100, 3), 200, np.uint8)
        while not ctx.should_stop():
            for _ in range(100 if self.flooding and said < MESSAGES else 0):
                said += 1
                ctx.send({"type": f"kind_{said % 7}", "number": said, "text": "x" * 50})
            if said == MESSAGES:
                said += 1
                ctx.send({"type": "over"})
            for name in NAMES:
                ctx.get_track(name).emit(tall if name == "side" else wide)
