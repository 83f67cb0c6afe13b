"""What a hand holds, on a telephone and in front of a slow model. A pretended runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .pages import playing, until
from .test_play import LOOK, POINT, SPEED, last

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
SENT = "runtime.received.filter(({ id }) => id).length"


@pytest.fixture
def open_page(open_page: Open) -> Open:
    return playing(open_page)


def finger(page: Any, kind: str, x: float, y: float) -> None:
    """On the first stick for a thumb."""
    page.evaluate(
        """([kind, x, y]) => { const stick = document.querySelector('.thumbpad');
             stick.setPointerCapture = () => {};  // no finger is really down
             stick.dispatchEvent(new PointerEvent(kind, { pointerId: 7, clientX: x, clientY: y })); }""",
        [kind, x, y],
    )


def test_thumbs_have_a_stick_for_each_pad_beside_the_picture(open_page: Open) -> None:
    page = open_page(LOOK, POINT, width=360, has_touch=True, is_mobile=True)
    sticks = page.locator(".thumbpad")
    assert sticks.count() == 2
    picture, box = page.locator(".screen").bounding_box(), sticks.first.bounding_box()
    assert box["y"] >= picture["y"] + picture["height"]
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger(page, "pointerdown", x, y)
    finger(page, "pointermove", x, y - 300)
    last(page, "look", {"x": 0, "y": 1})
    finger(page, "pointerup", x, y)
    last(page, "look", {"x": 0, "y": 0})


def test_who_has_a_mouse_sees_no_stick(open_page: Open) -> None:
    page = open_page(LOOK)
    assert page.locator(".thumbpad").is_hidden()


def test_a_held_key_sends_the_newest_and_no_queue_to_a_slow_model(open_page: Open) -> None:
    page = open_page(SPEED, script="runtime.delay = 400;")
    speed = page.locator("[data-command=set_speed]")
    speed.get_by_role("button", name="keys").click()
    speed.get_by_role("button", name="Key for Speed more").click()
    page.keyboard.press("m")
    speed.get_by_role("button", name="Key for Speed more: M").wait_for()
    value = "document.querySelector('[data-command=set_speed] [type=range]').valueAsNumber"
    page.keyboard.down("m")
    until(page, f"{value} >= 80")
    page.keyboard.up("m")
    shown = page.evaluate(value)
    last(page, "set_speed", {"speed": shown})
    moves = (shown - 50) / 2
    assert page.evaluate(SENT) < moves / 2


def test_a_stick_that_is_let_go_is_never_lost_on_a_slow_model(open_page: Open) -> None:
    page = open_page(LOOK, script="runtime.delay = 300;")
    box = page.locator(".screen").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 400, middle[1], steps=20)
    page.mouse.up()
    last(page, "look", {"x": 0, "y": 0})
    assert page.evaluate(SENT) <= 4
