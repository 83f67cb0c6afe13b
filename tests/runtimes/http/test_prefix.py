"""A server below a path: what a proxy takes off, what it leaves, and what is named for clients."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import httpx
import pytest

from reactor_runtime.runtimes.door.addresses import Proxies
from reactor_runtime.runtimes.door.prefix import LIMIT, PREFIX, Prefix, clean
from reactor_runtime.runtimes.http.app import create_app
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.testing import serve

from .models import Painter

TOKEN = "one-two-three-four"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/model", "/model"),
        ("/model/", "/model"),
        ("/user/ada/proxy/8080/", "/user/ada/proxy/8080"),
        ("/user/a%40b/proxy", "/user/a%40b/proxy"),
        ("", ""),
        ("/", ""),
        ("model", None),
        ("//evil.example", None),
        ("/a/../b", None),
        ("/a/./b", None),
        ("/X/", "/X"),
        ("/a b", None),
        ("/a;Path=/", None),
        ("/a\r\nset-cookie: x", None),
        ("/" + "a" * (LIMIT - 1), "/" + "a" * (LIMIT - 1)),
        ("/" + "a" * LIMIT, None),
    ],
)
def test_what_is_a_prefix(text: str, found: str | None) -> None:
    assert clean(text) == found


async def passed_on(scope: dict[str, Any], root_path: str = "") -> list[dict[str, Any]]:
    """The scopes that reach the application below this prefix."""
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope)

    async def never(*_: Any) -> Any:
        raise AssertionError("the application alone reads and answers")

    await Prefix(app, root_path, Proxies(["127.0.0.1"]))(scope, never, never)
    return seen


def scope_of(path: str, raw: bytes | None, client: Any = ("127.0.0.1", 1), told: int = 0) -> dict[str, Any]:
    headers = [(b"X-Forwarded-Prefix", b"/told")] * told
    scope = {"type": "http", "path": path, "client": client, "headers": headers}
    return scope if raw is None else {**scope, "raw_path": raw}


@pytest.mark.parametrize(
    ("path", "raw", "path_below", "raw_below"),
    [
        ("/model/a b", b"/model/a%20b", "/a b", b"/a%20b"),
        ("/model/a b", None, "/a b", b"/a%20b"),
        ("/model/", b"/model/", "/", b"/"),
        ("/modelling", b"/modelling", "/modelling", b"/modelling"),
        ("/model/a", b"/%6dodel/a", "/model/a", b"/%6dodel/a"),
        ("/other/a", b"/model/a", "/other/a", b"/model/a"),
    ],
)
async def test_both_forms_of_a_path_lose_the_prefix_or_neither(
    path: str, raw: bytes | None, path_below: str, raw_below: bytes
) -> None:
    [scope] = await passed_on(scope_of(path, raw), "/model")
    assert (scope["path"], scope["raw_path"]) == (path_below, raw_below)
    assert (scope["root_path"], scope[PREFIX]) == ("/model", "/model")


@pytest.mark.parametrize(
    ("client", "told", "prefix"),
    [
        (("127.0.0.1", 1), 1, "/told"),
        (("127.0.0.1", 1), 2, "/model"),
        (("127.0.0.1", 1), 0, "/model"),
        (("192.0.2.1", 1), 1, "/model"),
        (None, 1, "/model"),
    ],
)
async def test_a_prefix_is_told_once_and_by_a_proxy_that_is_known(
    client: Any, told: int, prefix: str
) -> None:
    [scope] = await passed_on(scope_of("/a", b"/a", client, told), "/model")
    assert scope[PREFIX] == prefix


async def test_what_is_no_request_has_no_prefix() -> None:
    scope: dict[str, Any] = {"type": "lifespan"}
    assert await passed_on(scope, "/model") == [scope]


def asking(options: HttpOptions, client: str = "127.0.0.1", **more: Any) -> httpx.AsyncClient:
    """A client of the door alone: no model is asked."""

    def nobody() -> Any:
        return Mock(spec=["page_loads"])  # it hears that the page is asked for, and is asked for nothing

    transport = httpx.ASGITransport(create_app(nobody, options), client=(client, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8080", **more)


PAGE = {"accept": "text/html"}
STRIPPED, WHOLE = "/", "/model/"


@pytest.mark.parametrize(
    ("root_path", "told", "path", "cookie_path"),
    [
        ("", "/model", STRIPPED, "Path=/model/"),
        ("", "/model/", STRIPPED, "Path=/model/"),
        ("", "/model", WHOLE, "Path=/model/"),
        ("/model", None, STRIPPED, "Path=/model/"),
        ("/model", None, WHOLE, "Path=/model/"),
        ("/other", "/model", WHOLE, "Path=/model/"),
        ("", None, STRIPPED, None),
        ("/model", "//evil.example", WHOLE, "Path=/model/"),
    ],
)
async def test_the_page_and_its_cookie_below_a_path(
    root_path: str, told: str | None, path: str, cookie_path: str | None
) -> None:
    headers = {**PAGE, "x-forwarded-for": "203.0.113.7"}
    if told is not None:
        headers["x-forwarded-prefix"] = told
    async with asking(HttpOptions(root_path=root_path, token=TOKEN), headers=headers) as http:
        given = await http.get(f"{path}?token={TOKEN}")
        assert (given.status_code, given.headers["location"]) == (303, "./")
        parts = {part.strip() for part in given.headers["set-cookie"].split(";")}
        assert {part for part in parts if part.startswith("Path=")} == (
            {cookie_path} if cookie_path else set()
        )
        opened = await http.get(path, headers={"authorization": f"Bearer {TOKEN}"})
        assert opened.status_code == 200
        assert (await http.get(f"{path}web/app.js")).status_code == 200
        below = await http.get(f"{path}t/{TOKEN}/", headers=PAGE)
        assert (below.status_code, below.headers["location"]) == (303, "../../")


async def test_a_path_without_its_slash_leads_to_the_one_with_it() -> None:
    async with asking(HttpOptions(root_path="/a/model")) as http:
        moved = await http.get("/a/model?wire=tcp")
        assert (moved.status_code, moved.headers["location"]) == (307, "./model/?wire=tcp")
        moved = await http.get("/a/model")
        assert (moved.status_code, moved.headers["location"]) == (307, "./model/")
        assert (await http.get("/a/modelling", headers=PAGE)).status_code == 404


async def test_strangers_say_nothing_about_the_prefix() -> None:
    headers = {**PAGE, "x-forwarded-prefix": "/model", "host": "10.0.0.1:8080"}
    async with asking(
        HttpOptions(token=TOKEN, host="0.0.0.0"), client="203.0.113.7", headers=headers
    ) as http:
        given = await http.get(f"/?token={TOKEN}")
        assert "Path=/model" not in given.headers["set-cookie"]
        assert (await http.get("/model/", headers={"authorization": f"Bearer {TOKEN}"})).status_code == 404


@pytest.mark.parametrize("root_path", ["", "/user/ada/proxy/8080"])
async def test_whole_addresses_of_uploads_have_the_prefix(root_path: str) -> None:
    async with serve(Painter, options=HttpOptions(root_path=root_path)) as server:
        await server.join()
        told = await server.http.post(f"{root_path}/sessions/local/uploads", json={"name": "a", "size": 1})
        assert told.status_code == 201, told.text
        address = told.json()["presigned_url"]
        assert address == f"http://localhost:8080{root_path}/uploads/{told.json()['presigned_id']}"
        assert (await server.http.put(address, content=b"x")).status_code < 300
