"""Faults that screenshots of the page showed; people who see or write otherwise. A pretended runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .pages import until
from .server import live

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
PROMPT = """runtime.commands = [{ name: "set_prompt", schema: { prompt: {
  type: "string", default: "", title: "Prompt", widget: "prompt" } } }];"""
LOADING = "runtime.health = {status: 503, body: {code: 'loading', detail: '', state: 'CREATED'}};"
SENT = "runtime.received.filter(({ type }) => type === 'set_prompt').map(({ data }) => data.prompt)"
BOX = "(each) => each.getBoundingClientRect().toJSON()"


def test_a_session_that_is_over_does_not_turn_a_wheel(open_page: Open) -> None:
    page = open_page()
    live(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("html[data-phase=ended]").wait_for()
    assert page.locator(".veil.waiting").count() == 0
    assert page.locator(".screen.dim").count() == 1


@pytest.mark.parametrize(
    ("how", "phase"),
    [
        ("runtime.start = {status: 401, body: {code: 'token_required', detail: ''}};", "locked"),
        (
            "runtime.start = {status: 409, body: {code: 'session_running', detail: '', state: 'STREAMING'}};",
            "busy",
        ),
        ("setTimeout(() => runtime.end('error'), 1500);", "ended"),
    ],
)
def test_a_title_is_whole_beside_a_long_word_for_the_phase(open_page: Open, how: str, phase: str) -> None:
    page = open_page(f"runtime.model = 'Brightness of colours'; {how}", width=390, height=844)
    page.locator(f"html[data-phase={phase}]").wait_for()
    title = page.get_by_role("heading", level=1)
    if phase == "ended":
        assert title.inner_text() == "Brightness of colours"
    title.evaluate("(each) => (each.textContent = 'Brightness of colours')")  # some phases know no name
    assert title.evaluate("(each) => each.scrollWidth <= each.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_stands_around_controls_comes_with_them(open_page: Open) -> None:
    page = open_page(LOADING)
    page.locator("html[data-phase=loading]").wait_for()
    assert not page.get_by_role("button", name="Reset all").is_visible()
    page.evaluate("runtime.health = null")
    live(page)
    assert page.get_by_role("button", name="Reset all").is_visible()


def test_a_telephone_on_its_side_shows_the_buttons_below_the_picture(open_page: Open) -> None:
    page = open_page(width=844, height=390)
    live(page)
    assert page.get_by_role("button", name="Snapshot").evaluate(BOX)["bottom"] <= 390


def test_a_notch_hides_nothing(open_page: Open) -> None:
    page = open_page(width=844, height=390)
    live(page)
    insets = {"top": 0, "left": 59, "right": 59, "bottom": 21}
    page.context.new_cdp_session(page).send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})
    until(page, "document.querySelector('h1').getBoundingClientRect().left >= 59")
    out = page.evaluate(
        """() => [...document.querySelectorAll("button, input, h1, video")]
             .filter((each) => each.checkVisibility()).map((each) => each.getBoundingClientRect())
             .filter(({ left, right }) => left < 58 || right > innerWidth - 58).length"""
    )
    assert out == 0


def test_enter_that_ends_a_composition_sends_nothing(open_page: Open) -> None:
    """Chinese, Japanese and Korean are written so: the first Enter takes the word, the next one sends."""
    page = open_page(PROMPT)
    live(page)
    prompt = page.get_by_role("textbox", name="Prompt")
    prompt.focus()
    page.keyboard.insert_text("家")
    prompt.evaluate(
        """(prompt) => prompt.dispatchEvent(new KeyboardEvent("keydown",
             { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate(SENT) == []
    prompt.press("Enter")
    until(page, f"{SENT}.length > 0")
    assert page.evaluate(SENT) == ["家"]


@pytest.mark.parametrize("width", [390, 1280])
def test_right_to_left_nothing_leaves_the_page(open_page: Open, width: int) -> None:
    page = open_page(PROMPT, width=width)
    live(page)
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    out = page.evaluate(
        """() => [...document.querySelectorAll("button, input, textarea, h1, video")]
             .filter((each) => each.checkVisibility()).map((each) => each.getBoundingClientRect())
             .filter(({ left, right }) => left < -1 || right > innerWidth + 1).length"""
    )
    assert out == 0


def test_hebrew_and_arabic_are_written_from_the_right(open_page: Open) -> None:
    page = open_page(PROMPT)
    live(page)
    prompt = page.get_by_role("textbox", name="Prompt")
    prompt.fill("בית אדום")
    assert prompt.evaluate("(each) => each.matches(':dir(rtl)')")
    prompt.fill("a red house")
    assert prompt.evaluate("(each) => each.matches(':dir(ltr)')")


def test_who_wants_less_motion_gets_no_transitions(open_page: Open) -> None:
    page = open_page(PROMPT, reduced_motion="reduce")
    live(page)
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")]
             .filter((each) => parseFloat(getComputedStyle(each).transitionDuration) > 0
                               && getComputedStyle(each).transitionProperty !== "none").length"""
    )
    assert moving == 0


def test_with_forced_colours_what_is_chosen_can_be_told(open_page: Open) -> None:
    """Backgrounds are the system's then: the chosen option and the parts of a bar need something else."""
    schema = '{ weather: { type: "string", enum: ["sun", "rain"], default: "sun" } }'
    page = open_page(f"runtime.commands = [{{ name: 'sky', schema: {schema} }}];", forced_colors="active")
    live(page)
    chosen, other = (
        page.locator(".segments :checked + span"),
        page.locator(".segments :not(:checked) + span"),
    )
    ground = "(each) => getComputedStyle(each).backgroundColor"
    assert chosen.evaluate(ground) != other.evaluate(ground)
    dot = page.locator(".dot").evaluate(ground)
    assert dot != page.locator(".page").evaluate(ground)
