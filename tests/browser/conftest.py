"""Chromium for the page's tests, and a plain file server that stands where the runtime would."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from reactor_runtime.runtimes.http.page import POLICY

from .pages import HERE, WEB

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dev group)")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    # Sites of other people, which are never this machine's own.
    "--host-resolver-rules=MAP *.example 127.0.0.1",
]
NewPage = Callable[..., Any]


@pytest.fixture(scope="session")
def chromium() -> str:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("No Chromium here: install Debian's chromium or set CHROMIUM= to a browser.")
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """One browser for a module; every page gets a context, and so a profile, of its own."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[NewPage]:
    """`new_page(width=…, dark=…, script=…)`; a page that logs an error to its console fails the test."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def new(
        width: int = 1280, height: int = 800, dark: bool = True, script: str | None = None, **more: Any
    ) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            permissions=["camera", "microphone"],
            **more,
        )
        contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if _is_complaint(line) else None)
        return page

    yield new
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(line: Any) -> bool:
    # A refused request is logged by the browser itself; the page has its own words for it.
    return line.type == "error" and not line.text.startswith("Failed to load resource")


class _Files(SimpleHTTPRequestHandler):
    """The page's files under the runtime's own policy; everything else is 404."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        name = "index.html" if path == "/" else path.removeprefix("/web/")
        if self.path == "/blank":
            return self._send(b"<!doctype html><title>blank</title><main></main>", "text/html")
        file = WEB / name
        if "/" in name or not file.is_file():
            return self.send_error(404)
        return self._send(file.read_bytes(), self.guess_type(str(file)))

    def _send(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def files() -> Iterator[str]:
    """Serves the page without a runtime: `/`, `/web/*`, and `/blank` to evaluate modules in."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(WEB)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def pretended() -> str:
    """A script that stands in for the runtime inside the page: HTTP, signalling, media and commands."""
    return (HERE / "pretended_runtime.js").read_text()
