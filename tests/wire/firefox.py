"""Debian's Firefox, as Playwright starts it."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .test_network import ADDRESSES, inside_only

LAST_THAT_WORKS = (1, 64)
"""Of Playwright; 1.65 asks this Firefox for what it does not know."""
PLAYWRIGHT = tuple(map(int, importlib.metadata.version("playwright").split(".")[:2]))
FIREFOX = shutil.which("firefox-esr", path="/usr/lib/firefox-esr")
PREFERENCES: dict[str, str | float | bool] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    # A camera needs a secure page, and an address of the test's network is none without a certificate.
    "dom.securecontext.allowlist": ",".join(ADDRESSES),
}
MARKS = [
    pytest.mark.wire,
    inside_only,
    pytest.mark.skipif(FIREFOX is None, reason="Needs Debian's firefox-esr."),
    pytest.mark.skipif(PLAYWRIGHT > LAST_THAT_WORKS, reason="Needs Playwright 1.64 at the newest."),
]
"""Of a module that is about this browser."""
NO_PREFERENCE = dict.fromkeys(("color_scheme", "reduced_motion", "forced_colors", "contrast"), "null")


def needs_firefox() -> None:
    """A test without it is skipped with one sentence."""
    if FIREFOX is None:
        pytest.skip("Needs Debian's firefox-esr.")
    if PLAYWRIGHT > LAST_THAT_WORKS:
        pytest.skip("Needs Playwright 1.64 at the newest.")


class Firefox:
    """A browser; its pages need contexts that ask for no preferences."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    def new_context(self, **more: Any) -> Any:
        return self._browser.new_context(**NO_PREFERENCE, **more)


@contextmanager
def launched(program: str) -> Iterator[Firefox]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.firefox.launch(
            channel="moz-firefox", executable_path=program, firefox_user_prefs=PREFERENCES
        )
        yield Firefox(browser)
        browser.close()
