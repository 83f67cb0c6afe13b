"""Small models, each with one habit."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import numpy as np

from reactor_runtime import CommandError, VideoIn, VideoModel, VideoOut, command, get_ctx, model

SIZE = (48, 64)


def rgb(level: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.full((*SIZE, 3), level, np.uint8)


@model("painter", version="0.1.0", keep=["level", "runs", "levels"])
class Painter(VideoModel):
    """Draws its level until it is stopped; counts its sessions."""

    main_video = VideoOut(default=True)
    webcam = VideoIn()

    def __init__(self) -> None:
        self.level = 0
        self.runs = 0
        self.levels: list[int] = []

    def start_session(self) -> None:
        ctx = get_ctx()
        self.runs += 1
        self.level, self.levels = 0, []
        while not ctx.should_stop():
            ctx.get_track().emit(rgb(self.level))
            ctx.wait_stop(0.02)

    @command("set_level", description="How bright.")
    def set_level(self, level: int) -> int:
        self.levels.append(level)
        self.level = level
        get_ctx().send({"type": "level", "data": {"level": level}})
        return level

    @command("runs")
    def count_runs(self) -> int:
        return self.runs

    @command("crash")
    def crash(self) -> None:
        raise ValueError("a secret")

    @command("refuse")
    async def refuse(self) -> None:
        await asyncio.sleep(0)
        raise CommandError("too_fast", "Slow down.")

    @command("look")
    def look(self) -> int:
        deadline = time.monotonic() + 2
        while (seen := get_ctx().get_track("webcam").latest()) is None and time.monotonic() < deadline:
            time.sleep(0.005)
        return -1 if seen is None else int(seen[0, 0, 0])


@model("visitor")
class Returning(VideoModel):
    """Emits thirty frames and a message, and returns; says goodbye in `finally` and in `reset`."""

    def start_session(self) -> None:
        ctx = get_ctx()
        try:
            ctx.get_track().emit(np.stack([rgb(level) for level in range(0, 240, 8)]))
            ctx.send("emitted")
        finally:
            ctx.send("finally")
            ctx.get_track().emit(rgb(250))

    def reset(self) -> None:
        get_ctx().send("reset")
        get_ctx().get_track().emit(rgb(255))


@model("failing")
class Failing(VideoModel):
    """Raises in its first three sessions."""

    def __init__(self) -> None:
        self.sessions = 0

    def start_session(self) -> None:
        self.sessions += 1
        get_ctx().send(self.sessions)
        if self.sessions <= 3:
            raise RuntimeError("a secret")
        get_ctx().wait_stop(10)


@model("deaf")
class Deaf(VideoModel):
    """Ignores `should_stop` until the test lets go of it."""

    release = threading.Event()

    def start_session(self) -> None:
        self.a_long_step()

    def a_long_step(self) -> None:
        Deaf.release.wait(20)


@model("unloadable")
class Unloadable(VideoModel):
    def __init__(self) -> None:
        raise FileNotFoundError("no weights here")

    def start_session(self) -> None: ...


@model("slow")
class SlowToLoad(VideoModel):
    release = threading.Event()

    def __init__(self) -> None:
        SlowToLoad.release.wait(20)

    def start_session(self) -> None: ...
