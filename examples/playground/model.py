"""Every kind of control that the page can make, one command each, on a picture that shows what arrived."""

import math
import time
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, Optional

import cv2
import numpy as np
from pydantic import BaseModel, Field

from reactor_runtime import CommandError, VideoIn, VideoModel, VideoOut, command, get_ctx, model

WIDTH, HEIGHT = 832, 480
SPEED = 220.0  # pixels a second
FONT = cv2.FONT_HERSHEY_DUPLEX
DIRECTIONS = {"forward": (0, -1), "back": (0, 1), "left": (-1, 0), "right": (1, 0), "none": (0, 0)}

Direction = Literal["forward", "back", "left", "right", "none"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Tilt = Annotated[float, Field(ge=-1.0, le=1.0)]


class Weather(Enum):
    """An enum may mix types; the page sends each value as it is."""

    CLEAR = "clear"
    RAIN = "rain"
    SNOW = "snow"
    FOG = "fog"
    STORM = "storm"
    LEVEL_TWO = 2
    HALF = 0.5


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: int = Field(40, ge=4, le=120)


class Square(BaseModel):
    kind: Literal["square"]
    side: int = Field(60, ge=4, le=200)
    filled: bool = False


class Style(BaseModel):
    name: str = Field("ink", min_length=1, max_length=20)
    strength: float = Field(1.0, ge=0, le=2)


@dataclass
class Line:
    start: tuple[float, float] = (0.1, 0.9)
    end: tuple[float, float] = (0.9, 0.9)


@model(name="playground", description="Every kind of control, on a picture that shows what arrived")
class Playground(VideoModel):
    main_video = VideoOut(rate=30)
    overview = VideoOut(rate=30)
    webcam = VideoIn()

    def __init__(self):
        across, down = np.meshgrid(np.linspace(0, 1, WIDTH // 4), np.linspace(0, 1, HEIGHT // 4))
        red, green, blue = 60 + 150 * down, 30 + 60 * down + 40 * across, 130 - 50 * down + 60 * across
        self.sky = np.stack([red, green, blue], -1)
        self.reset()

    def reset(self):
        self.position = np.array([WIDTH / 2, HEIGHT / 2])
        self.direction, self.tilt = (0, 0), (0.0, 0.0)
        self.light, self.colour, self.zoom = 0.8, "#4cc9f0", 1.0
        self.words, self.line = "", Line()
        self.shape: Circle | Square = Circle(kind="circle")
        self.jumped, self.crashing = -10.0, False

    # --- played: keys, sticks, the pointer on the picture ---

    @command("move", description="W A S D or the arrows; letting go means none")
    def move(self, direction: Direction = "none"):
        self.direction = DIRECTIONS[direction]
        return direction

    @command("tilt", description="Drag on the picture, or use a stick")
    def tilt_by(self, x: Tilt = 0.0, y: Tilt = 0.0):
        self.tilt = (x, y)
        return [x, y]

    @command("jump")
    def jump(self):
        self.jumped = time.monotonic()

    @command("home", description="Back to the middle")
    def home(self):
        self.position = np.array([WIDTH / 2, HEIGHT / 2])

    # --- single values ---

    @command("set_light", description="How bright the picture is")
    def set_light(self, light: Share = 0.8):
        self.light = light
        return light

    @command("set_count", description="A whole number in steps of 8")
    def set_count(self, count: int = Field(16, ge=1, le=100, multiple_of=8)):
        return count

    @command("set_seed", description="A number that no slider could hit")
    def set_seed(self, seed: int = Field(7, ge=0, le=2**32 - 1)):
        return seed

    @command("set_weather", description="An enum of texts and numbers")
    def set_weather(self, weather: Weather = Weather.CLEAR):
        return weather

    @command("set_trail")
    def set_trail(self, trail: bool = False):
        return trail

    @command("set_prompt", description="Enter sends, Shift+Enter begins a new line")
    def set_prompt(self, prompt: str):
        self.words = prompt
        return prompt

    @command("set_name", description="Two to twelve small letters")
    def set_name(self, name: str = Field("ada", min_length=2, max_length=12, pattern="^[a-z]+$")):
        return name

    @command("set_colour")
    def set_colour(self, colour: str = Field("#4cc9f0", pattern="^#[0-9a-fA-F]{6}$")):
        self.colour = colour
        return colour

    @command("set_zoom", description="May be unset")
    def set_zoom(self, zoom: Optional[float] = Field(None, ge=1, le=4)):  # noqa: UP045 - authors write both
        self.zoom = zoom or 1.0
        return {"zoom": zoom}

    # --- values made of others ---

    @command("draw_line", description="A dataclass of two pairs")
    def draw_line(self, line: Line = Line()):  # noqa: B008 - the runtime copies defaults
        self.line = line
        return line

    @command("set_shape", description="One of two models, told apart by their kind")
    def set_shape(self, shape: Annotated[Circle | Square, Field(discriminator="kind")]):
        self.shape = shape
        return shape

    @command("combine", description="Lists, maps, groups and unions together")
    def combine(
        self,
        points: list[int] = [1, 2],  # noqa: B006 - what authors write; the runtime copies defaults
        grid: list[list[int]] = [[1, 0], [0, 1]],  # noqa: B006
        weights: dict[str, float] = {"a": 0.5},  # noqa: B006
        style: Style = Style(),  # noqa: B008
        pair: tuple[int, str] = (1, "one"),
        either: int | str = 3,
        tags: list[Literal["red", "green", "blue"]] = Field(default_factory=list),  # noqa: B008
        anything: Any = None,
    ):
        return {
            "points": points, "grid": grid, "weights": weights, "style": style,
            "pair": pair, "either": either, "tags": tags, "anything": anything,
        }  # fmt: skip

    # --- what may go wrong ---

    @command("fail", description="A refusal, or the end of the session")
    def fail(self, how: Literal["refuse", "crash"] = "refuse"):
        if how == "refuse":
            raise CommandError("refused", "The model refuses, as it was asked to.", field="how")
        self.crashing = True

    def start_session(self):
        ctx = get_ctx()
        before = time.monotonic()
        while not ctx.should_stop():
            now = time.monotonic()
            if self.crashing:
                raise RuntimeError("it was asked to fail")
            self.position += np.array(self.direction) * SPEED * (now - before)
            self.position %= (WIDTH, HEIGHT)
            before = now
            picture = self.picture(now, ctx.get_track("webcam").latest())
            ctx.get_track("overview").emit(cv2.resize(picture, (WIDTH // 4, HEIGHT // 4)))
            ctx.get_track("main_video").emit(picture)

    def picture(self, now: float, camera: np.ndarray | None) -> np.ndarray:
        """One frame, (HEIGHT, WIDTH, 3) uint8 RGB."""
        frame = cv2.resize((self.sky * self.light).astype(np.uint8), (WIDTH, HEIGHT))
        if camera is not None:
            frame[20:140, WIDTH - 180 : WIDTH - 20] = cv2.resize(camera, (160, 120))
        ends = [tuple(int(c * s) for c, s in zip(end, (WIDTH, HEIGHT), strict=True)) for end in self.ends]
        cv2.line(frame, *ends, (250, 250, 250), 3, cv2.LINE_AA)
        height = max(0.0, math.sin(min((now - self.jumped) * 5, math.pi)))
        middle = self.position + np.array([self.tilt[0] * 60, -self.tilt[1] * 60 - height * 90])
        self.draw_shape(frame, tuple(int(c) for c in middle))
        cv2.putText(
            frame, self.words[:40], (24, 48), cv2.FONT_HERSHEY_DUPLEX, 1.0, (255, 255, 255), 1, cv2.LINE_AA
        )
        return frame

    @property
    def ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return self.line.start, self.line.end

    def draw_shape(self, frame: np.ndarray, at: tuple[int, ...]) -> None:
        colour = tuple(bytes.fromhex(self.colour[1:]))
        if isinstance(self.shape, Circle):
            cv2.circle(frame, at, int(self.shape.radius * self.zoom), colour, -1, cv2.LINE_AA)
            return
        half = int(self.shape.side * self.zoom / 2)
        corners = (at[0] - half, at[1] - half), (at[0] + half, at[1] + half)
        cv2.rectangle(frame, *corners, colour, -1 if self.shape.filled else 4, cv2.LINE_AA)
