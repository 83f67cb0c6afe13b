from __future__ import annotations

import base64
import re
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from reactor_runtime import AudioOut, VideoIn, VideoModel, VideoOut, command, model
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.authoring.description import describe
from reactor_runtime.leaks.differences import Noise, distance, first_difference, marked
from reactor_runtime.leaks.free import STEP_S, FreeSession
from reactor_runtime.leaks.users import MARKS, User


@model("every-kind")
class EveryKind(VideoModel):
    webcam = VideoIn()
    main_video = VideoOut()
    voice = AudioOut()

    @command("all")
    def all(
        self,
        text: str,
        number: float,
        whole: int,
        yes: bool,
        names: list[str],
        table: dict[str, float],
        maybe: str | None = None,
    ) -> None: ...

    def start_session(self) -> None: ...


def arguments(user: User) -> dict[str, Any]:
    schemas = {name: spec.flat_schema() for name, spec in commands_of(EveryKind).items()}
    return user.calls(schemas, (1,))[0].arguments


@pytest.mark.parametrize("name", ["A", "B"])
def test_what_a_user_types_is_valid_marked_and_always_the_same(name: str) -> None:
    given = arguments(User(name))
    assert given == arguments(User(name)) != arguments(User(name, seed=1))
    checked = commands_of(EveryKind)["all"].validate(given)
    assert MARKS[name] in checked["text"]
    assert MARKS[name] in checked["maybe"]
    assert all(MARKS[name] in text for text in checked["names"])
    assert np.array_equal(User(name).camera(3), User(name).camera(3))


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int, {"type": "integer", "minimum": 3, "maximum": 9, "multipleOf": 3}),
        (float, {"type": "number", "minimum": -1, "maximum": 1}),
        (str, {"type": "string", "maxLength": 5}),
        (str, {"type": "string", "pattern": "^#[0-9a-f]{6}$"}),
        (str, {"type": "string", "enum": ["left", "right"]}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    ],
)
def test_what_is_made_up_keeps_to_its_schema(annotation: Any, schema: dict[str, Any]) -> None:
    user = User("A")
    for call in user.calls({"c": {"x": schema}}, tuple(range(20))):
        value = TypeAdapter(annotation).validate_python(call.arguments["x"])
        assert schema.get("minimum", -(10**9)) <= (value if isinstance(value, int | float) else 0)
        assert len(str(value)) <= schema.get("maxLength", 99)
        assert re.search(schema.get("pattern", ""), str(value))
        assert value in schema.get("enum", [value])


def shown(*frames: int, messages: tuple[str, ...] = ()) -> dict[str, Any]:
    pictures = [[f"sum{value}", base64.b64encode(bytes([value] * 768)).decode()] for value in frames]
    return {"frames": {"main_video": pictures}, "messages": list(messages), "answers": []}


def test_the_first_frame_and_the_first_message_that_differ() -> None:
    assert first_difference(shown(1, 2), shown(1, 2, 3)) is None
    found = first_difference(shown(1, 2), shown(1, 9))
    assert found is not None
    assert found[0] == "main_video"
    assert "frame 1" in found[1]
    assert (first_difference(shown(messages=("a",)), shown(messages=("b",))) or ("",))[0] == "messages"
    assert distance(shown(1, 2), shown(1, 9)) == 7.0
    assert marked(shown(messages=("a quokka",)), "quokka") == "a quokka"


def test_noise_covers_what_the_model_itself_varies_by_and_no_more() -> None:
    noise = Noise.of([shown(10), shown(12), shown(11)])
    assert noise.covers(shown(10), shown(13), "main_video")
    assert not noise.covers(shown(10), shown(40), "main_video")
    assert not noise.hides(distance(shown(10), shown(200)))
    assert Noise.of([shown(0), shown(250)]).hides(100.0)
    assert not Noise.of([shown(10), shown(10)]).covers(shown(10), shown(11), "main_video")


def test_steps_go_on_at_every_emit_and_wait_and_take_no_time() -> None:
    steps: list[int] = []
    session = FreeSession(1, describe(EveryKind), steps.append)
    try:
        track = session.tracks["main_video"]
        track.emit(np.zeros((4, 4, 3), np.uint8))
        session.tracks["voice"].emit(np.zeros(480, np.int16))
        session.wait_stop(3600.0)
        assert steps == [1, 2]
        assert session.clock.time() == pytest.approx(3600.0 + 2 * STEP_S)
        assert {name: len(frames) for name, frames in session.shown.frames.items()} == {
            "main_video": 1,
            "voice": 1,
        }
        assert np.array_equal(track.latest(), np.zeros((4, 4, 3)))  # type: ignore[arg-type]
    finally:
        session.close()
