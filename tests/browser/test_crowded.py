"""Too much of everything, and things that change under the page's hands. Real servers, real models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .pages import until
from .server import Server, live

pytestmark = [pytest.mark.browser, pytest.mark.wire]

HERE = Path(__file__).parent
PROJECT = HERE / "crowded"


SIZES = [{"width": 360, "height": 780}, {"width": 1280, "height": 800}]
# What sticks out of the element around it, unless that cuts it off or scrolls.
STICKS_OUT = """[...document.querySelectorAll('.app *')].filter((each) => each.clientWidth
    && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === 'visible'
    && getComputedStyle(each).display !== 'inline').map((each) => each.tagName + '.' + each.className)"""


@pytest.mark.parametrize("page", SIZES, indirect=True, ids=str)
def test_nothing_sticks_out(page: Any) -> None:
    refuse = page.locator("[data-command=refuse]")
    refuse.get_by_role("textbox").fill("no")
    refuse.get_by_role("textbox").press("Enter")
    refuse.get_by_role("alert").get_by_text("no Donau").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth === innerWidth")
    assert page.evaluate(STICKS_OUT) == []
    # The model's reason has 8,000 letters: at the field it gets a few lines, in the messages more.
    assert refuse.bounding_box()["height"] < 400
    page.get_by_role("log").get_by_text("no Donau").wait_for()
    assert len(page.get_by_role("log").locator(".text").last.inner_text()) <= 2_001


@pytest.mark.parametrize("page", SIZES, indirect=True, ids=str)
def test_six_pictures_play_and_each_can_be_large(page: Any) -> None:
    assert page.locator("figure video").count() == 6
    until(
        page, "[...document.querySelectorAll('figure video')].every(({ videoWidth }) => videoWidth > 0)", 20
    )
    page.get_by_role("button", name="Side").click()
    assert page.locator("figure.large video").get_attribute("data-track") == "side"
    boxes = [figure.bounding_box() for figure in page.locator("figure").all()]
    assert min(box["width"] for box in boxes) > 20
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"] for box in boxes)


def test_sixty_parameters_go_out_together(page: Any) -> None:
    tune = page.locator("[data-command=tune]")
    assert tune.get_by_role("slider").count() == 60
    tune.get_by_role("slider").nth(59).press("End")
    page.get_by_role("log").get_by_text("→ 30.5", exact=True).wait_for()


def test_ten_thousand_messages_leave_the_page_quick(page: Any) -> None:
    page.get_by_role("button", name="Flood").click()
    log = page.get_by_role("log")
    log.get_by_text("over", exact=True).wait_for(timeout=30_000)
    assert log.locator("li").count() <= 200
    page.locator("[data-command=tune]").get_by_role("slider").first.press("Home")
    log.get_by_text("→ 29.5", exact=True).wait_for()


def test_messages_are_drawn_once_a_picture(files: str, new_page: Any) -> None:
    """Each drawing asks for the layout, which is what a flood of messages would cost."""
    page = new_page()
    page.goto(f"{files}/blank")
    asked, lines, last = page.evaluate(
        """async () => {
            const { Messages } = await import('/web/app/messages.js');
            const messages = new Messages(document.querySelector('main'));
            let asked = 0;
            const get = Object.getOwnPropertyDescriptor(Element.prototype, 'scrollHeight').get;
            const counting = { get() { asked += 1; return get.call(this); } };
            Object.defineProperty(Element.prototype, 'scrollHeight', counting);
            for (let i = 0; i < 10_000; i++) messages.message({ type: `kind${i % 7}`, number: i });
            for (let i = 0; i < 5; i++) messages.message({ type: 'same', number: i });
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            const lines = document.querySelectorAll('li');
            return [asked, lines.length, lines[lines.length - 1].innerText.replace(/\\s+/g, ' ')];
        }"""
    )
    assert asked <= 2
    assert lines == 200
    assert "number 4" in last
    assert last.endswith("×5")


def test_another_model_on_the_same_address_is_played(new_page: Any) -> None:
    server = Server(PROJECT)
    server.start()
    page = new_page()
    page.goto(server.url)
    live(page)
    server.kill()
    server.model = HERE / "model"
    server.start()
    page.locator("h1").get_by_text("grey", exact=True).wait_for(timeout=20_000)
    live(page)
    assert page.locator("figure video").count() == 1
    assert page.locator("[data-command=tune]").count() == 0
    page.locator("[data-command=set_level]").get_by_role("slider").press("End")
    page.locator("[data-command=set_level]").get_by_text("ms").wait_for()
    assert page.get_by_role("button", name="Use camera").is_visible()
    server.kill()


SLOW = """
const post = BroadcastChannel.prototype.postMessage;
BroadcastChannel.prototype.postMessage = function (message) {
  setTimeout(() => post.call(this, message), message.here ? 500 : 0);
};"""
"""A tab that is too busy to answer at once."""


def test_two_tabs_of_one_browser_take_turns(new_page: Any) -> None:
    server = Server(HERE / "model", "--orphan-timeout", "1")
    server.start()
    first = new_page()
    first.add_init_script(SLOW)
    first.goto(server.url)
    live(first)
    first.locator("[data-command=set_level]").get_by_role("slider").press("End")
    second = first.context.new_page()
    second.goto(server.url)
    second.locator(".veil").get_by_text("You play in another tab").wait_for()
    assert first.locator("html").get_attribute("data-phase") == "live"
    first.close()
    live(second)
    # A new session begins with the model's own values, whatever the other tab had.
    assert second.locator("[data-command=set_level]").get_by_role("spinbutton").input_value() == "0.5"
    server.kill()
