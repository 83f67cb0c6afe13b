"""Arguments of commands are JSON from strangers: see lines 31 to 33 of the lessons in docs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator

from reactor_runtime import VideoModel, command
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.authoring.validation import MAX_DEPTH
from reactor_runtime.errors import InvalidCommandError


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


class Level(IntEnum):
    ONE = 1


class Point(BaseModel):
    x: int
    y: float = 0.0

    @field_validator("x")
    @classmethod
    def even(cls, value):
        if value % 2:
            raise ValueError("only even numbers, please")
        return value


@dataclass
class Stroke:
    points: list[Point]
    width: int = 1
    levels: tuple[Level, ...] = ()


class Everything(VideoModel):
    @command("all")
    def all(
        self,
        text: str = "",
        whole: int = 0,
        number: float = 0.0,
        flag: bool = False,
        choice: Literal["a", 1, True] = "a",
        mode: Mode = Mode.FAST,
        level: Level = Level.ONE,
        one: Literal[1] = 1,
        yes: Literal[True] = True,
        maybe: int | None = None,
        either: int | str = 0,
        wholes: list[int] = [],  # noqa: B006 - fresh in every call
        table: dict[str, float] = {},  # noqa: B006
        point: Point = Point(x=0),  # noqa: B008
        stroke: Stroke = Stroke([]),  # noqa: B008
        anything: Any = None,
        speed: float = Field(0.5, ge=0, le=1),
        short: str = Field("a", min_length=1, max_length=3, pattern="^[a-z]*$"),
    ): ...

    @command("needs")
    def needs(self, first: int, second: str): ...

    @command("nothing")
    def nothing(self): ...


ALL = commands_of(Everything)["all"]
NEEDS = commands_of(Everything)["needs"]


@pytest.mark.parametrize(
    ("name", "sent", "received"),
    [
        ("text", "ü🙂", "ü🙂"),
        ("whole", 3.0, 3),
        ("whole", -0.0, 0),
        ("whole", 2.0**53, 2**53),
        ("whole", 2**60, 2**60),
        ("number", 3, 3.0),
        ("number", 1e300, 1e300),
        ("number", 1.7e308, 1.7e308),
        ("flag", True, True),
        ("choice", 1.0, 1),
        ("mode", "slow", Mode.SLOW),
        ("level", 1.0, Level.ONE),
        ("maybe", None, None),
        ("either", 2.0, 2),
        ("either", "2", "2"),
        ("wholes", [1, 2.0], [1, 2]),
        ("wholes", (1, 2), [1, 2]),
        ("table", {"a": 1}, {"a": 1.0}),
        ("point", {"x": 2.0}, Point(x=2)),
        ("stroke", {"points": [{"x": 4, "y": 1}], "width": 2.0}, Stroke([Point(x=4, y=1.0)], 2)),
        ("anything", {"a": [1, None, "x", True]}, {"a": [1, None, "x", True]}),
        ("speed", 1, 1.0),
    ],
)
def test_what_is_accepted(name, sent, received):
    value = ALL.validate({name: sent})[name]
    assert value == received
    assert type(value) is type(received)


@pytest.mark.parametrize(
    ("name", "sent", "said"),
    [
        ("text", 3, "'text' must be text, not 3"),
        ("text", "\ud800", "'text' must be valid Unicode text"),
        ("whole", "3", "'whole' must be a whole number, not '3'"),
        ("whole", 3.5, "'whole' must be a whole number, not 3.5"),
        ("whole", 2.0**60, "'whole' must be a whole number that a double holds exactly"),
        ("whole", True, "'whole' must be a whole number, not true"),
        ("whole", None, "'whole' must be a whole number, not null"),
        ("whole", 10**400, "'whole' is too large a number"),
        ("number", "0.5", "'number' must be a number, not '0.5'"),
        ("number", False, "'number' must be a number, not false"),
        ("number", math.nan, "'number' must be a finite number"),
        ("number", math.inf, "'number' must be a finite number"),
        ("flag", 1, "'flag' must be true or false, not 1"),
        ("flag", "yes", "'flag' must be true or false, not 'yes'"),
        ("choice", "b", "'choice' must be 'a', 1 or True, not 'b'"),
        ("mode", "FAST", "'mode' must be 'fast' or 'slow', not 'FAST'"),
        ("level", True, "'level' must be "),
        ("level", "1", "'level' must be 1, not '1'"),
        ("one", True, "'one' must be "),
        ("yes", 1, "'yes' must be true or false, not 1"),
        ("stroke", {"points": [], "levels": [1, True]}, "'stroke.levels.1' must be "),
        ("maybe", "x", "'maybe' must be a whole number, not 'x'"),
        ("either", 1.5, "'either' must be a whole number, not 1.5 or must be text, not 1.5"),
        ("wholes", [1, "x"], "'wholes.1' must be a whole number, not 'x'"),
        ("wholes", {}, "'wholes' must be a list, not an object"),
        ("table", {"a": [math.nan]}, "'table.a.0' must be a finite number"),
        ("table", {1: 2.0}, "'table' must have text as its keys"),
        ("anything", {"a": [{"b": -math.inf}]}, "'anything.a.0.b' must be a finite number"),
        ("anything", object(), "'anything' must be a JSON value, not object"),
        ("anything", b"x", "'anything' must be a JSON value, not bytes"),
        ("point", {}, "'point.x' is required"),
        ("point", {"x": 1}, "'point.x' is refused: only even numbers, please"),
        ("point", "x" * 1000, "'point' must be an object, not 'xxxx"),
        ("stroke", {"points": [{"x": 0, "y": "a"}]}, "'stroke.points.0.y' must be a number, not 'a'"),
        ("stroke", {"points": [], "more": 1}, "'stroke.more' is not known"),
        ("speed", 1.5, "'speed' must be at most 1.0, not 1.5"),
        ("speed", -1, "'speed' must be at least 0.0, not -1"),
        ("short", "", "'short' must have at least 1 characters"),
        ("short", "abcd", "'short' must have at most 3 characters"),
        ("short", "A", "'short' must match the pattern ^[a-z]*$"),
        ("speedy", 1, "there is no argument 'speedy'; it takes: text, whole"),
        ("speedy", 1, "Did you mean 'speed'?"),
    ],
)
def test_what_is_refused(name, sent, said):
    with pytest.raises(InvalidCommandError) as caught:
        ALL.validate({name: sent})
    assert said in str(caught.value)
    assert caught.value.field == name
    assert caught.value.code == "invalid_command"
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("sent", [[], "x", 3, 0, False, [1], b""])
def test_arguments_are_an_object(sent):
    with pytest.raises(InvalidCommandError, match="must be an object") as caught:
        ALL.validate(sent)
    assert caught.value.field is None


def test_what_is_missing_is_named():
    with pytest.raises(InvalidCommandError, match="'needs': argument 'first' is required") as caught:
        NEEDS.validate(None)
    assert caught.value.field == "first"
    with pytest.raises(InvalidCommandError, match="there is no argument 'x'; it takes none"):
        commands_of(Everything)["nothing"].validate({"x": 1})


def test_depth_is_bounded():
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidCommandError, match=f"more than {MAX_DEPTH} levels"):
        ALL.validate({"anything": deep})
    while isinstance(deep, list):  # by hand: the interpreter would recurse
        deep = deep[0]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["a", "fast", 1, 1.0, True]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from("xy"), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = st.sampled_from(list(ALL.flat_schema())) | st.text(max_size=6)

PLAIN = {
    "text": str,
    "whole": int,
    "number": float,
    "flag": bool,
    "mode": Mode,
    "level": Level,
    "wholes": list,
    "table": dict,
    "point": Point,
    "stroke": Stroke,
    "speed": float,
    "short": str,
}


@settings(max_examples=400, deadline=None)
@given(JSON | st.dictionaries(NAMES, JSON, max_size=4))
def test_random_json_is_accepted_as_declared_or_refused(arguments):
    try:
        values = ALL.validate(arguments)
    except InvalidCommandError:
        return
    assert list(values) == list(ALL.flat_schema())
    for name, declared in PLAIN.items():
        assert type(values[name]) is declared
    for name, sent in (arguments or {}).items():
        value = values[name]
        if isinstance(value, Enum):
            value = value.value
        if not isinstance(value, BaseModel | Stroke):
            assert value == sent
        if isinstance(sent, bool) and name != "anything":
            assert value is sent


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**900), 2**900), st.floats(allow_nan=False, allow_infinity=False), st.text())
def test_good_values_arrive_as_they_were_sent(whole, number, text):
    try:
        text.encode()
    except UnicodeEncodeError:
        text = "x"
    sent = {"whole": whole, "number": number, "text": text, "wholes": [whole], "table": {text: number}}
    values = ALL.validate(sent)
    assert {name: values[name] for name in sent} == sent
