"""`<reactor-player>` in the page of another origin: video, controls and keys, in front of a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from .pages import until
from .server import Server

pytestmark = [pytest.mark.browser, pytest.mark.wire]

MODEL = Path(__file__).parent / "model"


class _Site(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(MODEL)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def site(server: Server) -> Iterator[str]:
    """Somebody's own page, on another port: one line for the script and one for the player."""
    html = (
        f'<!doctype html><html lang="en"><title>A site</title><body><h1>My site</h1>'
        f'<script type="module" src="{server.url}/player.js"></script>'
        f'<reactor-player src="{server.url}" controls commands></reactor-player>'
    )
    handler = type("Site", (_Site,), {"body": html.encode()})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()
    thread.join()


def test_a_model_plays_in_somebody_elses_page(site: str, server: Server, new_page: Any) -> None:
    page = new_page()
    page.goto(site)
    page.locator("reactor-player[data-phase=live]").wait_for()
    video = "document.querySelector('reactor-player').shadowRoot.querySelector('video')"
    until(page, f"{video}.videoWidth === 320")
    page.get_by_role("slider", name="Level").press("End")
    level = (
        "(() => { const canvas = new OffscreenCanvas(8, 8); const context = canvas.getContext('2d');"
        f" context.drawImage({video}, 0, 0, 8, 8); return context.getImageData(1, 4, 1, 1).data[0]; }})()"
    )
    until(page, f"{level} > 235")
    reply = page.evaluate("document.querySelector('reactor-player').send('set_level', { level: 0 })")
    assert isinstance(reply["frame"], int)
    until(page, f"{level} < 20")
    # Nothing of the player's style or structure reaches the page around it.
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).whiteSpace") == "normal"
    assert page.get_by_role("heading", level=1).count() == 1
    page.evaluate("document.querySelector('reactor-player').remove()")
    until(page, f"fetch('{server.url}/session').then((r) => r.json()).then((s) => s.clients.length === 0)")
    server.stop_session(page)


def test_a_server_that_does_not_allow_the_site_is_explained(
    server: Server, new_page: Any, files: str
) -> None:
    """A refusal looks like silence to a page, so the words name what would help."""
    page = new_page()
    page.goto(f"{files}/blank")
    words = page.evaluate(
        "async () => (await import('/web/words.js')).wordsFor({ phase: 'gone' }, 'https://my.site').sentence"
    )
    assert "--allow-origin https://my.site" in words
