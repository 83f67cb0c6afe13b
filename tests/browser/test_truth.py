"""What the page says is what is so: the first picture, causes, and who is there. A real server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from .pages import until
from .server import Server, live

pytestmark = [pytest.mark.browser, pytest.mark.wire]

PROJECT = Path(__file__).parent / "waiting"


def veil(page: Any, words: str | re.Pattern[str]) -> None:
    page.locator(".veil").get_by_text(words).first.wait_for()


@pytest.fixture
def waiting(server: Server, new_page: Any) -> Any:
    page = new_page()
    page.goto(server.url)
    page.locator("html[data-phase=waiting]").wait_for()
    yield page
    page.close()
    server.stop_session(page)


def test_before_the_first_picture_it_waits_and_offers_the_camera(waiting: Any) -> None:
    page = waiting
    veil(page, "Waiting for the model's first picture")
    veil(page, "It may be waiting for your camera.")
    veil(page, re.compile(r"^[2-9] s$"))
    assert page.locator(".pill").inner_text() == "Waiting"
    assert page.title() == "The waiting room"
    assert page.locator(".about").inner_text() == "Shows nothing before it sees something"
    page.locator(".veil").get_by_role("button", name="Use camera").click()
    live(page)
    assert page.locator(".pill").inner_text() == "Live"
    # `on_media` fails with every frame: told once, with its cause.
    log = page.get_by_role("log")
    log.get_by_text("LookupError: no such face").wait_for()
    assert 'raise LookupError("no such face")' in log.inner_text()


def test_a_command_that_fails_says_why_on_this_machine(waiting: Any) -> None:
    card = waiting.locator("[data-command=fail]")
    card.get_by_role("textbox").fill("here")
    card.get_by_role("textbox").press("Enter")
    card.get_by_role("alert").get_by_text("ZeroDivisionError: in the command").wait_for()
    assert 'raise ZeroDivisionError("in the command")' in card.get_by_role("alert").first.inner_text()


def test_a_crash_tells_the_exception_and_the_line_and_keeps_the_picture(waiting: Any) -> None:
    page = waiting
    veil(page, "Waiting for the model's first picture")
    page.locator(".veil").get_by_role("button", name="Use camera").click()
    live(page)
    page.locator("[data-command=fail]").get_by_role("textbox").fill("crash")
    page.locator("[data-command=fail]").get_by_role("textbox").press("Enter")
    veil(page, "ValueError: as asked")
    veil(page, re.compile(r'model\.py:\d+ in start_session: raise ValueError\("as asked"\)'))
    shown = page.evaluate(
        """() => { const canvas = new OffscreenCanvas(8, 8); const context = canvas.getContext('2d');
                   context.drawImage(document.querySelector('.still:not([hidden])'), 0, 0, 8, 8);
                   return context.getImageData(4, 4, 1, 1).data[0]; }"""
    )
    assert shown > 150
    assert page.locator(".screen.dim").count() == 1


def test_the_next_user_of_a_model_that_ignores_the_stop_reads_why(
    server: Server, new_page: Any, tmp_path: Path
) -> None:
    read = tmp_path / "read"
    first = new_page()
    first.goto(server.url)
    first.locator("html[data-phase=waiting]").wait_for()
    first.locator("[data-command=fail]").get_by_role("textbox").fill(f"ignore until {read}")
    first.locator("[data-command=fail]").get_by_role("textbox").press("Enter")
    first.get_by_text(re.compile(r"^✓")).wait_for()
    first.wait_for_timeout(200)
    first.get_by_role("button", name="Stop").click()
    second = new_page()
    second.goto(server.url)
    veil(second, "The last session is still ending")
    veil(second, re.compile(r"in its last step for \d+ s"))
    read.touch()
    second.locator("html[data-phase=waiting]").wait_for(timeout=15_000)
    server.stop_session(second)


def test_a_closed_page_frees_the_model_at_once(server: Server, new_page: Any) -> None:
    first = new_page()
    first.goto(server.url)
    first.locator("html[data-phase=waiting]").wait_for()
    second = new_page()
    second.goto(server.url)
    veil(second, re.compile(r"Since \d+:\d+.* \(less than a minute\)"))
    assert second.title() == "The waiting room"
    assert second.locator("[data-command=fail]").get_by_role("textbox").is_disabled()
    first.close(run_before_unload=True)
    second.locator("html[data-phase=waiting]").wait_for(timeout=9_000)
    server.stop_session(second)


EVERY_WORD = """
  window.words = [];
  new MutationObserver(() => words.push(document.querySelector(".veil")?.textContent ?? ""))
    .observe(document, { subtree: true, childList: true, characterData: true });
"""


def test_another_tab_of_the_same_browser_is_asked_first(server: Server, new_page: Any) -> None:
    first = new_page()
    first.goto(server.url)
    first.locator("html[data-phase=waiting]").wait_for()
    number = first.context.request.get(f"{server.url}/session").json()["number"]
    second = first.context.new_page()
    second.add_init_script(EVERY_WORD)
    second.goto(server.url)
    veil(second, "You play in another tab")
    assert not [words for words in second.evaluate("words") if "Somebody else" in words]
    second.locator(".veil").get_by_role("button", name="Take over here").click()
    second.locator("html[data-phase=waiting]").wait_for()
    first.locator(".veil").get_by_text("Taken over").wait_for()
    assert first.context.request.get(f"{server.url}/session").json()["number"] == number
    server.stop_session(second)


def test_the_claim_is_written_before_the_page_goes(server: Server, new_page: Any) -> None:
    page = new_page()
    page.goto(server.url)
    page.locator("html[data-phase=waiting]").wait_for()
    until(page, "Object.keys(localStorage).some((key) => key.startsWith('reactor:claim'))")
    server.stop_session(page)
