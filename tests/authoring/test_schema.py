from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal, Optional

import numpy as np
import pytest
from pydantic import BaseModel, Field, create_model

from reactor_runtime import VideoModel, command
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.errors import ModelDefinitionError


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


class Point(BaseModel):
    x: int
    title: str = Field("here", title="Title")


@dataclass
class Stroke:
    points: list[Point]
    colour: Mode = Mode.FAST


class Free(BaseModel):
    seeds: list[int] = Field(default_factory=list)


class Tree(BaseModel):
    children: list[Tree] = []


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Custom:
    pass


def spec(method):
    cls = type("Some", (VideoModel,), {"go": command("go")(method)})
    return commands_of(cls)["go"]


def schema(annotation, *default):
    def go(self, p): ...

    go.__annotations__ = {"p": annotation}
    go.__defaults__ = default or None
    return spec(go).flat_schema()["p"]


NUMBER, TEXT = {"type": "number"}, {"type": "string"}
NULL = {"type": "null"}
POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "title": {"type": "string", "default": "here"}},
    "required": ["x"],
}


@pytest.mark.parametrize(
    ("annotation", "fragment"),
    [
        (str, TEXT),
        (int, {"type": "integer"}),
        (float, NUMBER),
        (bool, {"type": "boolean"}),
        (Any, {}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Mode, {"type": "string", "enum": ["fast", "slow"]}),
        (Optional[str], {"anyOf": [TEXT, NULL]}),  # noqa: UP045 - authors write both
        (str | None, {"anyOf": [TEXT, NULL]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, float], {"type": "object", "additionalProperties": NUMBER}),
        (Annotated[float, Field(ge=0, description="d")], NUMBER | {"minimum": 0, "description": "d"}),
        (Annotated[float, Field(ge=0, le=float("inf"))], NUMBER | {"minimum": 0}),
        (list[Point], {"type": "array", "items": POINT}),
        (dict[str, Mode | None], None),
        (Stroke, None),
        (Annotated[Cat | Dog, Field(discriminator="kind")], None),
    ],
)
def test_every_supported_type(annotation, fragment):
    published = schema(annotation)
    assert published.pop("required") is True
    assert fragment is None or published == fragment
    assert "$" not in json.dumps(published, allow_nan=False)
    assert "#/" not in json.dumps(published)


def test_a_dataclass_is_inlined():
    published = schema(Stroke)
    assert published["properties"]["points"]["items"] == POINT
    assert published["properties"]["colour"] == {
        "type": "string",
        "enum": ["fast", "slow"],
        "default": "fast",
    }


def test_unions_keep_how_to_tell_members_apart():
    published = schema(Annotated[Cat | Dog, Field(discriminator="kind")])
    assert published["discriminator"] == {"propertyName": "kind"}


@pytest.mark.parametrize(
    ("annotation", "default", "fragment"),
    [
        (float, 0.5, NUMBER | {"default": 0.5}),
        (float, 1, NUMBER | {"default": 1.0}),
        (float, Field(0.5, ge=0.0, le=1.0), NUMBER | {"default": 0.5, "minimum": 0.0, "maximum": 1.0}),
        (str, Field(...), TEXT | {"required": True}),
        (str, ..., TEXT | {"required": True}),
        (str, Field(), TEXT | {"required": True}),
        (
            str,
            Field("a", title="T", description="d", max_length=3),
            TEXT | {"default": "a", "description": "d", "maxLength": 3},
        ),
        (str, None, {"anyOf": [TEXT, NULL], "default": None}),
        (str | None, None, {"anyOf": [TEXT, NULL], "default": None}),
        (float, Field(None, ge=0), {"anyOf": [NUMBER | {"minimum": 0}, NULL], "default": None}),
        (Mode, Mode.SLOW, {"type": "string", "enum": ["fast", "slow"], "default": "slow"}),
        (Mode, "slow", {"type": "string", "enum": ["fast", "slow"], "default": "slow"}),
        (Annotated[float, Field(0.25, le=1)], Field(), NUMBER | {"default": 0.25, "maximum": 1}),
        (list[int], Field(default_factory=list), {"type": "array", "items": {"type": "integer"}}),
        (Point, Point(x=1), POINT | {"default": {"x": 1, "title": "here"}}),  # type: ignore[call-arg]  # the other has a default
    ],
)
def test_defaults(annotation, default, fragment):
    assert schema(annotation, default) == fragment


