"""A server that asks for a token: what a browser without it sees, and how it gets in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reactor_runtime.runtimes.access.credentials import Keys, TokenRole

from .pages import until
from .server import Server, live

pytestmark = [pytest.mark.browser, pytest.mark.wire]

PROJECT = Path(__file__).parent / "model"
TOKEN = "an open-sesame/that+needs%quoting"
OPTIONS = ("--token", TOKEN)


def enter(page: Any, text: str) -> None:
    page.get_by_role("textbox", name="Token").fill(text)
    page.get_by_role("textbox", name="Token").press("Enter")


@pytest.mark.parametrize("dark", [True, False])
def test_the_door_has_words_and_a_field(server: Server, new_page: Any, dark: bool) -> None:
    page = new_page(width=360, dark=dark)
    assert page.goto(server.url).status == 401
    assert page.get_by_role("heading", name="This server asks for a token").is_visible()
    assert page.get_by_text("The terminal that it was started in shows an address").is_visible()
    assert page.evaluate("document.activeElement.name") == "token"
    assert page.evaluate("document.documentElement.scrollWidth === innerWidth")
    enter(page, "not it")
    page.get_by_role("alert").get_by_text("This is not the server's token.").wait_for()
    assert page.url == f"{server.url}/"


@pytest.mark.parametrize("whole", [False, True])
def test_the_right_one_opens_the_page_and_stays_in_no_address(
    server: Server, new_page: Any, whole: bool
) -> None:
    page = new_page()
    page.goto(server.url)
    printed = next(line for line in server.log if line.startswith("Open http")).removeprefix("Open ").strip()
    enter(page, printed if whole else TOKEN)
    live(page)
    assert page.url == f"{server.url}/"
    page.reload()  # the cookie is enough
    live(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("html[data-phase=ended]").wait_for()
    page.go_back()
    assert "token=" not in page.url


def test_a_page_whose_server_was_started_anew_with_another_token(new_page: Any) -> None:
    server = Server(PROJECT, "--token", "first")
    server.start()
    page = new_page()
    page.goto(f"{server.url}/?token=first")
    live(page)
    server.kill()
    server.options = ("--token", "second")
    server.start()
    page.locator("html[data-phase=locked]").wait_for()
    veil = page.locator(".veil")
    veil.get_by_text("This server asks for a token").wait_for()
    enter(page, "second")
    live(page)
    server.kill()


def test_the_secret_is_in_no_log(server: Server, new_page: Any) -> None:
    page = new_page()
    page.goto(server.url)
    enter(page, TOKEN)
    live(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("html[data-phase=ended]").wait_for()
    said = [line for line in server.log if "sesame" in line]
    assert len(said) == 1  # to the terminal, once
    assert said[0].startswith("Open ")
    until(page, "!document.cookie.includes('reactor')")  # scripts of no page can read it


def test_a_base_url_opens_the_page_and_leaves_the_address_bar(server: Server, new_page: Any) -> None:
    page = new_page()
    token = Keys([TOKEN]).mint(TokenRole.CONTROL, 600)
    page.goto(f"{server.url}/t/{token}/")
    live(page)
    assert page.url == f"{server.url}/"
    page.get_by_role("button", name="Stop", exact=True).click()  # it began the session, and ends it
    page.locator("html[data-phase=ended]").wait_for()


def test_a_wrong_base_url_is_told_and_a_right_one_can_be_pasted(server: Server, new_page: Any) -> None:
    page = new_page()
    assert page.goto(f"{server.url}/t/nothing/").status == 401
    page.get_by_role("alert").get_by_text("This is not the server's token.").wait_for()
    assert page.url == f"{server.url}/"
    enter(page, f"{server.url}/t/{Keys([TOKEN]).mint(TokenRole.CONTROL, 600)}")
    live(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("html[data-phase=ended]").wait_for()


def test_a_token_for_watching_waits_for_somebody_who_plays(server: Server, new_page: Any) -> None:
    watcher = new_page()
    watcher.goto(f"{server.url}/?token={Keys([TOKEN]).mint(TokenRole.VIEW, 600)}")
    watcher.locator("html[data-phase=idle]").wait_for()
    watcher.locator(".veil").get_by_text("Nobody is playing").wait_for()
    player = new_page()
    player.goto(f"{server.url}/t/{Keys([TOKEN]).mint(TokenRole.CONTROL, 600)}")
    live(player)
    live(watcher)
    watcher.get_by_text("You are watching").wait_for()
    assert not watcher.get_by_role("button", name="Take control").is_visible()
    watcher.close()
    player.get_by_role("button", name="Stop", exact=True).click()
    player.locator("html[data-phase=ended]").wait_for()
