from __future__ import annotations

import json
from typing import Literal

import pytest
from pydantic import Field

from reactor_runtime import AudioOut, VideoIn, VideoModel, VideoOut, command, model
from reactor_runtime.authoring.capabilities import capabilities
from reactor_runtime.errors import ModelDefinitionError


@model("shape")
class Shape(VideoModel):
    main = VideoOut(rate=24)
    voice = AudioOut()
    webcam = VideoIn()

    def __init__(self):
        raise AssertionError("capabilities never build the model")

    @command("move", description="Steer")
    def move(self, direction: Literal["left", "right"], speed: float = Field(0.5, ge=0, le=1)): ...

    @command("stop")
    def stop(self): ...


def test_the_shape_that_clients_know():
    assert json.loads(json.dumps(capabilities(Shape))) == {
        "protocol_version": "1.0",
        "tracks": [
            {"name": "main", "kind": "video", "direction": "recvonly"},
            {"name": "voice", "kind": "audio", "direction": "recvonly"},
            {"name": "webcam", "kind": "video", "direction": "sendonly"},
        ],
        "commands": [
            {
                "name": "move",
                "description": "Steer",
                "schema": {
                    "direction": {"type": "string", "enum": ["left", "right"], "required": True},
                    "speed": {"type": "number", "default": 0.5, "minimum": 0, "maximum": 1},
                },
            },
            {"name": "stop", "description": "", "schema": {}},
        ],
        "emission_fps": 24.0,
    }


def test_without_a_rate():
    class Plain(VideoModel):
        pass

    class Sound(VideoModel):
        voice = AudioOut(default=True)
        picture = VideoOut(rate=10)

    class Input(VideoModel):
        webcam = VideoIn()

    assert capabilities(Plain)["tracks"] == [{"name": "main_video", "kind": "video", "direction": "recvonly"}]
    for cls in (Plain, Sound, Input):
        assert capabilities(cls)["emission_fps"] is None


def test_a_command_that_cannot_be_described():
    class Undefined(VideoModel):
        @command("go")
        def go(self, mode: Nowhere): ...  # type: ignore[name-defined]  # noqa: F821 - that is the point

    with pytest.raises(ModelDefinitionError, match="Nowhere"):
        capabilities(Undefined)
