"""How the page's files leave the server: small, cached, embeddable, under a strict policy."""

from __future__ import annotations

import asyncio
import gzip

import httpx
import pytest
from fastapi import FastAPI

from reactor_runtime.runtimes.http import page

ORIGIN = "http://127.0.0.1"


@pytest.fixture
def http() -> httpx.AsyncClient:
    app = FastAPI()
    page.mount(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)


def get(http: httpx.AsyncClient, path: str, **headers: str) -> httpx.Response:
    return asyncio.run(http.get(path, headers={"Accept-Encoding": "identity"} | headers))


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*"])
def test_files_are_compressed_for_who_takes_that(http: httpx.AsyncClient, accepted: str) -> None:
    small = get(http, "/web/app/view.js", **{"Accept-Encoding": accepted})
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["Vary"] == "Accept-Encoding"
    assert small.text == get(http, "/web/app/view.js").text
    assert int(small.headers["Content-Length"]) == len(gzip.compress(small.content, 9, mtime=0))


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", ""])
def test_and_plain_for_who_does_not(http: httpx.AsyncClient, accepted: str) -> None:
    assert "Content-Encoding" not in get(http, "/web/app/view.js", **{"Accept-Encoding": accepted}).headers


def test_a_file_that_the_browser_has_is_not_sent_again(http: httpx.AsyncClient) -> None:
    tag = get(http, "/").headers["ETag"]
    again = get(http, "/", **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == tag
    assert get(http, "/", **{"If-None-Match": '"other"'}).status_code == 200


def test_the_player_may_be_loaded_into_other_sites(http: httpx.AsyncClient) -> None:
    player = get(http, "/player.js")
    assert player.headers["Content-Type"].startswith("text/javascript")
    assert player.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert get(http, "/web/style.css").headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("path", ["/", "/player.js", "/web/app.js", "/web/style.css", "/web/icon.svg"])
def test_everything_is_served_under_the_policy(http: httpx.AsyncClient, path: str) -> None:
    response = get(http, path)
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"] == page.POLICY
    assert "unsafe" not in page.POLICY
    assert response.headers["X-Content-Type-Options"] == "nosniff"
