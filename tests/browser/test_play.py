"""Playing: keys, sticks, gamepads and thumbs; and that nothing stays pressed. Against a pretended runtime."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .pages import until

pytestmark = pytest.mark.browser
Open = Callable[..., Any]

MOVE = {
    "name": "move",
    "schema": {
        "direction": {"enum": ["forward", "back", "left", "right", "forward_left", "none"], "default": "none"}
    },
}
LOOK = {
    "name": "look",
    "schema": {
        "x": {"type": "number", "minimum": -1, "maximum": 1, "default": 0},
        "y": {"type": "number", "minimum": -1, "maximum": 1, "default": 0},
    },
}
POINT = {
    "name": "point",
    "schema": {
        "x": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
        "y": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
    },
}
SPEED = {
    "name": "set_speed",
    "schema": {"speed": {"type": "number", "minimum": 0, "maximum": 100, "default": 50}},
}


@pytest.fixture
def open_page(new_page: Any, files: str, pretended: str) -> Open:
    def open_(*commands: dict[str, Any], script: str = "", **more: Any) -> Any:
        page = new_page(
            script=f"{pretended}\nruntime.commands = {json.dumps(commands)};\n{script}", height=900, **more
        )
        page.goto(files)
        page.locator("html[data-phase=live]").wait_for()
        return page

    return open_


def sent(page: Any, count: int) -> list[Any]:
    """What the commands carried, once there were `count`: the value where there is only one."""
    until(page, f"runtime.received.filter(({{ id }}) => id).length >= {count}")
    values = page.evaluate("runtime.received.filter(({ id }) => id).map(({ data }) => data)")
    return [next(iter(value.values())) if len(value) == 1 else value for value in values]


def test_directions_are_held(open_page: Open) -> None:
    page = open_page(MOVE)
    page.keyboard.down("w")
    page.keyboard.down("a")
    page.keyboard.up("w")
    page.keyboard.up("a")
    assert sent(page, 4) == ["forward", "forward_left", "left", "none"]
    page.keyboard.press("ArrowDown")
    assert sent(page, 6)[4:] == ["back", "none"]


def test_a_second_set_of_directions_takes_the_arrows(open_page: Open) -> None:
    look = {"name": "turn", "schema": {"to": {"enum": ["turn_left", "turn_right", "stop"]}}}
    page = open_page(MOVE, look)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("a")
    assert sent(page, 4) == ["turn_left", "stop", "left", "none"]


def test_held_keys_in_a_list_and_in_toggles(open_page: Open) -> None:
    keys = {
        "name": "press",
        "schema": {"keys": {"type": "array", "items": {"enum": list("wasd")}, "default": []}},
    }
    page = open_page(keys)
    page.keyboard.down("w")
    page.keyboard.down("d")
    page.keyboard.up("w")
    page.keyboard.up("d")
    assert sent(page, 4) == [["w"], ["w", "d"], ["d"], []]


def test_directions_without_rest_send_only_presses(open_page: Open) -> None:
    page = open_page({"name": "step", "schema": {"to": {"enum": ["left", "right"], "required": True}}})
    page.keyboard.press("d")
    page.keyboard.press("a")
    page.wait_for_timeout(100)
    assert sent(page, 2) == ["right", "left"]


@pytest.mark.parametrize(
    "how",
    [
        "dispatchEvent(new Event('blur'))",
        "Object.defineProperty(document, 'hidden', {value: true});"
        "document.dispatchEvent(new Event('visibilitychange'))",
    ],
)
def test_nothing_stays_pressed_when_the_focus_is_lost(open_page: Open, how: str) -> None:
    page = open_page(MOVE)
    page.keyboard.down("w")
    page.evaluate(how)
    assert sent(page, 2) == ["forward", "none"]


def test_nothing_stays_pressed_when_the_connection_is_lost(open_page: Open) -> None:
    page = open_page(MOVE)
    page.keyboard.down("w")
    assert sent(page, 1) == ["forward"]
    page.evaluate("runtime.hangUp()")
    until(page, "runtime.offers.length === 2 && document.documentElement.dataset.phase === 'live'")
    assert sent(page, 2) == ["forward", "none"]


def test_keys_leave_text_and_sliders_alone(open_page: Open) -> None:
    say = {"name": "say", "schema": {"text": {"type": "string", "required": True}}}
    page = open_page(MOVE, SPEED, say)
    page.get_by_role("textbox", name="Text").press_sequentially("wasd")
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_role("slider").press("w")
    assert sent(page, 3) == [51, "forward", "none"]
    assert page.get_by_role("textbox", name="Text").input_value() == "wasd"


def test_any_command_can_have_a_key_and_keeps_it(open_page: Open) -> None:
    page = open_page(MOVE, SPEED, {"name": "jump"})
    actions = page.locator(".actions")
    actions.get_by_role("button", name="keys").click()
    actions.get_by_role("button", name="Key for Jump").click()
    page.keyboard.press("j")
    actions.get_by_role("button", name="Key for Jump: J").wait_for()
    speed = page.locator("[data-command=set_speed]")
    speed.get_by_role("button", name="keys").click()
    speed.get_by_role("button", name="Key for Speed more").click()
    page.keyboard.press("w")  # taken from "forward"
    page.reload()
    page.locator("html[data-phase=live]").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("w")
    page.keyboard.press("ArrowUp")
    until(page, "runtime.received.filter(({ id }) => id).length >= 4")
    assert page.evaluate("runtime.received.filter(({ id }) => id).map(({ type }) => type)") == [
        "jump", "set_speed", "move", "move"
    ]  # fmt: skip
    assert page.evaluate("runtime.received.find(({ type }) => type === 'set_speed').data.speed") == 52


def test_a_stick_on_the_picture_springs_back(open_page: Open) -> None:
    page = open_page(LOOK)
    box = page.locator(".screen").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0], middle[1] - 2_000)
    until(page, "runtime.received.some(({ data }) => data.y === 1)")
    page.mouse.up()
    until(page, "runtime.received.at(-1).data.y === 0")


def test_a_place_on_the_picture_is_a_point_that_stays(open_page: Open) -> None:
    page = open_page(POINT)
    box = page.locator(".screen").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    assert sent(page, 1)[-1] == {"x": 0.25, "y": 0.25}
    assert page.locator(".pad").is_visible()


def test_a_gamepad_steers_and_presses(open_page: Open) -> None:
    script = """
        const buttons = [...Array(16)].map(() => ({ pressed: false }));
        window.pad = { connected: true, axes: [0, 0, 0, 0], buttons };
        navigator.getGamepads = () => [window.pad];
        document.hasFocus = () => true;
    """
    page = open_page(MOVE, LOOK, script=script)
    page.evaluate("dispatchEvent(new Event('gamepadconnected')); pad.axes[1] = -1;")
    until(page, "runtime.received.some(({ data }) => data.y === 1)")
    page.evaluate("pad.axes[1] = 0")
    until(page, "runtime.received.at(-1).data.y === 0")
    page.evaluate("pad.buttons[12].pressed = true")
    until(page, "runtime.received.at(-1).data.direction === 'forward'")
    page.evaluate("pad.buttons[12].pressed = false")
    until(page, "runtime.received.at(-1).data.direction === 'none'")


def test_thumbs_have_a_cross(open_page: Open) -> None:
    page = open_page(MOVE, width=360, has_touch=True, is_mobile=True)
    box = page.locator(".cross .left").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert sent(page, 2) == ["left", "none"]


def test_who_watches_plays_nothing_until_control_is_taken(open_page: Open) -> None:
    page = open_page(MOVE, script="runtime.role = 'viewer';")
    page.get_by_text("You are watching; somebody else plays.").wait_for()
    page.keyboard.press("w")
    page.get_by_role("button", name="Take control").click()
    page.get_by_role("button", name="Take control").wait_for(state="hidden")
    page.keyboard.press("s")
    assert sent(page, 2) == ["back", "none"]
