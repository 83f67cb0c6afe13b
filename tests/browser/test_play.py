"""Playing: keys, sticks, gamepads and thumbs; and that nothing stays pressed. Against a pretended runtime."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest

from .pages import playing, until

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
def open_page(open_page: Open) -> Open:
    return playing(open_page)


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


WALK = {
    "name": "walk",
    "schema": {
        **{way: {"type": "boolean", "default": False} for way in ("forward", "back", "left", "right")},
        "sneak": {"type": "boolean", "default": False},
    },
}
STILL = dict.fromkeys(WALK["schema"], False)


def test_four_toggles_are_directions_while_they_are_held(open_page: Open) -> None:
    page = open_page(WALK)
    page.keyboard.down("w")
    page.keyboard.down("ArrowRight")
    page.keyboard.up("w")
    page.keyboard.up("ArrowRight")
    assert sent(page, 4) == [
        STILL | {"forward": True},
        STILL | {"forward": True, "right": True},
        STILL | {"right": True},
        STILL,
    ]
    # The card says which key does what, and shows what was sent.
    assert page.get_by_text("Forward").first.locator("kbd").inner_text() == "W"
    page.keyboard.down("s")
    assert page.get_by_role("checkbox", name="Back").is_checked()
    page.keyboard.up("s")
    assert not page.get_by_role("checkbox", name="Back").is_checked()


def test_a_toggle_that_is_no_direction_is_flipped_by_its_key(open_page: Open) -> None:
    page = open_page(WALK)
    page.get_by_role("button", name="keys").click()
    page.get_by_role("button", name="Key for Sneak").click()
    page.keyboard.press("c")
    page.keyboard.press("c")
    page.keyboard.press("c")
    assert sent(page, 2) == [STILL | {"sneak": True}, STILL]


def test_all_toggles_are_let_go_when_the_focus_is_lost(open_page: Open) -> None:
    page = open_page(WALK)
    page.keyboard.down("w")
    page.keyboard.down("a")
    assert sent(page, 2)[-1] == STILL | {"forward": True, "left": True}
    page.evaluate("dispatchEvent(new Event('blur'))")
    assert sent(page, 4)[-1] == STILL


def test_thumbs_have_a_cross_for_toggles_too(open_page: Open) -> None:
    page = open_page(WALK, width=360, has_touch=True, is_mobile=True)
    box = page.locator(".cross .up").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert sent(page, 2) == [STILL | {"forward": True}, STILL]


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
    until(page, "runtime.received.filter(({ id, type }) => id && type === 'move').length >= 2")
    sent = page.evaluate("runtime.received.filter(({ id }) => id).map(({ type }) => type)")
    # On a busy machine a key is held for long enough to move its slider more than once.
    assert [(kind, kind == "set_speed" or len(list(same))) for kind, same in groupby(sent)] == [
        ("jump", 1), ("set_speed", True), ("move", 2)
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


GAMEPAD = """
    const buttons = [...Array(16)].map(() => ({ pressed: false }));
    window.pad = { connected: true, axes: [0, 0, 0, 0], buttons };
    navigator.getGamepads = () => [window.pad];
    document.hasFocus = () => true;
