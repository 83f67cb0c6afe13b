"""`web/schema.js` and `web/checks.js`: from a declared command to fields, and what each field refuses.

The schemas are those of real annotations, and every refusal is compared with the server's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import BaseModel, Field, SecretStr

from reactor_runtime import VideoModel, command
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.errors import InvalidCommandError

pytestmark = pytest.mark.browser

NO_DEFAULT = object()


class Mixed(Enum):
    ONE = 1
    TWO = "two"
    HALF = 2.5


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class OneKey(BaseModel):
    key: SecretStr


class Login(BaseModel):
    key: SecretStr
    user: str
    more: list[OneKey] = []


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str | None = None


class Size(NamedTuple):
    width: int
    height: int = 2


@dataclass
class Stroke:
    points: list[tuple[float, float]]
    colour: str = "#ff0000"


class Late(BaseModel):
    tags: list[int] = Field(default_factory=lambda: [7])


Bounded = Annotated[float, Field(ge=0, le=1)]
Word = Annotated[str, Field(min_length=2, max_length=4, pattern="^[a-z]+$")]
Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


def spec_of(annotation: Any, default: Any = NO_DEFAULT) -> Any:
    def go(self: Any, x: Any) -> None: ...

    go.__annotations__ = {"x": annotation}
    go.__defaults__ = None if default is NO_DEFAULT else (default,)
    return commands_of(type("Some", (VideoModel,), {"go": command("go")(go)}))["go"]


def fragment(annotation: Any, default: Any = NO_DEFAULT) -> dict[str, Any]:
    return spec_of(annotation, default).flat_schema()["x"]


def refusal(annotation: Any, value: Any) -> str | None:
    """What the server says of the value: `must be …, not …`."""
    try:
        spec_of(annotation).validate({"x": value})
    except InvalidCommandError as error:
        return error.message.partition(" argument ")[2]
    return None


@pytest.fixture(scope="module")
def schema(browser: Any, files: str) -> Any:
    """`schema(expression, argument)` evaluates with `m` = the modules and `x` = the argument."""
    page = browser.new_page()
    page.goto(f"{files}/blank")

    def evaluate(expression: str, argument: Any = None) -> Any:
        return page.evaluate(
            "async (x) => { const m = {...await import('/web/core/schema.js'),"
            " ...await import('/web/core/checks.js')};"
            f" return {expression}; }}",
            argument,
        )

    yield evaluate
    page.close()


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Bounded, {"kind": "number", "slider": True, "step": 0.01, "from": 0, "to": 1}),
        (Annotated[int, Field(ge=1, le=50)], {"slider": True, "step": 1, "integer": True}),
        (Annotated[float, Field(ge=0, le=100)], {"slider": True, "step": 1}),
        (Annotated[float, Field(ge=-2, le=2)], {"slider": True, "step": 0.01}),
        (Annotated[float, Field(gt=0, lt=1)], {"slider": True, "from": 0.01, "to": 0.99}),
        (
            Annotated[int, Field(ge=1, le=100, multiple_of=8)],
            {"slider": True, "step": 8, "from": 8, "to": 96},
        ),
        (Annotated[float, Field(gt=0, le=8, multiple_of=0.5)], {"step": 0.5, "from": 0.5, "to": 8}),
        (Annotated[int, Field(gt=0, lt=10)], {"from": 1, "to": 9}),
        (Annotated[int, Field(ge=0, le=2**32 - 1)], {"kind": "number", "slider": False}),
        (float, {"kind": "number", "slider": False}),
        (float | int, {"kind": "number", "integer": False}),
        (bool, {"kind": "toggle"}),
        (Literal["a", "b"], {"kind": "choice", "segmented": True}),
        (Literal["a", "b", "c", "d", "e", "f"], {"kind": "choice", "segmented": False}),
        (Literal["a very long option indeed", "another very long option"], {"segmented": False}),
        (Literal["only"], {"kind": "choice", "options": ["only"]}),
        (Literal["a", 1, None, True], {"kind": "choice", "options": ["a", 1, True], "nullable": True}),
        (Mixed, {"kind": "choice", "options": [1, "two", 2.5]}),
        (Mixed | None, {"kind": "choice", "nullable": True}),
        (str, {"kind": "text", "multiline": False}),
        (Annotated[str, Field(max_length=500)], {"kind": "text", "multiline": True}),
        (Bounded | None, {"kind": "number", "nullable": True, "slider": True}),
        (str | None, {"kind": "text", "nullable": True}),
        (int | str, {"kind": "union"}),
        (Decimal, {"kind": "union"}),
        (Pet, {"kind": "union"}),
        (list[float], {"kind": "list", "minItems": None}),
        (Annotated[list[int], Field(min_length=1, max_length=3)], {"minItems": 1, "maxItems": 3}),
        (list[list[int]], {"kind": "list"}),
        (set[int], {"kind": "list"}),
        (list[Any], {"kind": "json", "type": "array"}),
        (tuple[int, str], {"kind": "tuple"}),
        (Size, {"kind": "tuple"}),
        (tuple[int, ...], {"kind": "list"}),
        (dict[str, float], {"kind": "map"}),
        (dict[str, list[Cat]], {"kind": "map"}),
        (dict, {"kind": "json", "type": "object"}),
        (Stroke, {"kind": "group"}),
        (Any, {"kind": "json"}),
    ],
)
def test_field(schema: Any, annotation: Any, expected: dict[str, Any]) -> None:
    field = schema("m.readField('x', x)", fragment(annotation))
    assert {key: field.get(key) for key in expected} == expected
    assert field["required"] is True


def test_a_secret_begins_empty_and_is_kept_nowhere(schema: Any) -> None:
    field = schema("m.readField('x', x)", fragment(SecretStr, SecretStr("hunter2")))
    assert (field["kind"], field["required"], field["omittable"], field["nullable"]) == (
        "secret",
        False,
        False,
        False,
    )
    assert field.get("default") is None
    assert schema("m.readField('x', x).nullable", fragment(SecretStr | None, None)) is False
    assert schema("m.problems(m.readField('x', x), undefined).length", fragment(SecretStr, "a")) == 0
    assert (
        schema("m.problems(m.readField('x', x), undefined)[0].message", fragment(SecretStr)) == "is required"
    )
    given = "{key: 'hunter2', user: 'a', more: [{key: 'b'}]}"
    kept = f"JSON.stringify(m.withoutSecrets(m.readField('x', x), {given}))"
    assert schema(kept, fragment(Login)) == '{"user":"a","more":[{}]}'


def test_a_prompt_has_room_for_lines(schema: Any) -> None:
    assert schema("m.readField('negative_prompt', {type: 'string'}).multiline")


def test_members_of_a_union_are_told_apart_by_what_they_are(schema: Any) -> None:
    labels = "m.readField('x', x).arms.map(({ label }) => label)"
    assert schema(labels, fragment(Pet)) == ["cat", "dog"]
    assert schema(labels, fragment(Cat | Dog)) == ["cat", "dog"]
    assert schema(labels, fragment(int | str | list[int])) == ["whole number", "text", "list"]
    chosen = "m.armOf(m.readField('x', x[0]), x[1])"
    assert schema(chosen, [fragment(Pet), {"kind": "dog", "name": "Rex"}]) == 1
    assert schema(chosen, [fragment(int | str), "7"]) == 1


def test_nesting_without_end_becomes_json(schema: Any) -> None:
    spec: dict[str, Any] = {"type": "integer"}
    for _ in range(10):
        spec = {"type": "object", "properties": {"inner": spec}}
    assert '"kind":"json"' in schema("JSON.stringify(m.readField('deep', x))", spec)


def test_a_value_that_only_the_server_knows_may_be_left_out(schema: Any) -> None:
    omittable = "m.readField('x', x).omittable"
    assert schema(omittable, fragment(list[int], Field(default_factory=lambda: [7])))
    assert not schema(omittable, fragment(list[int], [7]))
    assert not schema(omittable, fragment(list[int]))
    assert schema("m.readField('x', x).item.fields[0].omittable", fragment(list[Late]))
    assert schema("m.initial(m.readField('x', x).item)", fragment(list[Late])) == {}


@pytest.mark.parametrize(
    ("fields", "live"),
    [
        ({"x": Bounded, "on": bool, "mode": Literal["a", "b"]}, True),
        ({"at": tuple[Bounded, Bounded]}, True),
        ({"x": Bounded, "prompt": str}, False),
        ({"points": list[float]}, False),
        ({}, False),
    ],
)
def test_live_by_default_is_what_can_be_dragged_or_chosen(
    schema: Any, fields: dict[str, Any], live: bool
) -> None:
    spec = {name: fragment(annotation) for name, annotation in fields.items()}
    assert schema("m.readCommand({name: 'c', schema: x}).live", spec) is live


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (Bounded, 0.5, None),
        (Bounded, 2, "must be at most 1"),
        (Bounded, -1, "must be at least 0"),
        (Bounded, "0.5", "must be a number"),
        (Annotated[float, Field(gt=0)], 0, "must be greater than 0"),
        (Annotated[float, Field(lt=1)], 1, "must be less than 1"),
        (int, 1.5, "must be a whole number"),
        (Annotated[float, Field(multiple_of=0.5)], 1.5, None),
        (Annotated[int, Field(multiple_of=8)], 12, "must be a multiple of 8"),
        (bool, 1, "must be true or false"),
        (Word, "ab", None),
        (Word, "a", "must have at least 2 character"),
        (Word, "abcde", "must have at most 4 character"),
        (Word, "AB", "must match the pattern ^[a-z]+$"),
        (Annotated[str, Field(max_length=1)], "😀", None),
        (Literal["a", "b", "c"], "d", "must be 'a', 'b' or 'c'"),
        (Literal["a"], "d", "must be 'a'"),
        (Mixed, 3, "must be 1, 'two' or 2.5"),
        (int | None, None, None),
        (Annotated[list[int], Field(min_length=2)], [1], "must have at least 2 items"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "must have at most 1 item"),
        (list[Annotated[int, Field(le=9)]], [1, 10], "must be at most 9"),
        (list[int], {}, "must be a list"),
        (dict[str, int], [1], "must be an object"),
        (dict[str, Annotated[int, Field(ge=0)]], {"a": -1}, "must be at least 0"),
        (tuple[int, str], [1, 2], "must be text"),
        (Stroke, {"points": [[1, "x"]]}, "must be a number"),
        (Pet, {"kind": "cat", "lives": 1.5}, "must be a whole number"),
        (Any, {"a": [None]}, None),
    ],
)
def test_what_is_wrong_is_said_as_the_server_says_it(
    schema: Any, annotation: Any, value: Any, message: str | None
) -> None:
    found = schema("m.problems(m.readField('x', x[0]), x[1])", [fragment(annotation), value])
    said = refusal(annotation, value)
    if message is None:
        assert (found, said) == ([], None)
    else:
        assert found[0]["message"].startswith(message)
        assert said is not None
        assert said.startswith(f"'{found[0]['path']}' ")
        # The server says "1 items"; the page counts like people.
        assert message in said


@pytest.mark.parametrize(
    ("spec", "value", "message"),
    [
        ({"type": "string", "required": True}, "", "is required"),
        ({"type": "string", "required": True}, None, "must be text"),
        ({"type": "string"}, "", None),
        ({"type": "string", "pattern": "(?P<python>x)"}, "A", None),
        ({"type": "number", "multipleOf": 0.1}, 0.3, None),
        ({"type": "number", "multipleOf": 0.1}, 0.35, "must be a multiple of 0.1"),
        ({"$ref": "#/$defs/Lost"}, 5, None),
    ],
)
def test_what_only_the_page_checks(
    schema: Any, spec: dict[str, Any], value: Any, message: str | None
) -> None:
    found = schema("m.problems(m.readField('x', x[0]), x[1])", [spec, value])
    assert [each["message"] for each in found] == ([message] if message else [])


def test_a_refusal_of_the_server_is_put_where_it_belongs(schema: Any) -> None:
    told = {
        "message": "Command 'draw': argument 'shape.points.1' must be at most 9, not 10.",
        "field": "shape",
    }
    assert schema("m.placed(x)", told) == {"path": "shape.points.1", "message": "must be at most 9, not 10."}
    own = {"message": "There is a wall.", "field": None}
    assert schema("m.placed(x)", own) == {"path": None, "message": "There is a wall."}


@pytest.mark.parametrize(
    ("annotation", "default", "value"),
    [
        (Bounded, 0.5, 0.5),
        (bool, NO_DEFAULT, False),
        (int | None, None, None),
        (list[int], NO_DEFAULT, []),
        (dict[str, int], NO_DEFAULT, {}),
        (Size, NO_DEFAULT, [None, 2]),
        (Cat, NO_DEFAULT, {"kind": "cat", "lives": 9}),
        (Literal["only"], NO_DEFAULT, "only"),
        (float, NO_DEFAULT, None),
    ],
)
def test_initial_value(schema: Any, annotation: Any, default: Any, value: Any) -> None:
    assert schema("m.initial(m.readField('x', x))", fragment(annotation, default)) == value
