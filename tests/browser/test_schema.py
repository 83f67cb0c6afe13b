"""`web/schema.js`: from a declared command to fields, and what each field refuses. No runtime, no DOM."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def schema(browser: Any, files: str) -> Any:
    """`schema(expression, argument)` evaluates with `m` = the module and `x` = the argument."""
    page = browser.new_page()
    page.goto(f"{files}/blank")

    def evaluate(expression: str, argument: Any = None) -> Any:
        return page.evaluate(
            f"async (x) => {{ const m = await import('/web/schema.js'); return {expression}; }}", argument
        )

    yield evaluate
    page.close()


BOUNDED = {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (BOUNDED, {"kind": "number", "slider": True, "step": 0.01, "default": 0.5}),
        (
            {"type": "integer", "minimum": 1, "maximum": 50},
            {"kind": "number", "slider": True, "step": 1, "integer": True},
        ),
        ({"type": "number", "minimum": 0, "maximum": 100}, {"slider": True, "step": 1}),
        ({"type": "number", "minimum": -2, "maximum": 2}, {"slider": True, "step": 0.01}),
        (
            {"type": "number", "exclusiveMinimum": 0, "maximum": 8, "multipleOf": 0.5},
            {"slider": True, "step": 0.5},
        ),
        ({"type": "integer", "minimum": 0, "maximum": 2**32 - 1}, {"kind": "number", "slider": False}),
        ({"type": "number"}, {"kind": "number", "slider": False}),
        ({"type": "boolean"}, {"kind": "toggle"}),
        ({"enum": ["a", "b"], "type": "string"}, {"kind": "choice", "segmented": True}),
        ({"enum": list("abcdef"), "type": "string"}, {"kind": "choice", "segmented": False}),
        ({"enum": ["a very long option indeed", "another very long option"]}, {"segmented": False}),
        ({"const": "only"}, {"kind": "choice", "options": ["only"]}),
        ({"type": "string"}, {"kind": "text", "multiline": False}),
        ({"type": "string", "maxLength": 500}, {"kind": "text", "multiline": True}),
        (
            {"anyOf": [BOUNDED, {"type": "null"}], "default": None},
            {"kind": "number", "nullable": True, "slider": True},
        ),
        ({"type": ["string", "null"]}, {"kind": "text", "nullable": True}),
        ({"anyOf": [{"const": "a"}, {"enum": ["b", 3]}]}, {"kind": "choice", "options": ["a", "b", 3]}),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"kind": "json"}),
        ({"type": "array", "items": {"type": "number"}}, {"kind": "list"}),
        ({"type": "array"}, {"kind": "json", "type": "array"}),
        ({"type": "object", "additionalProperties": {"type": "number"}}, {"kind": "json", "type": "object"}),
        ({}, {"kind": "json"}),
        ({"$ref": "#/$defs/Lost"}, {"kind": "json"}),
    ],
)
def test_field(schema: Any, spec: dict[str, Any], expected: dict[str, Any]) -> None:
    field = schema("m.readField('x', x)", spec)
    assert {key: field.get(key) for key in expected} == expected


def test_a_prompt_has_room_for_lines(schema: Any) -> None:
    assert schema("m.readField('negative_prompt', {type: 'string'}).multiline")


def test_nested_models_are_groups_with_their_own_required_fields(schema: Any) -> None:
    spec = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "size": {"type": "object", "properties": {"w": {"type": "integer"}}},
        },
        "required": ["name"],
    }
    field = schema("m.readField('style', x)", spec)
    assert field["kind"] == "group"
    assert [inner["required"] for inner in field["fields"]] == [True, False]
    assert field["fields"][1]["fields"][0]["kind"] == "number"


def test_nesting_without_end_becomes_json(schema: Any) -> None:
    spec: dict[str, Any] = {"type": "integer"}
    for _ in range(10):
        spec = {"type": "object", "properties": {"inner": spec}}
    assert '"kind":"json"' in schema("JSON.stringify(m.readField('deep', x))", spec)


@pytest.mark.parametrize(
    ("schema_of_command", "live"),
    [
        ({"x": BOUNDED, "on": {"type": "boolean"}, "mode": {"enum": ["a", "b"]}}, True),
        ({"x": BOUNDED, "prompt": {"type": "string"}}, False),
        ({"points": {"type": "array", "items": {"type": "number"}}}, False),
        ({}, False),
    ],
)
def test_live_by_default_is_what_can_be_dragged_or_chosen(
    schema: Any, schema_of_command: Any, live: bool
) -> None:
    assert schema("m.readCommand({name: 'c', schema: x}).live", schema_of_command) is live


@pytest.mark.parametrize(
    ("spec", "value", "message"),
    [
        (BOUNDED, 0.5, None),
        (BOUNDED, 2, "must be at most 1"),
        (BOUNDED, -1, "must be at least 0"),
        (BOUNDED, "0.5", "must be a number"),
        ({"type": "number", "exclusiveMinimum": 0}, 0, "must be greater than 0"),
        ({"type": "number", "exclusiveMaximum": 1}, 1, "must be less than 1"),
        ({"type": "integer"}, 1.5, "must be a whole number"),
        ({"type": "number", "multipleOf": 0.1}, 0.3, None),
        ({"type": "number", "multipleOf": 0.1}, 0.35, "must be a multiple of 0.1"),
        ({"type": "string", "required": True}, "", "is required"),
        ({"type": "string"}, "", None),
        ({"type": "string", "minLength": 3}, "ab", "must have at least 3 characters"),
        ({"type": "string", "maxLength": 1}, "😀", None),
        ({"type": "string", "maxLength": 1}, "ab", "must have at most 1 character"),
        ({"type": "string", "pattern": "^[a-z]+$"}, "A", "must match the pattern ^[a-z]+$"),
        ({"type": "string", "pattern": "(?P<python>x)"}, "A", None),
        ({"enum": ["a", "b"]}, "c", "must be one of a, b"),
        ({"type": "integer", "required": True}, None, "must have a value"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, None, None),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1], "must have at least 2 items"),
        ({"type": "array", "maxItems": 1}, [1, 2], "must have at most 1 item"),
        ({"type": "object"}, [1], "must be a JSON object"),
    ],
)
def test_problem(schema: Any, spec: dict[str, Any], value: Any, message: str | None) -> None:
    found = schema("m.problems(m.readField('x', x[0]), x[1])", [spec, value])
    assert [each["message"] for each in found] == ([message] if message else [])


def test_a_problem_names_the_way_to_its_field(schema: Any) -> None:
    spec = {
        "type": "object",
        "properties": {"points": {"type": "array", "items": {"type": "integer", "maximum": 9}}},
    }
    found = schema("m.problems(m.readField('shape', x), {points: [1, 10]})", spec)
    assert found == [{"path": "shape.points.1", "message": "must be at most 9"}]


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        (BOUNDED, 0.5),
        ({"type": "boolean"}, False),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}, None),
        ({"type": "array", "items": {"type": "integer"}}, []),
        (
            {
                "type": "object",
                "properties": {"a": {"default": 3, "type": "integer"}, "b": {"type": "integer"}},
            },
            {"a": 3},
        ),
        ({"const": 7}, 7),
    ],
)
def test_initial_value(schema: Any, spec: dict[str, Any], value: Any) -> None:
    assert schema("m.initial(m.readField('x', x))", spec) == value


def test_a_required_number_without_default_begins_unset(schema: Any) -> None:
    assert schema("m.initial(m.readField('x', {type: 'number', required: true})) === undefined")
