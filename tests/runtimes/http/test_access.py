"""Host × Origin × token: what a browser, a script or a stranger can do (lessons 44 and 45)."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from reactor_runtime.runtimes.http import guard as guard_module
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.session.states import State
from reactor_runtime.testing import MemoryServer, serve

from .models import Painter

TOKEN = "a-token-that-nobody-guesses"
SIGNALLING = "/sessions/local/transport/webrtc"
# Whatever starts, stops, watches or reads; none may be reached by those who must not.
ROUTES = [
    ("POST", "/start_session"),
    ("POST", "/stop_session"),
    ("GET", "/session"),
    ("GET", "/health"),
    ("GET", "/schema"),
    ("GET", "/metrics"),
    ("GET", "/events"),
    ("GET", "/openapi.json"),
    ("GET", "/ice_servers"),
    ("POST", "/sdp_params"),
    ("GET", f"{SIGNALLING}/ice_servers"),
    ("POST", f"{SIGNALLING}/sdp_params"),
    ("PUT", f"{SIGNALLING}/sdp_params"),
    ("GET", f"{SIGNALLING}/sdp_params"),
    ("POST", f"{SIGNALLING}/connections"),
    ("POST", f"{SIGNALLING}/ice_candidates"),
]
# Code that is the same for everybody: `<reactor-player>` loads it before it has a token to show.
FILES = ["/player.js", "/web/app.js", "/web/style.css", "/web/icon.svg"]
HOSTS = {"localhost:8080": True, "127.0.0.1:8080": True, "evil.example:8080": False, "": False}
ORIGINS = {
    None: True,
    "http://localhost:5173": True,
    "https://app.example": True,
    "http://evil.example": False,
    "http://evil.example:8080": False,
    "null": False,
    "https://app.example.evil.example": False,
}
CREDENTIALS: dict[str, tuple[dict[str, str], str, bool]] = {
    "none": ({}, "", False),
    "header": ({"authorization": f"Bearer {TOKEN}"}, "", True),
    "header, lower case": ({"authorization": f"bearer {TOKEN}"}, "", True),
    "what SDKs send": ({"authorization": "Bearer local"}, "", False),
    "query": ({}, f"?token={TOKEN}", True),
    "cookie with the token": ({"cookie": f"reactor_session_8080={TOKEN}"}, "", False),
    "wrong header, right query": ({"authorization": "Bearer local"}, f"?token={TOKEN}", True),
    "prefix": ({"authorization": f"Bearer {TOKEN[:-1]}"}, "", False),
    "longer": ({"authorization": f"Bearer {TOKEN}x"}, "", False),
    "empty": ({"authorization": "Bearer "}, "?token=", False),
    "basic": ({"authorization": f"Basic {TOKEN}"}, "", False),
}


async def ask(server: MemoryServer, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    server.http.cookies.clear()  # what an earlier request was given is not part of this one
    return await server.http.request(method, path, headers=headers)


@pytest.mark.parametrize("token", ["", TOKEN], ids=["no token", "token"])
async def test_host_origin_token(token: str) -> None:
    options = HttpOptions(token=token, allow_origins=("https://app.example",))
    async with serve(Painter, options=options) as server:
        for (host, host_ok), (origin, origin_ok), (name, (extra, query, token_ok)) in itertools.product(
            HOSTS.items(), ORIGINS.items(), CREDENTIALS.items()
        ):
            headers = {"host": host, **({"origin": origin} if origin is not None else {}), **extra}
            server.http.cookies.clear()
            response = await ask(server, "GET", f"/health{query}", headers)
            wanted = 421 if not host_ok else 403 if not origin_ok else 401 if token and not token_ok else 200
            assert response.status_code == wanted, (host, origin, name)
            named = response.headers.get("access-control-allow-origin")
            assert named == (origin if host_ok and origin_ok else None), (host, origin, name)
            assert "access-control-allow-credentials" not in response.headers
            assert response.headers["x-content-type-options"] == "nosniff"
            if wanted != 200:
                assert set(response.json()) == {"detail", "code"}
                assert ("www-authenticate" in response.headers) == (wanted == 401)


async def test_the_pages_files_ask_for_no_token_and_for_everything_else() -> None:
    options = HttpOptions(token=TOKEN, allow_origins=("https://app.example",))
    async with serve(Painter, options=options) as server:
        for path, (host, host_ok), (origin, origin_ok), (name, (extra, query, token_ok)) in itertools.product(
            FILES, HOSTS.items(), ORIGINS.items(), CREDENTIALS.items()
        ):
            headers = {"host": host, **({"origin": origin} if origin is not None else {}), **extra}
            response = await ask(server, "GET", f"{path}{query}", headers)
            wanted = 421 if not host_ok else 403 if not origin_ok else 200
            assert response.status_code == wanted, (path, host, origin, name)
            named = response.headers.get("access-control-allow-origin")
            assert named == (origin if wanted == 200 else None), (path, host, origin, name)
            # Who was let in without a token is given none.
            assert ("set-cookie" in response.headers) == (wanted == 200 and bool(query) and token_ok)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/web/", "/web", "/web/nothing", "/web/index.html", "/web/locked.html", "/web/player.js"),
        *(
            "/player.js/",
            "/web/../session",
            "/web/%2e%2e/session",
            "/web//app.js",
            "/WEB/app.js",
            "/web/app.js/",
        ),
        *("/player.js%2f..%2fsession", "/session?path=/player.js", "/session;/player.js", "//player.js"),
    ],
)
async def test_nothing_that_looks_like_a_file_of_the_page_opens_anything(path: str) -> None:
    async with serve(Painter, options=HttpOptions(token=TOKEN)) as server:
        assert (await ask(server, "GET", path, {})).status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_the_pages_files_can_only_be_read(method: str) -> None:
    async with serve(Painter, options=HttpOptions(token=TOKEN)) as server:
        assert (await ask(server, method, "/web/app.js", {})).status_code == 401
        assert (await ask(server, method, "/web/app.js", STRANGERS["another origin"])).status_code == 403


async def test_other_sites_may_name_the_pages_files_in_a_script() -> None:
    tag = STRANGERS["an image of another site"]
    async with serve(Painter, options=HttpOptions(token=TOKEN)) as server:
        for path in FILES:
            assert (await ask(server, "GET", path, tag)).status_code == 200
        assert (await ask(server, "GET", "/web/nothing", tag)).status_code == 403


BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_a_browser_without_the_token_gets_words() -> None:
    async with serve(Painter, options=HttpOptions(token=TOKEN)) as server:
        door = await ask(server, "GET", "/?token=wrong", BROWSER)
        page = await ask(server, "GET", f"/?token={TOKEN}", BROWSER)
        inside = await ask(server, "GET", "/", {"authorization": f"Bearer {TOKEN}"})

        assert door.status_code == 401
        assert door.headers["content-type"].startswith("text/html")
        assert door.headers["content-security-policy"] == inside.headers["content-security-policy"]
        assert (door.headers["cache-control"], door.headers["www-authenticate"]) == ("no-store", "Bearer")
        assert "set-cookie" not in door.headers
        assert "Accept" in door.headers["vary"]
        assert "This server asks for a token" in door.text
        assert TOKEN not in door.text
        assert "wrong" not in door.text  # nothing of the address comes back
        assert (page.status_code, "set-cookie" in page.headers) == (303, True)
        assert page.headers["location"] == "./"  # and so the token leaves the address bar
        assert page.headers["cache-control"] == "no-store"
        assert TOKEN not in str(page.headers)


async def test_words_are_for_the_page_and_for_browsers_only() -> None:
    async with serve(Painter, options=HttpOptions(token=TOKEN)) as server:
        for method, path, headers in (
            ("GET", "/", {}),
            ("GET", "/", {"accept": "*/*"}),
            ("GET", "/", {"accept": "application/json"}),
            ("GET", "/session", BROWSER),
            ("POST", "/", BROWSER),
        ):
            response = await ask(server, method, path, headers)
            assert (response.status_code, response.json()["code"]) == (401, "token_required")
        foreign = await ask(server, "GET", "/", {**BROWSER, "host": "evil.example"})
        assert (foreign.status_code, foreign.headers["content-type"]) == (421, "text/html; charset=utf-8")
        assert "--allow-host evil.example" in foreign.text
        asked = await ask(server, "GET", "/", {**BROWSER, "origin": "https://ada.hub.example"})
        assert (asked.status_code, asked.headers["content-type"]) == (403, "text/html; charset=utf-8")
        assert "reactor run --allow-origin https://ada.hub.example</pre>" in asked.text
    async with serve(Painter) as server:
        assert (await ask(server, "GET", "/", BROWSER)).status_code == 200


STRANGERS = {
    "another host": {"host": "evil.example"},
    "another origin": {"origin": "https://evil.example"},
    "a sandboxed page": {"origin": "null"},
    "a rebound name": {"host": "evil.example:8080", "origin": "http://evil.example:8080"},
    "an image of another site": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
}


@pytest.mark.parametrize("who", STRANGERS)
async def test_strangers_start_stop_watch_and_read_nothing(who: str) -> None:
    async with serve(Painter) as server:
        for method, path in ROUTES:
            response = await ask(server, method, path, STRANGERS[who])
            assert response.status_code in (403, 421), (method, path)
            assert "access-control-allow-origin" not in response.headers
        assert server.worker.life.state is State.READY

        client = await server.join()
        await client.wait_frames(1)
        for method, path in ROUTES:
            assert (await ask(server, method, path, STRANGERS[who])).status_code in (403, 421)
        assert server.worker.life.state is State.STREAMING
        assert len(server.engine.peers) == 1


async def test_without_the_token_nothing_is_reached() -> None:
    async with serve(Painter, options=HttpOptions(token=TOKEN)) as server:
        for method, path in [*ROUTES, ("GET", "/"), ("GET", "/nothing")]:
            response = await ask(server, method, path, {})
            assert (response.status_code, response.json()["code"]) == (401, "token_required"), path
        assert server.worker.life.state is State.READY


async def test_a_page_of_another_site_may_be_left_for_ours() -> None:
    async with serve(Painter) as server:
        link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        assert (await ask(server, "GET", "/", link)).status_code == 200
        assert (await ask(server, "POST", "/stop_session", link)).status_code == 403
        assert (
            "frame-ancestors 'none'" in (await ask(server, "GET", "/", {})).headers["content-security-policy"]
        )


async def test_a_preflight_needs_no_token_and_gives_none_away() -> None:
    async with serve(Painter, options=HttpOptions(token=TOKEN)) as server:
        asked = {"access-control-request-method": "PUT", "access-control-request-private-network": "true"}
        good = await ask(server, "OPTIONS", "/session", {**asked, "origin": "http://localhost:3000"})
        bad = await ask(server, "OPTIONS", "/session", {**asked, "origin": "https://evil.example"})

        assert good.status_code == 204
        assert good.headers["access-control-allow-origin"] == "http://localhost:3000"
        assert "authorization" in good.headers["access-control-allow-headers"]
        assert "PUT" in good.headers["access-control-allow-methods"]
        assert good.headers["access-control-allow-private-network"] == "true"
        assert "set-cookie" not in good.headers
        assert (bad.status_code, "access-control-allow-methods" in bad.headers) == (403, False)


async def test_the_address_with_the_token_gives_the_page_its_cookie() -> None:
    async with serve(Painter, options=HttpOptions(token=TOKEN)) as server:
        response = await ask(server, "GET", f"/?token={TOKEN}", {})
        cookie = response.headers["set-cookie"]
        assert response.status_code == 200
        assert {part.strip() for part in cookie.split(";")[1:]} == {"Path=/", "HttpOnly", "SameSite=Lax"}
        assert TOKEN not in cookie

        server.http.cookies.clear()
        pair = cookie.split(";")[0]
        assert (await ask(server, "GET", "/session", {"cookie": pair})).status_code == 200
        other_port = pair.replace("_8080=", "_81=")
        assert (await ask(server, "GET", "/session", {"cookie": other_port})).status_code == 401
        assert "set-cookie" not in (await ask(server, "GET", "/session", {"cookie": pair})).headers
        # Even with the cookie in its jar, a browser lets no other origin use it.
        strange = {"cookie": pair, "origin": "https://evil.example"}
        assert (await ask(server, "POST", "/start_session", strange)).status_code == 403


@pytest.mark.parametrize("token", ["two words", "a;b,c", "50%+&=/?#", 'say "x"', "schlüssel", "=", "%41"])
async def test_a_token_may_have_any_characters(token: str) -> None:
    async with serve(Painter, options=HttpOptions(token=token)) as server:
        response = await ask(server, "GET", f"/?token={quote(token, safe='')}", {})
        pair = response.headers["set-cookie"].split("; Path")[0]
        assert (await ask(server, "GET", "/session", {"cookie": pair})).status_code == 200
        assert (await ask(server, "GET", "/session", {"cookie": f"{pair}x"})).status_code == 401


async def test_with_a_token_the_session_id_cannot_be_guessed() -> None:
    async with serve(Painter, options=HttpOptions(token=TOKEN)) as server:
        server.http.headers["authorization"] = f"Bearer {TOKEN}"
        ids = set()
        for _ in range(2):
            ids.add((await server.http.post("/start_session")).json()["session_id"])
            await server.http.post("/stop_session")

    assert len(ids) == 2
    assert all(len(each) >= 16 and each != "local" for each in ids)


@pytest.mark.parametrize(
    "doubled",
    [
        [(b"host", b"localhost"), (b"host", b"evil.example")],
        [(b"host", b"localhost"), (b"Host", b"localhost")],
        [(b"host", b"localhost"), (b"origin", b"https://evil.example"), (b"origin", b"http://localhost")],
    ],
)
async def test_two_hosts_or_origins_are_refused(doubled: list[tuple[bytes, bytes]]) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async with serve(Painter) as server:
        app = server.http._transport.app  # type: ignore[attr-defined] # the ASGI transport
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/health",
            "headers": doubled,
            "query_string": b"",
        }
        await app(scope, receive, send)

    assert sent[0]["status"] == 400


async def test_websockets_are_refused_cleanly() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async with serve(Painter) as server:
        app = server.http._transport.app  # type: ignore[attr-defined] # the ASGI transport
        await app({"type": "websocket", "path": "/events", "headers": [(b"host", b"evil")]}, receive, send)

    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize(
    "host", ["192.168.1.7:8080", "[fe80::1]:8080", "10.0.0.1", "localhost", "0.0.0.0:8080"]
)
async def test_bound_to_every_address_any_address_is_ours(host: str) -> None:
    async with serve(Painter, options=HttpOptions(host="0.0.0.0", no_token=True)) as server:
        assert (await ask(server, "GET", "/health", {"host": host})).status_code == 200
        assert (
            await ask(server, "GET", "/health", {"host": host, "origin": f"http://{host}"})
        ).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "10.0.0.1.evil.example", "gpu", ""])
async def test_bound_to_every_address_a_rebound_name_is_refused(host: str) -> None:
    for bound in ("0.0.0.0", "::"):
        async with serve(Painter, options=HttpOptions(host=bound, no_token=True)) as server:
            response = await ask(server, "GET", "/session", {"host": host, "origin": f"http://{host}"})
            assert (response.status_code, response.json()["code"]) == (421, "wrong_host")


async def test_bound_to_every_address_names_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module.socket, "gethostname", lambda: "Studio.lan")
    async with serve(Painter, options=HttpOptions(host="0.0.0.0", allow_hosts=("gpu.example",))) as server:
        for host in ("gpu.example:8080", "GPU.example", "studio.lan", "studio.local"):
            assert (await ask(server, "GET", "/health", {"host": host})).status_code == 200


async def test_tokens_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve(Painter, options=HttpOptions(token=TOKEN)) as server:
        for headers, query, _ in CREDENTIALS.values():
            await ask(server, "POST", f"/start_session{query}", headers)
            await asyncio.sleep(0)
    own = [record for record in caplog.records if record.name.startswith(("reactor", "uvicorn"))]

    assert not any(TOKEN in record.getMessage() for record in own)
