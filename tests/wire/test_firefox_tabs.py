"""Firefox's tabs that are closed: none loses its claim, whatever of their last words the browser runs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from tests.browser.pages import until

from reactor_runtime.session.life import FAREWELL_S

from .firefox import FIREFOX, MARKS, Firefox, launched
from .server import Server, running
from .test_network import ADDRESSES

pytestmark = MARKS
TABS = 8
OPTIONS = ("--encoder", "vp8", "--offers-per-minute", "0", "--no-token")


@pytest.fixture
def server() -> Iterator[Server]:
    with running("echo", *OPTIONS, "--host", ADDRESSES[0]) as server:
        yield server


@pytest.fixture
def browser() -> Iterator[Firefox]:
    assert FIREFOX is not None
    with launched(FIREFOX) as browser:
        yield browser


@pytest.mark.alone  # the next tab has three seconds to come
def test_every_tab_goes_on_where_the_closed_one_was(browser: Firefox, server: Server) -> None:
    """Of 33 tabs five once lost their claim: it was written in `pagehide` only, which not each ran.

    And each is known to have left, so that nobody else waits for the whole grace: Firefox ends one page in
    three before it has sent its goodbye, but each of their connections.
    """
    context = browser.new_context()
    numbers, goodbyes = [], 0
    for _ in range(TABS):
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(server.url)
        page.locator("html[data-phase=live]").wait_for()
        until(page, "document.querySelector('video').videoWidth > 0", limit=30)
        numbers.append(httpx.get(f"{server.url}/session").json()["number"])
        page.close(run_before_unload=True)
        goodbyes += has_left(server)
    context.close()
    assert len(set(numbers)) == 1
    assert goodbyes == TABS


def has_left(server: Server) -> bool:
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        free_in = httpx.get(f"{server.url}/session").json()["free_in"]
        if free_in is not None and free_in <= FAREWELL_S:
            return True
        time.sleep(0.05)
    return False
