"""What is loaded when it is needed: again where it did not come, and told where it never does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .pages import until

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


def open_losing(open_page: Open, name: str, times: int) -> tuple[Any, list[str]]:
    """A page to whom `name` does not come so often; and the requests for it."""
    page = open_page()
    page.locator("html[data-phase=live]").wait_for()
    asked: list[str] = []

    def lose(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) <= times:
            route.abort("failed")
        else:
            route.continue_()

    page.route(f"**/{name}*", lose)
    return page, asked


def told(page: Any) -> Any:
    return page.get_by_role("log").get_by_text("A part of the page did not come.")


def test_what_does_not_come_at_first_is_asked_for_again(open_page: Open) -> None:
    page, asked = open_losing(open_page, "charts.js", 1)
    page.get_by_role("tab", name="Statistics").click()
    page.get_by_text("Frame rate").wait_for()
    assert len(asked) == 2
    page.get_by_role("tab", name="Messages").click()
    assert told(page).count() == 0
    page.get_by_role("tab", name="Statistics").click()
    assert len(asked) == 2, "what came is kept"


def test_what_never_comes_is_told_and_works_once_the_network_is_back(open_page: Open) -> None:
    page, asked = open_losing(open_page, "share.js", 3)
    share = page.get_by_role("button", name="Share", exact=True)
    share.click()
    told(page).wait_for()
    assert len(asked) == 3
    share.click()
    page.get_by_role("dialog", name="Share").wait_for()


def test_a_page_that_leaves_while_its_counters_are_read_says_nothing(open_page: Open) -> None:
    """`new_page` fails on any error in the page's console."""
    page = open_page(
        "const read = RTCPeerConnection.prototype.getStats; window.reads = [];"
        "RTCPeerConnection.prototype.getStats = async function () {"
        " const report = await read.call(this);"
        " await new Promise((done) => reads.push(done)); return report; };"
    )
    until(page, "reads.length > 0")
    page.evaluate("dispatchEvent(new Event('pagehide')); reads.forEach((go) => go())")
    page.wait_for_timeout(100)
