"""What is let go when nobody holds it."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field

from reactor_runtime import VideoModel, command
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.authoring.neutral import neutral_of


class Game(VideoModel):
    @command("way", coalesce=True)
    def way(self, way: Literal["forward", "back", "none"]) -> None: ...

    @command("maybe", coalesce=True)
    def maybe(self, way: Literal["left", "right"] | None = None, speed: float = 1.0) -> None: ...

    @command("keys", coalesce=True)
    def keys(self, keys: list[Literal["w", "a"]], boost: bool = False) -> None: ...

    @command("stick", coalesce=True)
    def stick(self, x: float = Field(0, ge=-1, le=1), y: float = Field(0, ge=-1, le=1)) -> None: ...

    @command("camera", coalesce=True)
    def camera(self, yaw: float = Field(0, ge=-1, le=1), pitch: float = Field(0, ge=-1, le=1)) -> None: ...

    @command("slider", coalesce=True)
    def slider(self, level: int = Field(7, ge=-9, le=9), name: str = "") -> None: ...

    @command("said", coalesce=True)
    def said(self, gear: int = Field(3, json_schema_extra={"neutral": 0})) -> None: ...

    @command("style", coalesce=True)
    def style(self, style: Literal["oil", "ink"]) -> None: ...


@pytest.mark.parametrize(
    ("name", "neutral"),
    [
        ("way", {"way": "none"}),
        ("maybe", {"way": None}),
        ("keys", {"keys": [], "boost": False}),
        ("stick", {"x": 0, "y": 0}),
        ("camera", {}),
        ("slider", {}),
        ("said", {"gear": 0}),
        ("style", {}),
    ],
)
def test_neutral(name: str, neutral: dict[str, Any]) -> None:
    assert neutral_of(commands_of(Game)[name].flat_schema()) == neutral
