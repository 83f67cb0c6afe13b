"""How a card looks: what is shown of it and when, and too much of everything. A pretended runtime."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .pages import until
from .test_crowded import STICKS_OUT

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
SPEED = {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5, "description": "How fast."}
WORDS = {"type": "string", "required": True}
LONG = "a_name_of_two_hundred_letters_" * 6 + "that_is_long_enough_"
LETTERS = 100_000


@pytest.fixture
def open_page(open_page: Open) -> Open:
    def open_(*commands: dict[str, Any], script: str = "", **more: Any) -> Any:
        page = open_page(f"runtime.commands = {json.dumps(commands)};\n{script}", **more)
        page.locator("html[data-phase=live]").wait_for()
        return page

    return open_


def command(name: str, description: str = "", **schema: Any) -> dict[str, Any]:
    return {"name": name, "description": description, "schema": schema}


def card(page: Any, name: str) -> Any:
    return page.locator(f"[data-command={name}]")


def opacity(part: Any) -> float:
    return float(part.evaluate("(each) => getComputedStyle(each).opacity"))


def test_keys_and_live_are_shown_where_they_say_something(open_page: Open) -> None:
    page = open_page(command("set_speed", speed=SPEED), command("say", words=WORDS))
    speed, say = card(page, "set_speed"), card(page, "say")
    page.locator("h1").hover()
    until(page, "document.getAnimations().length === 0")
    assert opacity(speed.locator(".livebox")) == 1  # it is live, which is worth a word
    assert opacity(say.locator(".livebox")) == 0
    assert opacity(speed.locator(".keybutton")) == 0
    keys = "document.querySelector('[data-command=set_speed] .keybutton')"
    speed.hover()
    until(page, f"getComputedStyle({keys}).opacity === '1'")
    speed.get_by_role("slider").focus()
    page.locator("h1").hover()
    assert opacity(speed.locator(".keybutton")) == 1  # hands on the keyboard find it, too


def test_labels_are_kept_and_help_stands_beside_its_control(open_page: Open) -> None:
    page = open_page(command("set_speed", speed=SPEED), command("drive", speed=SPEED))
    # "Speed" is the title of the one already; in the other nothing else says what the number is.
    assert card(page, "set_speed").get_by_text("Speed", exact=True).count() == 1
    drive = card(page, "drive")
    label = drive.get_by_text("Speed", exact=True).bounding_box()
    told = drive.get_by_text("How fast.", exact=True).bounding_box()
    control = drive.locator(".slide").bounding_box()
    assert label["y"] < control["y"] < told["y"]
    assert told["y"] - (control["y"] + control["height"]) < 12


def test_the_help_of_a_docked_prompt_is_seen(open_page: Open) -> None:
    prompt = {"type": "string", "default": "", "widget": "prompt"}
    page = open_page(command("set_prompt", "What is to be seen.", prompt=prompt))
    assert page.locator(".dock").get_by_text("What is to be seen.").is_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_forty_commands_and_names_of_two_hundred_letters(open_page: Open, width: int) -> None:
    many = [command(f"turn_{number}", speed=SPEED) for number in range(40)]
    long = command(LONG, LONG, **{LONG: SPEED})
    tracks = [
        {"name": name, "kind": "video", "direction": "recvonly"} for name in ("main_video", LONG, "depth")
    ]
    script = f"runtime.model = {json.dumps(LONG)}; runtime.tracks = {json.dumps(tracks)};"
    page = open_page(*many, long, script=script, width=width, height=844)
    assert page.get_by_role("slider").count() == 41
    until(page, "[...document.querySelectorAll('figure video')].every(({ videoWidth }) => videoWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth === innerWidth")
    assert page.evaluate(STICKS_OUT) == []
    bar = page.get_by_role("banner").bounding_box()
    assert bar["height"] < 100
    assert page.get_by_role("button", name="Stop", exact=True).is_visible()
    card(page, "turn_39").get_by_role("slider").press("End")
    until(page, "runtime.received.some(({ type, data }) => type === 'turn_39' && data.speed === 1)")


def test_a_prompt_of_a_hundred_kilobytes_is_sent_and_leaves_the_picture_its_place(open_page: Open) -> None:
    prompt = {"type": "string", "default": "", "widget": "prompt"}
    page = open_page(command("set_prompt", prompt=prompt), width=1440, height=900)
    entry = page.get_by_role("textbox", name="Prompt")
    entry.fill("fox " * (LETTERS // 4))
    assert page.locator(".screen").bounding_box()["height"] > 300
    assert entry.bounding_box()["height"] < 300
    entry.press("Enter")
    until(page, f"runtime.received.at(-1)?.data.prompt?.length === {LETTERS}")
    assert page.evaluate("document.documentElement.scrollWidth === innerWidth")
