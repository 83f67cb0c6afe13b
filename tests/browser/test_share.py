"""A link for others and its QR code: what a camera reads is what opens the page, and no more than that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import cv2
import numpy as np
import pytest

from .server import Server, live

pytestmark = [pytest.mark.browser, pytest.mark.wire]

PROJECT = Path(__file__).parent / "model"
TOKEN = "a secret of the length that is asked for"
OPTIONS = ("--token", TOKEN)


@pytest.fixture
def page(server: Server, new_page: Any) -> Any:
    page = new_page()
    page.goto(f"{server.url}/?token={TOKEN}")
    live(page)
    yield page
    server.stop_session(page)


def shared(page: Any) -> str:
    """What a telephone reads off the screen."""
    code = page.get_by_role("img", name="QR code of the link")
    code.wait_for()
    shot = cv2.imdecode(np.frombuffer(code.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert shot is not None
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(shot)
    return str(read)


def link_of(page: Any, found: str = "") -> str:
    """The link once it is another one than `found`, and its code with it."""
    for _ in range(100):
        link = page.get_by_role("textbox", name="Link").input_value()
        if link not in ("", found) and shared(page) == link:
            return str(link)
        page.wait_for_timeout(50)
    raise AssertionError("the code is never that of the link")


def test_a_link_for_viewers_and_one_for_the_phone(server: Server, page: Any, new_page: Any) -> None:
    page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog", name="Share")
    dialog.get_by_text("This address opens on this machine only").wait_for()
    dialog.get_by_text("It opens until").wait_for()
    link = link_of(page)
    assert TOKEN not in unquote(link)
    watcher = new_page()
    watcher.goto(link)
    live(watcher)
    assert watcher.url == f"{server.url}/"
    watcher.get_by_text("You are watching").wait_for()
    assert not watcher.get_by_role("button", name="Take control").is_visible()
    watcher.get_by_role("button", name="Share", exact=True).click()
    watcher.get_by_role("dialog").get_by_text("This token is for watching").wait_for()
    watcher.close()

    dialog.get_by_role("radio", name="My phone plays").check()
    phone = new_page(width=390, height=844)
    phone.goto(link_of(page, link))
    phone.locator(".veil").get_by_role("button", name="Watch").click()
    phone.get_by_role("button", name="Take control").click()
    page.get_by_text("You are watching; somebody else plays.").wait_for(state="attached")
    phone.close()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_a_link_with_the_values(page: Any) -> None:
    page.locator("[data-command=set_level]").get_by_role("slider").press("End")
    page.get_by_role("button", name="Share", exact=True).click()
    link = link_of(page)
    page.get_by_role("checkbox", name="with the values of the controls").check()
    values = json.loads(unquote(urlsplit(link_of(page, link)).fragment))
    assert values["set_level"]["level"] == 1