def test_the_flag_of_a_required_object_leaves_its_own_list_readable():
    flat = schema(Point)
    assert flat["required"] is True
    assert flat["x-required"] == ["x"]
    assert "x-required" not in schema(Point, Point(x=1))  # the list itself is there
    assert schema(Point, Point(x=1))["required"] == ["x"]
    assert schema(Free)["x-required"] == []


def test_an_unannotated_parameter_takes_anything():
    def go(self, p, q=3): ...

    assert spec(go).flat_schema() == {"p": {"required": True}, "q": {"default": 3}}


def test_the_whole_schema():
    def go(self, a: int, *, b: str = "x"): ...

    assert spec(go).json_schema() == {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string", "default": "x"}},
        "additionalProperties": False,
        "required": ["a"],
    }
    assert spec(lambda self: None).json_schema() == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


def test_what_is_published_cannot_be_changed_by_who_reads_it():
    def go(self, a: Literal["x", "y"] = "x"): ...

    one = spec(go)
    one.flat_schema()["a"]["enum"].append("z")
    assert one.flat_schema()["a"]["enum"] == ["x", "y"]


NAMES = [
    "model_config",
    "schema",
    "copy",
    "json",
    "_private",
    "__x",
    "dict",
    "model_fields",
    "p_",
    "validate",
    "cls",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_parameter_name_works(name):
    scope: dict[str, Any] = {}
    exec(f"def go(self, {name}: int, p_{name}: int = 2): ...", scope)
    one = spec(scope["go"])
    assert list(one.flat_schema()) == [name, f"p_{name}"]
    assert one.validate({name: 1}) == {name: 1, f"p_{name}": 2}


def wide(depth):
    """A type that doubles with every level when it is inlined."""
    cls = Point
    for level in range(depth):
        cls = create_model(f"Level{level}", left=(cls, ...), right=(cls, ...))
    return cls


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (Custom, "a type that a client cannot send. Use str, int"),
        (np.ndarray, "cannot send"),
        (Callable[[int], int], "no JSON form"),
        (int | Callable[[int], int], "no JSON form"),
        (Tree, "type 'Tree', which contains itself"),
        (wide(14), "more than 10000 parts"),
        (3, "cannot send"),
        ("list[", "cannot be read"),
        (Annotated[int, Field(alias="other")], "has an alias"),
    ],
)
def test_types_that_cannot_be_published(annotation, said):
    with pytest.raises(ModelDefinitionError) as caught:
        schema(annotation)
    assert said in str(caught.value)
    assert "'go', " in str(caught.value)
    assert "parameter 'p'" in str(caught.value)
    assert "test_schema.py:" in str(caught.value)


@pytest.mark.parametrize(
    ("annotation", "default", "said"),
    [
        (float, Field(2.0, le=1), "it must be at most 1.0, not 2.0"),
        (float, float("nan"), "finite number"),
        (Literal["a"], "b", "must be 'a', not 'b'"),
        (int, "x", "default that it would refuse"),
        (Any, object(), "no JSON form"),
        (Any, float("nan"), "not JSON"),
        (str, Field("a", alias="other"), "has an alias"),
    ],
)
def test_defaults_that_cannot_be(annotation, default, said):
    with pytest.raises(ModelDefinitionError) as caught:
        schema(annotation, default)
    assert said in str(caught.value)


def test_a_default_is_fresh_in_every_call():
    @dataclass
    class Bag:
        items: list[int] = field(default_factory=list)

    def go(self, a: list[int], b: dict[str, int], c: Bag, d: list): ...

    go.__defaults__ = ([1], {}, Bag(), Field(default_factory=list))
    go.__annotations__["c"] = Bag
    one = spec(go)
    first = one.validate({})
    first["a"].append(2)
    first["b"]["x"] = 1
    first["c"].items.append(3)
    first["d"].append(4)
    assert one.validate({}) == {"a": [1], "b": {}, "c": Bag(), "d": []}
    assert go.__defaults__[0] == [1]
