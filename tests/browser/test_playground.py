"""Every control of `examples/playground` sends its value through the real model and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .server import Server, live

pytestmark = [pytest.mark.browser, pytest.mark.wire]

PROJECT = Path(__file__).parents[2] / "examples" / "playground"
Act = Callable[[Any], None]
SIZES = [(360, 740), (390, 844), (844, 390), (1024, 768), (1440, 900), (2560, 1440)]
# Of each thing that can scroll: how far it does, and where the last of it that is seen ends.
SCROLLED = """() => [...document.querySelectorAll("html, body, body *")].flatMap((box) => {
  const root = box === document.documentElement;
  const scrolls = root || (getComputedStyle(box).overflowY !== "visible" && !box.matches(".unseen"));
  if (!box.clientHeight || !scrolls || box.matches("textarea")) return [];  // which scrolls over its own text
  const shown = [...box.querySelectorAll("*")].filter((each) => {
    const { position } = getComputedStyle(each);
    return position !== "absolute" && position !== "fixed" && each.getClientRects().length > 0;
  });
  const top = root ? 0 : box.getBoundingClientRect().top + box.clientTop;
  const last = Math.max(0, ...shown.map((each) => each.getBoundingClientRect().bottom)) - top + box.scrollTop;
  return [[`${box.tagName}.${box.className}`, box.scrollHeight, Math.max(box.clientHeight, Math.ceil(last))]];
})"""


@pytest.fixture(scope="module")
def page(server: Server, browser: Any) -> Iterator[Any]:
    """One page and one session for all: what a control sends depends on nothing but itself."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(30_000)  # the end of a wait, not a bar
    page.goto(server.url)
    live(page)
    yield page
    page.close()


def card(page: Any, command: str) -> Any:
    return page.locator(f"[data-command={command}]")


def returned(page: Any, command: str, value: Any) -> None:
    """The model got `value` and returned it."""
    line = page.get_by_role("log").locator("li").filter(has_text=command).last
    text = "→ " + json.dumps(value, separators=(",", ":"))
    line.get_by_text(text, exact=True).wait_for()


def slider(key: str) -> Act:
    return lambda card: card.get_by_role("slider").press(key)


def option(label: str) -> Act:
    return lambda card: card.get_by_role("combobox").select_option(label=label)


def entry(role: str, text: str, key: str = "Enter") -> Act:
    def act(card: Any) -> None:
        card.get_by_role(role).last.fill(text)
        card.get_by_role(role).last.press(key)

    return act


def steps(*acts: Act) -> Act:
    def act(card: Any) -> None:
        for each in acts:
            each(card)

    return act


@pytest.mark.parametrize(
    ("command", "act", "value"),
    [
        ("move", lambda card: card.get_by_role("radio", name="left").check(), "left"),
        ("set_light", slider("End"), 1),
        ("set_light", entry("spinbutton", "0.25"), 0.25),
        ("set_count", lambda card: steps(slider("Home"), slider("ArrowRight"))(card), 16),
        ("set_count", slider("End"), 96),
        ("set_seed", entry("spinbutton", "4294967295"), 4294967295),
        ("set_weather", option("storm"), "storm"),
        ("set_weather", option("2"), 2),
        ("set_weather", option("0.5"), 0.5),
        ("set_trail", lambda card: card.get_by_role("checkbox", name="Trail").check(), True),
        ("set_prompt", entry("textbox", "a fox\nin snow"), "a fox\nin snow"),
        ("set_name", entry("textbox", "grace"), "grace"),
        ("set_colour", entry("textbox", "#00ff7f"), "#00ff7f"),
        ("set_zoom", lambda card: card.get_by_role("checkbox", name="give a value").check(), {"zoom": 1}),
        (
            "set_zoom",
            lambda card: [
                card.get_by_role("checkbox", name="give a value").set_checked(on) for on in (True, False)
            ],
            {"zoom": None},
        ),
        ("tilt", lambda card: card.get_by_role("slider").last.press("End"), [0, 1]),
        (
            "draw_line",
            entry("spinbutton", "0.5"),
            {"start": [0.1, 0.9], "end": [0.9, 0.5]},
        ),
        ("set_shape", steps(option("circle"), entry("spinbutton", "12")), {"kind": "circle", "radius": 12}),
        (
            "set_shape",
            steps(
                option("square"),
                lambda card: card.get_by_role("checkbox", name="Filled").check(),
                lambda card: card.get_by_role("button", name="Send").click(),
            ),
            {"kind": "square", "side": 60, "filled": True},
        ),
    ],
)
def test_a_control_sends_what_it_shows(page: Any, command: str, act: Act, value: Any) -> None:
    act(card(page, command))
    returned(page, command, value)


