"""Your camera, through an effect: takes a person's webcam in, sends the changed picture back."""

import time
from typing import Literal

import cv2
import numpy as np
from omegaconf import DictConfig
from pydantic import Field

from reactor_runtime import VideoIn, VideoModel, VideoOut, command, get_ctx, model

Effect = Literal["none", "edges", "cartoon", "pencil", "thermal"]


@model(name="webcam", config="config.yml", description="Your camera, through an effect")
class Webcam(VideoModel):
    webcam = VideoIn()
    main_video = VideoOut(rate=30)

    def __init__(self, config: DictConfig):
        self.first_effect = config.get("effect", "cartoon")
        self.waiting = waiting_picture(config.get("width", 832), config.get("height", 480))
        self.reset()

    def reset(self):
        self.effect = self.first_effect
        self.strength = 1.0
        self.mirror = True

    @command("set_effect", description="What happens to the picture")
    def set_effect(self, effect: Effect = "cartoon"):
        self.effect = effect
        get_ctx().send({"type": "effect", "effect": effect})

    @command("set_strength", description="How much of the effect is seen")
    def set_strength(self, strength: float = Field(1.0, ge=0.0, le=1.0)):
        self.strength = strength

    @command("set_mirror", description="Left and right as in a mirror")
    def set_mirror(self, mirror: bool = True):
        self.mirror = mirror

    def start_session(self):
        ctx = get_ctx()
        seen = 0
        while not ctx.should_stop():
            frame = ctx.get_track("webcam").latest()
            if frame is None:
                ctx.get_track().emit(self.waiting)
                ctx.wait_stop(0.2)
                continue
            if not ctx.connected:  # the person may come back; until then there is nothing to do
                ctx.wait_stop(0.1)
                continue
            started = time.perf_counter()
            ctx.get_track().emit(self.changed(frame))
            seen += 1
            if seen % 30 == 1:
                milliseconds = round((time.perf_counter() - started) * 1000, 1)
                ctx.send(
                    {"type": "camera", "size": [frame.shape[1], frame.shape[0]], "milliseconds": milliseconds}
                )

    def changed(self, frame: np.ndarray) -> np.ndarray:
        """The frame as the person chose to see it; (H, W, 3) uint8 RGB in and out."""
        strength, effect = self.strength, EFFECTS[self.effect]
        if self.mirror:
            frame = cv2.flip(frame, 1)
        if strength == 0:
            return frame
        return cv2.addWeighted(effect(frame), strength, frame, 1 - strength, 0)


def edges(frame: np.ndarray) -> np.ndarray:
    grey = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    lines = cv2.dilate(cv2.Canny(grey, 40, 110), np.ones((2, 2), np.uint8))
    picture = np.full_like(frame, (12, 14, 30))
    picture[lines > 0] = (90, 230, 255)
    return picture


def cartoon(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    small = cv2.resize(frame, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    for _ in range(2):
        small = cv2.bilateralFilter(small, 7, 40, 7)
    flat = cv2.resize(small // 24 * 24 + 12, (width, height), interpolation=cv2.INTER_LINEAR)
    grey = cv2.medianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), 5)
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 5)
    return cv2.bitwise_and(flat, flat, mask=ink)


def pencil(frame: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    paper = cv2.divide(grey, 255 - cv2.GaussianBlur(255 - grey, (21, 21), 0), scale=250)
    return cv2.cvtColor(paper, cv2.COLOR_GRAY2RGB)


def thermal(frame: np.ndarray) -> np.ndarray:
    coloured = cv2.applyColorMap(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLORMAP_INFERNO)
    return cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB)


EFFECTS = {"none": np.copy, "edges": edges, "cartoon": cartoon, "pencil": pencil, "thermal": thermal}


def waiting_picture(width: int, height: int) -> np.ndarray:
    """What is shown until the camera is on, (height, width, 3) uint8 RGB."""
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    shade = (1 - down) * np.array([24, 28, 58], np.float32) + down * np.array([66, 44, 92], np.float32)
    picture = np.ascontiguousarray(np.broadcast_to(shade, (height, width, 3)).astype(np.uint8))
    middle = (width // 2, height // 2 - height // 8)
    cv2.circle(picture, middle, height // 9, (236, 238, 255), 3, cv2.LINE_AA)
    cv2.circle(picture, middle, height // 22, (120, 220, 255), -1, cv2.LINE_AA)
    for line, size, at in (
        ("Waiting for your camera", 1.0, 0.62),
        ("Allow it in the browser to begin", 0.6, 0.72),
    ):
        (wide, _), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_DUPLEX, size, 1)
        corner = ((width - wide) // 2, int(height * at))
        cv2.putText(picture, line, corner, cv2.FONT_HERSHEY_DUPLEX, size, (236, 238, 255), 1, cv2.LINE_AA)
    return picture
