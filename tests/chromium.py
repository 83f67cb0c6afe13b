"""Chromium, as every test that needs a browser starts it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests import postmortem

UNWANTED = (
    # What Chromium would load behind the address bar of each window, which headless nobody sees: more than a
    # second of processor time a window, a third of what a test of the page takes.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # A second renderer that waits beside each page, for a site that no test goes to.
    "SpareRendererForSitePerProcess",
    # Those that Playwright switches off: the last such list counts, so ours has to name them too.
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


def find_chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def launched(chromium: str, *flags: str, without: tuple[str, ...] = ()) -> Iterator[Any]:
    """A browser, with more `flags` than those that all have, and without more of its features."""
    from playwright.sync_api import sync_playwright

    arguments = [*FLAGS, f"--disable-features={','.join((*UNWANTED, *without))}", *flags]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=arguments)
        try:
            yield browser
        except Exception as error:
            error.add_note(f"{postmortem.pages(browser)}\n{postmortem.report()}")
            raise
        browser.close()