"""


def with_gamepad(open_page: Open, *commands: dict[str, Any], axes: tuple[float, ...] = (0, -1, 0, 0)) -> Any:
    """The page, and a gamepad that is plugged in with its sticks like this: the left one up."""
    page = open_page(*commands, script=GAMEPAD)
    page.evaluate(f"dispatchEvent(new Event('gamepadconnected')); pad.axes = {list(axes)};")
    return page


def test_a_gamepad_steers_and_presses(open_page: Open) -> None:
    page = with_gamepad(open_page, MOVE, LOOK)
    until(page, "runtime.received.some(({ data }) => data.y === 1)")
    page.evaluate("pad.axes[1] = 0")
    until(page, "runtime.received.at(-1).data.y === 0")
    page.evaluate("pad.buttons[12].pressed = true")
    until(page, "runtime.received.at(-1).data.direction === 'forward'")
    page.evaluate("pad.buttons[12].pressed = false")
    until(page, "runtime.received.at(-1).data.direction === 'none'")


def last(page: Any, command: str, expected: dict[str, Any]) -> None:
    """The newest that the model got of a command."""
    until(
        page,
        f"JSON.stringify(runtime.received.findLast(({{ type }}) => type === {command!r})?.data)"
        f" === JSON.stringify({json.dumps(expected)})",
    )


def test_each_stick_of_a_gamepad_moves_a_pad_of_its_own(open_page: Open) -> None:
    camera = {
        "name": "orbit",
        "schema": {
            "yaw": {"type": "number", "minimum": -180, "maximum": 180, "default": 0},
            "pitch": {"type": "number", "minimum": -90, "maximum": 90, "default": 0},
        },
    }
    page = with_gamepad(open_page, LOOK, camera, axes=(0.1, -0.1, 0, 0))
    page.wait_for_timeout(150)  # a worn stick rests beside its middle: it must not play
    assert page.evaluate("runtime.received.filter(({ id }) => id)") == []
    page.evaluate("pad.axes = [1, 0, 0, 0]")
    last(page, "look", {"x": 1, "y": 0})
    page.evaluate("pad.axes = [0, 0, 0, 1]")
    last(page, "look", {"x": 0, "y": 0})
    last(page, "orbit", {"yaw": 0, "pitch": -90})
    page.evaluate("pad.axes = [0, 0, 0, 0]")
    page.wait_for_timeout(150)
    last(page, "orbit", {"yaw": 0, "pitch": -90})  # an angle stays where it was put


def test_without_a_pad_the_stick_is_a_cross(open_page: Open) -> None:
    page = with_gamepad(open_page, MOVE)
    last(page, "move", {"direction": "forward"})
    page.evaluate("pad.axes = [-1, -1, 0, 0]")
    last(page, "move", {"direction": "forward_left"})
    page.evaluate("pad.axes = [-1, 0, 0, 0]")
    last(page, "move", {"direction": "left"})
    page.evaluate("pad.axes = [0, 0.4, 0, 0]")
    last(page, "move", {"direction": "none"})


def test_an_unplugged_gamepad_holds_nothing_and_may_come_back(open_page: Open) -> None:
    page = with_gamepad(open_page, MOVE)
    last(page, "move", {"direction": "forward"})
    page.evaluate("pad.connected = false")
    last(page, "move", {"direction": "none"})
    page.evaluate("pad.connected = true; dispatchEvent(new Event('gamepadconnected'))")
    last(page, "move", {"direction": "forward"})


def test_a_gamepad_lets_go_of_its_stick_when_the_window_loses_the_focus(open_page: Open) -> None:
    page = with_gamepad(open_page, LOOK)
    last(page, "look", {"x": 0, "y": 1})
    page.evaluate("document.hasFocus = () => false; dispatchEvent(new Event('blur'))")
    last(page, "look", {"x": 0, "y": 0})
    page.wait_for_timeout(150)
    last(page, "look", {"x": 0, "y": 0})  # and does not take it up again behind somebody's back


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


def test_a_page_that_goes_away_lets_go_of_its_keys_first(open_page: Open) -> None:
    page = open_page(MOVE)
    page.keyboard.down("w")
    assert sent(page, 1) == ["forward"]
    # What has not left when the handlers of `pagehide` return never does.
    page.evaluate(
        """() => { const seen = [];
                   const { send } = RTCDataChannel.prototype;
                   RTCDataChannel.prototype.send = function (text) {
                     seen.push(text);
                     send.call(this, text);
                   };
                   dispatchEvent(new PageTransitionEvent('pagehide'));
                   window.left = seen.slice(); }"""
    )
    assert any('"none"' in text for text in page.evaluate("left"))
