"""`@message`: published, sent with its type, and refused where it is wrong."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from pydantic import BaseModel, Field, computed_field

import reactor_runtime
from reactor_runtime import VideoModel, get_ctx, message, model
from reactor_runtime.authoring.context import Context, use
from reactor_runtime.authoring.description import describe
from reactor_runtime.authoring.message import declared
from reactor_runtime.errors import MessageError, ModelDefinitionError
from reactor_runtime.protocol.openapi import model_schema

from .fakes import FakeSession


class Stage(enum.Enum):
    DRAWING = "drawing"
    DONE = "done"


@dataclass
class Part:
    name: str
    weight: float = 1.0


@message("progress")
@dataclass
class Progress:
    """How far a picture is."""

    percent: Annotated[float, Field(ge=0, le=100)]
    stage: Stage = Stage.DRAWING
    parts: list[Part] = field(default_factory=list)
    size: tuple[int, int] | None = None
    mode: Literal["fast", "good"] = "fast"
    took: timedelta = timedelta(0)


@message("score")
class Score(BaseModel):
    points: int = Field(ge=0)
    history: list[float] = []

    @computed_field
    def double(self) -> int:
        return 2 * self.points


@model("sayer")
class Sayer(VideoModel):
    @message("inner")
    @dataclass
    class Inner:
        ready: bool


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        (
            Progress(50),
            {"percent": 50, "stage": "drawing", "parts": [], "size": None, "mode": "fast", "took": "PT0S"},
        ),
        (
            Progress(np.float32(0.5), Stage.DONE, [Part("a")], (1, 2), "good"),  # type: ignore[arg-type] # as models do
            {
                "percent": 0.5,
                "stage": "done",
                "parts": [{"name": "a", "weight": 1.0}],
                "size": [1, 2],
                "mode": "good",
                "took": "PT0S",
            },
        ),
        (Score(points=3), {"points": 3, "history": [], "double": 6}),
        (
            Score.model_construct(points=np.int64(2), history=np.array([0.5, 1.0])),
            {"points": 2, "history": [0.5, 1.0], "double": 4},
        ),
    ],
)
def test_what_is_sent(sent: Any, plain: dict[str, Any]) -> None:
    session = FakeSession()
    with use(Context(session)):
        get_ctx().send(sent)
    kind = "score" if isinstance(sent, Score) else "progress"
    assert session.sent == [{"type": kind, **plain}]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Progress("half"), "'percent' must be a number"),  # type: ignore[arg-type] # what is refused
        (Progress(101), "'percent' must be at most 100"),
        (Progress(float("nan")), "'percent'"),
        (Progress(1, "drawn"), "'stage'"),  # type: ignore[arg-type] # what is refused
        (Progress(1, parts=[Part(7)]), "'parts'"),  # type: ignore[arg-type] # what is refused
        (Progress(1, mode="slow"), "'mode'"),  # type: ignore[arg-type] # what is refused
        (Progress(1, size=object()), "no JSON"),  # type: ignore[arg-type] # what is refused
        (Score.model_construct(points=-1), "'points' must be at least 0"),
        (Score.model_construct(), "'points'"),
    ],
)
def test_what_is_wrong_is_refused_where_it_is_sent(wrong: Any, words: str) -> None:
    session = FakeSession()
    with use(Context(session)), pytest.raises(MessageError, match=words):
        get_ctx().send(wrong)
    assert session.sent == []


def test_what_is_not_declared_goes_as_it_is() -> None:
    part = Part("a")
    assert declared(part) is part
    assert declared({"type": "x"}) == {"type": "x"}


def test_the_schema_publishes_what_is_sent() -> None:
    webhooks = model_schema(describe(Sayer))["webhooks"]
    assert {"inner", "progress", "score"} <= set(webhooks)
    body = webhooks["progress"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert webhooks["progress"]["post"]["description"] == "How far a picture is."
    assert webhooks["score"]["post"]["description"] == ""
    assert body["properties"]["type"] == {"const": "progress"}
    assert body["properties"]["percent"] == {"type": "number", "minimum": 0, "maximum": 100}
    assert body["properties"]["parts"]["items"]["properties"]["name"] == {"type": "string"}
    assert body["required"][:2] == ["type", "percent"]
    assert "$ref" not in str(body)


def test_a_message_that_is_local_to_a_function_is_published() -> None:
    @message("local")
    class Local(BaseModel):
        value: int

    @model("there")
    class There(VideoModel):
        def start_session(self) -> None:
            get_ctx().send(Local(value=1))

    assert "local" in describe(There).messages
    assert "local" not in describe(Sayer).messages


def test_two_of_one_name_are_refused() -> None:
    @message("same")
    class One(BaseModel): ...

    @message("same")
    class Other(BaseModel): ...

    @model("twice")
    class Twice(VideoModel): ...

    with pytest.raises(ModelDefinitionError, match=r"two messages called 'same': .*One and .*Other"):
        describe(Twice)


def test_wrong_declarations() -> None:
    with pytest.raises(ModelDefinitionError, match=r"@message needs a name"):
        message(Part)  # type: ignore[arg-type] # what is refused
    with pytest.raises(ModelDefinitionError, match="without spaces"):
        message("my message")
    with pytest.raises(ModelDefinitionError, match="above the line @dataclass"):

        @message("plain")
        class Plain: ...

    with pytest.raises(ModelDefinitionError, match="Rename the field"):

        @message("typed")
        @dataclass
        class Typed:
            type: str


def test_what_cannot_be_published_is_an_error_of_the_class() -> None:
    @message("odd")
    @dataclass
    class Odd:
        thing: object

    class Strange: ...

    @message("strange")
    @dataclass
    class Worse:
        thing: Strange

    @model("odd")
    class Owner(VideoModel): ...

    Worse.__annotations__["thing"] = Strange
    with pytest.raises(ModelDefinitionError, match="cannot be published"):
        model_schema(describe(Owner))


def test_it_is_an_authors_name() -> None:
    assert reactor_runtime.message is message
