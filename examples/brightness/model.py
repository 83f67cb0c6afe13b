"""A moving picture that people steer while they watch: brightness, colours, a line of text.

Replace `picture` with your own model; everything around it can stay.
"""

import threading
from typing import Literal

import cv2
import numpy as np
from omegaconf import DictConfig
from pydantic import Field

from reactor_runtime import VideoModel, VideoOut, command, get_ctx, model

PALETTES = {
    "sunset": ["#1b0b3b", "#6a1b6d", "#d1495b", "#f79256", "#fbd1a2"],
    "ocean": ["#03045e", "#0077b6", "#00b4d8", "#90e0ef", "#f1faee"],
    "forest": ["#081c15", "#1b4332", "#40916c", "#95d5b2", "#fefae0"],
    "neon": ["#0d0221", "#540d6e", "#ee4266", "#3bceac", "#0ead69"],
}
Palette = Literal["sunset", "ocean", "forest", "neon"]


@model(name="brightness", config="config.yml", description="A moving picture with a brightness slider")
class Brightness(VideoModel):
    main_video = VideoOut(rate=30)

    def __init__(self, config: DictConfig):
        # Once, before anybody connects. Load weights and allocate memory here.
        self.width = config.get("width", 832)
        self.height = config.get("height", 480)
        self.speed = config.get("speed", 1.0)
        self.colours = {name: gradient(stops) for name, stops in PALETTES.items()}
        across = np.linspace(-1, 1, self.width // 4, dtype=np.float32)
        down = np.linspace(-1, 1, self.height // 4, dtype=np.float32) * self.height / self.width
        self.x, self.y = np.meshgrid(across, down)
        self.caption = threading.Lock()
        self.reset()

    def reset(self):
        # After every session: the next person must not see this one's choices.
        self.brightness = 1.0
        self.palette = "sunset"
        self.text = ""
        self.text_size = 1.0

    @command("set_brightness", description="Darker or brighter")
    def set_brightness(self, brightness: float = Field(1.0, ge=0.0, le=2.0)):
        self.brightness = brightness

    @command("set_palette", description="The colours of the picture")
    def set_palette(self, palette: Palette = "sunset"):
        self.palette = palette

    @command("set_text", description="A line of text on the picture")
    def set_text(
        self,
        text: str = Field("", max_length=40),
        size: float = Field(1.0, ge=0.5, le=3.0),
    ):
        with self.caption:  # commands run on another thread; these two belong together
            self.text, self.text_size = text, size

    def start_session(self):
        # Once for each person. Returning ends the session.
        ctx = get_ctx()
        frames = 0
        while not ctx.should_stop():
            ctx.get_track().emit(self.picture(frames / 30))
            frames += 1
            if frames % 30 == 0:
                ctx.send({"type": "progress", "frames": frames})

    def picture(self, seconds: float) -> np.ndarray:
        """One frame, (height, width, 3) uint8 RGB."""
        t = seconds * self.speed
        x = self.x + 0.25 * np.sin(2.1 * self.y + 0.7 * t)
        y = self.y + 0.25 * np.sin(2.7 * x - 0.5 * t)
        away = np.sqrt(x * x + y * y + 0.05)
        waves = np.sin(3 * x + t) + np.sin(4 * y - 1.3 * t) + np.sin(5 * away - 1.7 * t)
        small = self.colours[self.palette][((waves + 3) * (255 / 6)).astype(np.uint8)]
        frame = cv2.resize(small, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
        frame = cv2.convertScaleAbs(frame, alpha=self.brightness)
        self.write(frame)
        return frame

    def write(self, frame: np.ndarray) -> None:
        with self.caption:
            text, size = self.text, self.text_size
        (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, size, 2)
        corner = ((self.width - width) // 2, (self.height + height) // 2)
        for colour, thickness in (((0, 0, 0), 6), ((255, 255, 255), 2)):
            cv2.putText(frame, text, corner, cv2.FONT_HERSHEY_DUPLEX, size, colour, thickness, cv2.LINE_AA)


def gradient(stops: list[str]) -> np.ndarray:
    """256 RGB colours that run through `stops` ("#rrggbb"), (256, 3) uint8."""
    rgb = np.array([list(bytes.fromhex(stop[1:])) for stop in stops], dtype=np.float32)
    at = np.linspace(0, len(stops) - 1, 256)
    return np.stack([np.interp(at, range(len(stops)), rgb[:, c]) for c in range(3)], axis=1).astype(np.uint8)
