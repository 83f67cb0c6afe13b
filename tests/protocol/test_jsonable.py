from __future__ import annotations

import dataclasses
import json
import math
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from reactor_runtime.errors import MessageError
from reactor_runtime.protocol.jsonable import ARRAY_LIMIT, DEPTH_LIMIT, MESSAGE_LIMIT, to_json


class Color(Enum):
    RED = "red"
    PAIR = (1, 2)


class Level(IntEnum):
    HIGH = 3


class Word(StrEnum):
    GO = "go"


class Inner(BaseModel):
    color: Color = Color.RED
    when: date = date(2024, 5, 6)


class Message(BaseModel):
    name: str
    inner: Inner = Inner()
    values: list[float] = [1.5]


@dataclasses.dataclass
class Point:
    x: float
    label: str = "here"
    model: Inner = dataclasses.field(default_factory=Inner)


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    values: tuple[int, ...] = (1, 2)


INNER = {"color": "red", "when": "2024-05-06"}

ACCEPTED: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (7, 7),
    (2**80, 2**80),
    (1.5, 1.5),
    ("grüße 🚗", "grüße 🚗"),
    ([1, (2, 3)], [1, [2, 3]]),
    ({4}, [4]),
    (frozenset({"a"}), ["a"]),
    (Color.RED, "red"),
    (Color.PAIR, [1, 2]),
    (Level.HIGH, 3),
    (Word.GO, "go"),
    (Message(name="n"), {"name": "n", "inner": INNER, "values": [1.5]}),
    (Point(1.0), {"x": 1.0, "label": "here", "model": INNER}),
    (Slotted(), {"values": [1, 2]}),
    ({"a": Message(name="n")}, {"a": {"name": "n", "inner": INNER, "values": [1.5]}}),
    ({1: "int", 2.5: "float"}, {"1": "int", "2.5": "float"}),
    ({Color.RED: "enum", Level.HIGH: "int enum"}, {"red": "enum", "3": "int enum"}),
    (np.float32(0.5), 0.5),
    (np.float64(0.25), 0.25),
    (np.int64(3), 3),
    (np.uint8(200), 200),
    (np.bool_(True), True),
    (np.str_("text"), "text"),
    (np.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
    (np.array(5), 5),
    (np.zeros((0, 3)), []),
    (np.array(["a", "b"]), ["a", "b"]),
    (np.datetime64("2024-05-06"), "2024-05-06"),
    (datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), "2024-05-06T07:08:09+00:00"),
    (time(7, 8), "07:08:00"),
    (timedelta(seconds=90), 90.0),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (PurePosixPath("/a/b"), "/a/b"),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "wanted"), ACCEPTED, ids=lambda value: str(value)[:30])
def test_what_can_be_sent(given_: Any, wanted: Any) -> None:
    assert json.loads(to_json(given_)) == wanted


def test_the_text_is_compact() -> None:
    assert to_json({"a": [1, "ü"]}) == '{"a":[1,"ü"]}'


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [0, {"b": math.nan}]}, "a[1].b"),
        ({"a": math.inf}, "a"),
        ([np.float32("nan")], "[0]"),
        ({"a": np.array([1.0, -math.inf])}, "a[1]"),
        ({"a": {"b": object()}}, "a.b"),
        ({"a": b"bytes"}, "a"),
        ({"a": 1j}, "a"),
        ({"a": Fraction(1, 2)}, "a"),
        ({"a": int}, "a"),
        ({"a": lambda: 0}, "a"),
        ({"a": {(1, 2): 3}}, "a"),
        ({"a": {None: 3}}, "a"),
        ({"a": {True: 3}}, "a"),
        ({"a": "\ud800"}, "a"),
        ({"a": {"\ud800": 1}}, "a"),
        ({"a": np.array([b"x"])}, "a[0]"),
    ],
)
def test_what_cannot_be_sent_is_named_with_its_place(value: Any, place: str) -> None:
    with pytest.raises(MessageError) as caught:
        to_json(value)

    assert repr(place) in caught.value.message


@pytest.mark.parametrize("value", [object(), math.nan, {1, 1j}, b"", "\udfff", Ellipsis])
def test_what_cannot_be_sent_at_all(value: Any) -> None:
    with pytest.raises(MessageError, match=r"send\(\)"):
        to_json(value)


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(MessageError):
        to_json({"a": 10**5000})


def test_message_limit() -> None:
    assert len(to_json("x" * (MESSAGE_LIMIT - 2))) == MESSAGE_LIMIT

    with pytest.raises(MessageError, match=f"{MESSAGE_LIMIT + 1:,} bytes"):
        to_json("x" * (MESSAGE_LIMIT - 1))
    with pytest.raises(MessageError):
        to_json("ü" * (MESSAGE_LIMIT // 2))


def test_array_limit() -> None:
    assert to_json(np.zeros(ARRAY_LIMIT, np.uint8))

    with pytest.raises(MessageError, match="Emit pictures on a track"):
        to_json({"frame": np.zeros((480, 832, 3), np.uint8)})


def test_depth_limit() -> None:
    value: Any = 0
    for _ in range(DEPTH_LIMIT):
        value = [value]
    assert to_json(value)

    with pytest.raises(MessageError, match="nested deeper"):
        to_json([value])


def test_something_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)

    with pytest.raises(MessageError, match="nested deeper"):
        to_json(value)


def test_the_caller_is_named() -> None:
    with pytest.raises(MessageError, match="the command 'look'"):
        to_json(object(), what="the command 'look'")


TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(JSON)
def test_json_survives(value: Any) -> None:
    assert json.loads(to_json(value)) == value


KEYS = st.text() | st.integers() | st.none()
ANYTHING = st.recursive(
    st.one_of(
        KEYS,
        st.booleans(),
        st.floats(),
        st.binary(),
        st.dates(),
        st.complex_numbers(),
        st.builds(object),
        st.just(int),
        st.sampled_from(list(Color)),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4) | st.sets(KEYS),
    max_leaves=12,
)


@given(ANYTHING)
def test_anything_is_sent_or_refused_with_a_sentence(value: Any) -> None:
    try:
        text = to_json(value)
    except MessageError:
        return
    assert json.loads(text.encode("utf-8")) is not ...


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ({1: "a", "1": "b"}, "1"),
        ({"2.5": "a", 2.5: "b"}, "2.5"),
        ({Color.RED: "a", "red": "b"}, "red"),
        ({Level.HIGH: "a", 3.0: "b", "3": "c"}, "3"),
    ],
)
def test_two_keys_that_json_makes_one_are_refused_by_name(value: Any, key: str) -> None:
    with pytest.raises(MessageError, match="two keys") as caught:
        to_json({"inside": value})

    assert repr(key) in caught.value.message
    assert "'inside'" in caught.value.message


def test_a_secret_is_never_sent():
    class Login(BaseModel):
        key: SecretStr
        raw: SecretBytes
        pin: Secret[int]

    login = Login(key=SecretStr("hunter2"), raw=SecretBytes(b"hunter2"), pin=Secret[int](4711))
    text = to_json({"login": login, "keys": [SecretStr("hunter2")]})
    assert "hunter2" not in text
    assert "4711" not in text
    assert text.count("**********") == 4
