"""Debian's Firefox and the page: video on a real address, a reload, and words where a tunnel would end."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .server import MODELS, Server
from .test_network import ADDRESSES, inside_only

LAST_THAT_WORKS = (1, 64)
"""Of Playwright; 1.65 asks this Firefox for what it does not know."""
PLAYWRIGHT = tuple(map(int, importlib.metadata.version("playwright").split(".")[:2]))
FIREFOX = shutil.which("firefox-esr", path="/usr/lib/firefox-esr")
pytestmark = [
    pytest.mark.wire,
    inside_only,
    pytest.mark.skipif(FIREFOX is None, reason="Needs Debian's firefox-esr."),
    pytest.mark.skipif(PLAYWRIGHT > LAST_THAT_WORKS, reason="Needs Playwright 1.64 at the newest."),
]
PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
}
NO_PREFERENCE = dict.fromkeys(("color_scheme", "reduced_motion", "forced_colors", "contrast"), "null")
WAIT_MS = 40_000
VP8 = ("--encoder", "vp8", "--offers-per-minute", "0")
"""A Firefox from a registry decodes no H.264."""


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    server = Server(MODELS / "echo", *VP8, *options)
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--host", ADDRESSES[0], "--no-token") as server:
        yield server


@contextmanager
def page(url: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.firefox.launch(
            channel="moz-firefox", executable_path=FIREFOX, firefox_user_prefs=PREFERENCES
        )
        opened = browser.new_context(**NO_PREFERENCE).new_page()
        opened.set_default_timeout(WAIT_MS)
        opened.goto(url)
        yield opened
        browser.close()


def plays(opened: Any) -> None:
    """Pictures move, without a click."""
    opened.locator("html[data-phase=live]").wait_for()
    for _ in range(WAIT_MS // 100):
        if opened.evaluate("document.querySelector('video').currentTime > 0.5"):
            return
        opened.wait_for_timeout(100)
    raise AssertionError("no picture moves")


def test_it_plays_over_udp_on_a_real_address_and_again_after_a_reload(server: Server) -> None:
    with page(server.url) as opened:
        plays(opened)
        opened.locator(".facts").get_by_text("UDP").wait_for()
        opened.reload()
        plays(opened)


def test_where_a_tunnel_ends_it_says_which_browser_plays() -> None:
    """Firefox makes no TCP connection for media to its own machine."""
    with serving("--wire", "tcp") as server, page(server.url) as opened:
        words = opened.locator(".veil").get_by_text("open the page in a Chromium-based browser")
        words.wait_for(timeout=30_000)
        opened.wait_for_timeout(1_500)
        assert words.is_visible(), "what is said stays"
