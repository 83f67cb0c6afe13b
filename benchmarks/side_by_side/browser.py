"""Headless Chromium with our receiver in it, and the small server that gives it its page and the clock."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from .environments import HERE

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    # Every contender sees plain host candidates and no CORS: neither is what is measured here. Nor is what
    # Chromium loads behind the address bar of a new window, a second of processor time.
    "--disable-features=WebRtcHideLocalIpsWithMdns,WebUIOmniboxPopup,WebUIOmniboxAimPopup",
    "--disable-web-security",
)


class Handler(SimpleHTTPRequestHandler):
    """Files of this folder, and CLOCK_MONOTONIC in milliseconds at `/clock`."""

    protocol_version = "HTTP/1.1"
    wbufsize = 8192  # one packet for an answer: two would wait for a delayed acknowledgement

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/clock":
            super().do_GET()
            return
        body = f"{time.monotonic() * 1000:.4f}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def files() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(HERE)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        raise SystemExit("No Chromium here: install Debian's chromium or set CHROMIUM= to a browser.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Receiver:
    """One page. Times are milliseconds of CLOCK_MONOTONIC."""

    def __init__(self, page: Page, trip_ms: float) -> None:
        self.page = page
        self.trip_ms = trip_ms
        """The round trip that the clocks were aligned by; half of it bounds the error."""

    def call(self, function: str, *arguments: Any) -> Any:
        return self.page.evaluate(
            "([name, args]) => window.bench[name](...args)", [function, list(arguments)]
        )

    def to_front(self) -> None:
        """Be the page that is drawn. The last one that was opened is, and hears a message a tenth later than
        those behind it."""
        self.page.bring_to_front()

    def watch(self, seconds: float) -> None:
        """Let frames come in. Keeps Playwright's own loop turning."""
        self.page.wait_for_timeout(seconds * 1000)


@contextmanager
def receiver(browser: Browser, origin: str) -> Iterator[Receiver]:
    page = browser.new_page()
    page.set_default_timeout(60_000)
    try:
        page.goto(f"{origin}/receiver.html")
        page.wait_for_function("window.bench !== undefined")
        yield Receiver(page, page.evaluate("window.bench.alignClock()"))
    finally:
        page.close()