def test_values_made_of_others(page: Any) -> None:
    combine = card(page, "combine")
    combine.get_by_role("button", name="Add to Points").click()
    page.keyboard.type("7")
    combine.get_by_role("button", name="Remove Grid 1 2").click()
    combine.get_by_role("textbox", name="Weights name 1").fill("b")
    combine.get_by_role("spinbutton", name="Weights value 1").fill("0.75")
    combine.get_by_role("textbox", name="Name", exact=True).fill("oil")
    combine.get_by_role("textbox", name="Pair 2").fill("two")
    combine.get_by_role("combobox", name="Either: type").select_option(label="text")
    combine.get_by_role("textbox", name="Either, text").fill("three")
    combine.get_by_role("checkbox", name="Tags: give a value").check()
    combine.get_by_role("button", name="Add to Tags").click()
    combine.get_by_role("radiogroup", name="Tags 1").get_by_role("radio", name="green").check()
    combine.get_by_role("checkbox", name="Anything: give a value").check()
    combine.get_by_role("textbox", name="Anything").fill('{"a": [null]}')
    combine.get_by_role("button", name="Send").click()
    value = {
        "points": [1, 2, 7],
        "grid": [[1], [0, 1]],
        "weights": {"b": 0.75},
        "style": {"name": "oil", "strength": 1},
        "pair": [1, "two"],
        "either": "three",
        "tags": ["green"],
        "anything": {"a": [None]},
    }
    returned(page, "combine", value)


def test_what_the_server_refuses_is_said_at_its_field(page: Any) -> None:
    combine = card(page, "combine")
    combine.get_by_role("textbox", name="Name", exact=True).fill("x" * 21)
    assert combine.get_by_text("must have at most 20 characters").is_visible()
    assert combine.get_by_role("button", name="Send").is_disabled()
    combine.get_by_role("textbox", name="Name", exact=True).fill("ink")
    card(page, "fail").get_by_role("radio", name="refuse").click()
    refused = card(page, "fail").get_by_role("alert").filter(has_text="The model refuses")
    refused.wait_for()
    assert card(page, "fail").get_by_role("radiogroup").get_attribute("aria-invalid") == "true"


def test_keys_steer_and_let_go(page: Any) -> None:
    page.locator("h1").click()  # nothing has the focus
    page.keyboard.down("w")
    returned(page, "move", "forward")
    page.keyboard.down("ArrowRight")
    returned(page, "move", "right")
    page.keyboard.up("ArrowRight")
    returned(page, "move", "forward")
    page.keyboard.up("w")
    returned(page, "move", "none")


def test_a_drag_on_the_picture_is_a_stick_that_springs_back(page: Any) -> None:
    box = page.locator(".screen").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 2_000, middle[1])
    returned(page, "tilt", [1, 0])
    page.mouse.up()
    returned(page, "tilt", [0, 0])


def test_values_survive_a_reload(page: Any) -> None:
    card(page, "set_light").get_by_role("spinbutton").fill("0.25")
    card(page, "set_light").get_by_role("spinbutton").press("Enter")
    card(page, "set_prompt").get_by_role("textbox").fill("a draft")
    card(page, "combine").get_by_role("combobox", name="Either: type").select_option(label="text")
    card(page, "combine").get_by_role("textbox", name="Either, text").fill("three")
    number = page.context.request.get(page.url + "session").json()["number"]
    page.reload()
    live(page)
    assert page.context.request.get(page.url + "session").json()["number"] == number
    assert card(page, "set_light").get_by_role("spinbutton").input_value() == "0.25"
    assert card(page, "set_prompt").get_by_role("textbox").input_value() == "a draft"
    assert card(page, "combine").get_by_role("textbox", name="Either, text").input_value() == "three"


@pytest.fixture
def sized(page: Any) -> Iterator[Any]:
    yield lambda width, height: page.set_viewport_size({"width": width, "height": height})
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_scrolls_into_a_blank(page: Any, sized: Any, width: int, height: int) -> None:
    """Legends for screen readers only once made the page as long as its panel."""
    sized(width, height)
    padding = 4
    longer = [name for name, scrolls, last in page.evaluate(SCROLLED) if scrolls > last + padding]
    assert longer == []


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1280, 800), (1440, 900), (2560, 1440)])
def test_a_wide_page_cuts_nothing_off(page: Any, sized: Any, width: int, height: int) -> None:
    """Not with a long prompt either: the picture makes room for it."""
    sized(width, height)
    prompt = card(page, "set_prompt").get_by_role("textbox")
    before = prompt.input_value()
    for text in (before, "a line\n" * 12):
        prompt.fill(text)
        cut = page.locator(".page").evaluate("(page) => page.scrollHeight - page.clientHeight")
        assert cut <= 1
        assert page.locator(".screen").bounding_box()["height"] > 100
    prompt.fill(before)


def test_all_tracks_are_seen_and_one_can_be_large(page: Any) -> None:
    assert page.locator("figure video").count() == 2
    page.get_by_role("button", name="Overview").click()
    large = page.locator("figure.large video")
    assert large.get_attribute("data-track") == "overview"
    page.get_by_role("button", name="Overview").click()
    assert page.locator("figure.large").count() == 0
