"""The whole page against a pretended runtime: what each control sends, and what is shown of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from reactor_runtime import VideoModel, command
from reactor_runtime.authoring.capabilities import capabilities
from reactor_runtime.authoring.command import commands_of

from .pages import until

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


@pytest.fixture
def open_page(open_page: Open) -> Open:
    """`open_page(commands, script=…)`: the page, live, in front of a model with these commands."""

    def open_(commands: list[dict[str, Any]], script: str = "", **more: Any) -> Any:
        page = open_page(f"runtime.commands = {json.dumps(commands)};\n{script}", **more)
        page.locator("html[data-phase=live]").wait_for()
        return page

    return open_


def one(spec: dict[str, Any], command: str = "act", field: str = "value") -> list[dict[str, Any]]:
    return [
        {
            "name": command,
            "description": "",
            "schema": {field: {**spec, **({} if "default" in spec else {"required": True})}},
        }
    ]


def sent(page: Any, count: int = 1) -> list[dict[str, Any]]:
    """The arguments of the commands that the model got, once there are `count`."""
    until(page, f"runtime.received.filter(({{ id }}) => id).length >= {count}")
    return page.evaluate("runtime.received.filter(({ id }) => id).map(({ data }) => data)")


def card(page: Any, command: str = "act") -> Any:
    return page.locator(f"[data-command={command}]")


def test_a_secret_is_an_empty_password_field_that_sends_what_was_typed(open_page: Open) -> None:
    secret = {"type": "string", "format": "password", "writeOnly": True}
    fields = {"key": secret, "text": {"type": "string", "default": "t"}}
    page = open_page([{"name": "act", "description": "", "schema": fields}])
    entry = page.locator("input[type=password]")
    assert entry.input_value() == ""
    card(page).get_by_role("button", name="Send").click()
    assert sent(page)[-1] == {"text": "t"}
    entry.fill("hunter2")
    card(page).get_by_role("button", name="Send").click()
    assert sent(page, 2)[-1] == {"key": "hunter2", "text": "t"}
    assert "hunter2" not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    page.reload()
    page.locator("html[data-phase=live]").wait_for()
    assert page.locator("input[type=password]").input_value() == ""


def test_a_slider_sends_while_it_moves(open_page: Open) -> None:
    page = open_page(one({"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}))
    page.get_by_role("slider").press("ArrowRight")
    assert sent(page) == [{"value": 0.51}]
    assert page.get_by_role("spinbutton").input_value() == "0.51"


def test_a_number_entry_moves_the_slider_and_sends_when_finished(open_page: Open) -> None:
    page = open_page(one({"type": "integer", "minimum": 0, "maximum": 100, "default": 5}))
    page.get_by_role("spinbutton").fill("42")
    page.wait_for_timeout(100)
    assert page.evaluate("runtime.received.filter(({ id }) => id)") == []
    page.get_by_role("spinbutton").press("Enter")
    assert sent(page) == [{"value": 42}]
    assert page.get_by_role("slider").input_value() == "42"


def test_a_drag_is_coalesced_to_the_newest(open_page: Open) -> None:
    page = open_page(
        one({"type": "integer", "minimum": 0, "maximum": 100, "default": 0}), "runtime.delay = 150;"
    )
    page.evaluate(
        """() => { const range = document.querySelector('[data-command] input[type=range]');
                   for (let i = 1; i <= 60; i++) {
                     range.value = i; range.dispatchEvent(new Event('input')); } }"""
    )
    assert sent(page, 2) == [{"value": 1}, {"value": 60}]
    page.wait_for_timeout(300)
    assert len(sent(page, 2)) == 2


@pytest.mark.parametrize("options", [["near", "far"], list("abcdefg"), [1, 2, 3]])
def test_a_choice(open_page: Open, options: list[Any]) -> None:
    page = open_page(one({"enum": options, "required": True}))
    if len(options) <= 5:
        page.get_by_role("radio", name=str(options[1])).check()
    else:
        page.get_by_role("combobox").select_option(label=str(options[1]))
    assert sent(page) == [{"value": options[1]}]


def test_the_chosen_button_pressed_again_sends_again(open_page: Open) -> None:
    page = open_page(one({"enum": ["left", "right"], "required": True}, "move", "direction"))
    for _ in range(2):
        page.get_by_role("radio", name="left").click()
    assert sent(page, 2) == [{"direction": "left"}] * 2


def test_a_toggle(open_page: Open) -> None:
    page = open_page(one({"type": "boolean", "default": True}))
    page.get_by_role("checkbox", name="Value").uncheck()
    assert sent(page) == [{"value": False}]


def test_a_prompt_is_sent_with_enter_and_held_while_empty(open_page: Open) -> None:
    page = open_page(one({"type": "string", "required": True}, "set_prompt", "prompt"))
    send = card(page, "set_prompt").get_by_role("button", name="Send")
    assert send.is_disabled()
    assert card(page, "set_prompt").get_by_text("needs prompt").is_visible()
    box = page.get_by_role("textbox", name="Prompt")
    box.press_sequentially("a fox")
    box.press("Shift+Enter")
    box.press_sequentially("in snow")
    assert send.is_enabled()
    box.press("Enter")
    assert sent(page) == [{"prompt": "a fox\nin snow"}]


def test_an_optional_value_can_be_unset(open_page: Open) -> None:
    number = {"anyOf": [{"type": "number", "minimum": 1, "maximum": 8}, {"type": "null"}], "default": 2}
    page = open_page(one(number))
    box = page.get_by_role("checkbox", name="Value: give a value")
    box.uncheck()
    assert page.get_by_role("slider").is_disabled()
    box.check()
    assert sent(page, 2) == [{"value": None}, {"value": 2}]


def test_a_list_grows_and_shrinks(open_page: Open) -> None:
    page = open_page(one({"type": "array", "items": {"type": "integer"}, "default": [1, 2]}, field="points"))
    page.get_by_role("button", name="Remove Points 1").click()
    page.get_by_role("button", name="Add").click()
    assert card(page).get_by_role("button", name="Send").is_disabled()
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    assert sent(page) == [{"points": [2, 7]}]


def test_a_nested_model_is_a_group(open_page: Open) -> None:
    style = {
        "type": "object",
        "x-required": ["name"],
        "properties": {"name": {"type": "string"}, "strength": {"type": "number", "default": 1}},
    }
    page = open_page(one(style, field="style"))
    page.get_by_role("textbox", name="Name").fill("ink")
    card(page).get_by_role("button", name="Send").click()
    assert sent(page) == [{"style": {"name": "ink", "strength": 1}}]


def test_anything_else_is_json_and_says_when_it_is_not(open_page: Open) -> None:
    page = open_page(one({"type": "object", "additionalProperties": True}, field="extra"))
    box = page.get_by_role("textbox", name="Extra")
    box.fill('{"a": [1')
    assert card(page).get_by_text("is not valid JSON yet").is_visible()
    assert card(page).get_by_role("button", name="Send").is_disabled()
    box.fill('{"a": [1]}')
    card(page).get_by_role("button", name="Send").click()
    assert sent(page) == [{"extra": {"a": [1]}}]


def test_a_command_without_parameters_is_a_button(open_page: Open) -> None:
    page = open_page([{"name": "reset_world", "description": "Back to the start", "schema": {}}])
    page.get_by_role("button", name="Reset world").click()
    assert sent(page) == [{}]


def test_a_value_out_of_range_is_refused_at_its_field_and_not_sent(open_page: Open) -> None:
    page = open_page(one({"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}))
    entry = page.get_by_role("spinbutton")
    entry.fill("7")
    entry.press("Tab")
    assert card(page).get_by_text("must be at most 1").is_visible()
    assert entry.get_attribute("aria-invalid") == "true"
    assert page.evaluate("runtime.received.filter(({ id }) => id)") == []


def test_a_refusal_of_the_model_is_shown_at_the_field_and_in_the_messages(open_page: Open) -> None:
    refusal = (
        'runtime.handle = () => { throw { code: "wall", message: "There is a wall.", field: "direction" }; };'
    )
    page = open_page(one({"enum": ["left", "right"]}, "move", "direction"), refusal)
    page.get_by_role("radio", name="left").click()
    error = card(page, "move").get_by_role("alert").filter(has_text="There is a wall.")
    error.wait_for()
    page.get_by_role("log").get_by_text("There is a wall.").wait_for()
    page.evaluate("runtime.handle = () => ({})")
    page.get_by_role("radio", name="right").click()
    error.wait_for(state="hidden")


def test_a_refusal_of_a_button_is_shown(open_page: Open) -> None:
    refusal = 'runtime.handle = () => { throw { code: "busy", message: "Not now." }; };'
    page = open_page([{"name": "jump"}], refusal)
    page.get_by_role("button", name="Jump").click()
    page.get_by_role("alert").filter(has_text="Not now.").wait_for()


def test_messages_and_results_are_listed_and_bursts_share_a_line(open_page: Open) -> None:
    page = open_page([{"name": "count"}], "runtime.handle = () => ({ result: { total: 3 } });")
    page.evaluate(
        "for (let i = 0; i < 5; i++) runtime.say({scope: 'application', data: {type: 'progress', step: i}})"
    )
    log = page.get_by_role("log")
    log.get_by_text("×5").wait_for()
    assert log.locator("li").count() == 1
    page.get_by_role("button", name="Count").click()
    log.get_by_text('→ {"total":3}').wait_for()


def test_live_can_be_switched_off(open_page: Open) -> None:
    page = open_page(one({"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}))
    page.get_by_label("live").uncheck()
    page.get_by_role("slider").press("End")
    page.wait_for_timeout(100)
    assert page.evaluate("runtime.received.filter(({ id }) => id)") == []
    card(page).get_by_role("button", name="Send").click()
    assert sent(page) == [{"value": 1}]


def test_the_page_is_operable_by_keyboard_alone(open_page: Open) -> None:
    page = open_page(
        [{"name": "jump"}, *one({"enum": ["left", "right"], "default": "left"}, "move", "direction")]
    )
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.textContent || document.activeElement.type"))
        if seen[-1] == "radio":
            page.keyboard.press("ArrowRight")
            break
    assert "Jump" in seen
    assert sent(page) == [{"direction": "right"}]


@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_nothing_sticks_out_at_any_width(open_page: Open, width: int) -> None:
    fields = {
        "long_name_of_a_parameter_that_wraps": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 0.123456789,
        },
        "mode": {"enum": ["forward", "backward", "leftward", "rightward", "none"]},
        "extra": {"type": "object"},
        "points": {"type": "array", "items": {"type": "string"}, "default": ["a", "b"]},
    }
    page = open_page(
        [{"name": "everything", "schema": fields}, {"name": "an_action_with_a_long_name"}], width=width
    )
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_page_asks_for_nothing_beyond_its_own_origin(open_page: Open, files: str) -> None:
    page = open_page([])
    names = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert names
    assert all(name.startswith(files) for name in names)


class Lens(BaseModel):
    name: str
    focal: float = Field(ge=1, le=100)
    seed: int = Field(default_factory=lambda: 7, ge=0)
    tint: str = "none"


class Shot(BaseModel):
    title: str
    lens: Lens


class Directed(VideoModel):
    @command("shoot")
    def shoot(self, shot: Shot, lenses: Annotated[list[Lens], Field(default_factory=list)]): ...


def test_nested_required_fields_hold_the_send_button(open_page: Open) -> None:
    """From the descriptor itself: the flag of a parameter must not hide the list of its fields."""
    page = open_page(capabilities(Directed)["commands"])
    shoot = card(page, "shoot")
    send = shoot.get_by_role("button", name="Send")
    assert send.is_disabled()
    assert shoot.get_by_text("needs title, name, focal").is_visible()
    shoot.get_by_role("textbox", name="Title").fill("Opening")
    shoot.get_by_role("textbox", name="Name", exact=True).fill("wide")
    assert send.is_disabled()
    assert shoot.get_by_text("needs focal").is_visible()
    shoot.get_by_role("spinbutton", name="Focal").fill("35")
    assert send.is_enabled()  # a seed is the server's to make, a tint has its default
    send.click()
    value = {"title": "Opening", "lens": {"name": "wide", "focal": 35, "tint": "none"}}
    assert sent(page) == [{"shot": value}]
    commands_of(Directed)["shoot"].validate({"shot": value})


def test_required_fields_of_list_items_hold_it_too(open_page: Open) -> None:
    page = open_page(capabilities(Directed)["commands"])
    shoot = card(page, "shoot")
    shoot.get_by_role("textbox", name="Title").fill("Opening")
    shoot.get_by_role("textbox", name="Name", exact=True).fill("wide")
    shoot.get_by_role("spinbutton", name="Focal").fill("35")
    shoot.get_by_role("checkbox", name="Lenses: give a value").check()
    shoot.get_by_role("button", name="Add to Lenses").click()
    assert shoot.get_by_role("button", name="Send").is_disabled()
    assert shoot.get_by_text("needs name, focal").is_visible()


def test_a_call_that_a_newer_one_replaced_says_so(open_page: Open) -> None:
    """It is a success for who sent it, and yet not what ran."""
    spec = {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}
    page = open_page(
        [*one(spec), {"name": "reset", "description": "", "schema": {}}],
        "let first = true; runtime.handle = () => { const superseded = first; first = false;"
        " return superseded ? { ok: true, superseded } : { ok: true }; };",
    )
    mark = card(page).locator(".mark")
    slider = page.get_by_role("slider")
    slider.press("End")
    mark.get_by_text("a newer one ran").wait_for()
    slider.press("Home")
    mark.get_by_text("✓").wait_for()
    actions = page.locator(".card.actions .mark")
    page.evaluate("runtime.handle = () => ({ ok: true, superseded: true })")
    page.get_by_role("button", name="Reset", exact=True).click()
    actions.get_by_text("a newer one ran").wait_for()
    page.evaluate("runtime.handle = () => ({ ok: true })")
    page.get_by_role("button", name="Reset", exact=True).click()
    until(page, "document.querySelector('.card.actions .mark').textContent === ''")
