from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, Optional

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, Field

from reactor_runtime import AudioIn, AudioOut, VideoIn, VideoModel, VideoOut, __version__, command, model
from reactor_runtime.authoring.description import describe
from reactor_runtime.protocol.openapi import model_schema


class Weather(Enum):
    RAIN = "rain"
    SUN = "sun"


class Camera(BaseModel):
    angle: float = Field(0.0, ge=-180, le=180)
    weather: Weather = Weather.SUN


@dataclass
class Point:
    x: int
    y: int = 0


@model("everything", version="1.2.3", description="It does everything.", tags=["a"])
class Everything(VideoModel):
    main_video = VideoOut(rate=24)
    sound = AudioOut(rate=24_000)
    webcam = VideoIn()
    mic = AudioIn()

    def __init__(self, config: Any) -> None:
        raise AssertionError("rendering the schema builds nothing")

    @command("nothing")
    def nothing(self) -> None: ...

    @command("plain", description="Plain values.")
    def plain(self, text: str, count: int = 1, level: float = 0.5, on: bool = False) -> str: ...

    @command("rich")
    def rich(
        self,
        mode: Literal["a", "b"],
        weather: Weather,
        camera: Camera,
        point: Point,
        names: list[str],
        table: dict[str, list[int]],
        maybe: Optional[int] = None,  # noqa: UP045 - authors write both
        ranged: Annotated[int, Field(ge=0, le=10)] = 5,
    ) -> dict[str, int]: ...


@model("minimal")
class Minimal(VideoModel):
    def start_session(self) -> None: ...


@pytest.mark.parametrize("cls", [Everything, Minimal])
def test_the_document_is_valid_openapi(cls: type[VideoModel]) -> None:
    OpenAPIV31SpecValidator(model_schema(describe(cls))).validate()


@pytest.mark.parametrize("cls", [Everything, Minimal])
def test_the_document_is_only_json_and_says_the_same_each_time(cls: type[VideoModel]) -> None:
    text = json.dumps(model_schema(describe(cls)), allow_nan=False)

    assert json.loads(text) == model_schema(describe(cls))
    assert text == json.dumps(model_schema(describe(cls)), allow_nan=False)


def test_info() -> None:
    assert model_schema(describe(Everything))["info"] == {
        "title": "everything",
        "version": "1.2.3",
        "description": "It does everything.",
    }
    assert model_schema(describe(Minimal))["info"] == {"title": "minimal", "version": "0.0.0"}


def test_each_command_is_an_operation() -> None:
    paths = model_schema(describe(Everything))["paths"]

    assert list(paths) == ["/events/nothing", "/events/plain", "/events/rich"]
    plain = paths["/events/plain"]["post"]
    assert plain["operationId"] == "plain"
    assert plain["description"] == "Plain values."
    body = plain["requestBody"]
    assert body["required"] is True
    schema = body["content"]["application/json"]["schema"]
    assert schema["required"] == ["text"]
    assert list(schema["properties"]) == ["text", "count", "level", "on"]
    assert paths["/events/nothing"]["post"]["requestBody"]["required"] is False


def test_nested_types_stand_where_they_are_used() -> None:
    paths = model_schema(describe(Everything))["paths"]
    references = [part for part in json.dumps(paths).split('"') if part.startswith("#/")]

    assert set(references) == {"#/components/schemas/CommandError"}
    rich = paths["/events/rich"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert rich["properties"]["camera"]["properties"]["weather"]["enum"] == ["rain", "sun"]


def test_tracks_and_the_version_of_the_runtime() -> None:
    assert model_schema(describe(Everything))["x-reactor"] == {
        "runtime_version": __version__,
        "tracks": [
            {"name": "main_video", "kind": "video", "direction": "out", "rate": 24.0},
            {"name": "sound", "kind": "audio", "direction": "out", "rate": 24000.0},
            {"name": "webcam", "kind": "video", "direction": "in", "rate": 0.0},
            {"name": "mic", "kind": "audio", "direction": "in", "rate": 48000.0},
        ],
    }
    tracks = model_schema(describe(Minimal))["x-reactor"]["tracks"]
    assert tracks == [{"name": "main_video", "kind": "video", "direction": "out", "rate": 0.0}]
