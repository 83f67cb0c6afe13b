"""Host, Origin, CORS and the size of bodies, on the bare ASGI interface."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.runtimes.http.guard import Guard
from reactor_runtime.testing import serve

from .models import Painter


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Reads the whole body and says how long it was."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            body = b"disconnected"
            break
        size += len(message["body"])
        if not message.get("more_body"):
            body = str(size).encode()
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def client(**options: Any) -> httpx.AsyncClient:
    guard = Guard(echo, **{"host": "127.0.0.1", **options})
    return httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://localhost:8080")


async def get(name: str, origin: str | None = None, /, **options: Any) -> httpx.Response:
    headers = {"host": name, **({} if origin is None else {"origin": origin})}
    async with client(**options) as http:
        return await http.get("/health", headers=headers)


LOOPBACK = ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "[::1]"]
FOREIGN = [
    "",
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "localhost:8080@evil.example",
    "localhost:8080.evil.example",
    "[::1]evil.example",
    "[::1].evil.example:80",
    "127.0.0.1.nip.io",
    "0.0.0.0:8080",
    "192.168.1.5:8080",
    "[::2]",
    "local host",
]


@pytest.mark.parametrize("host", LOOPBACK)
async def test_hosts_of_this_machine(host: str) -> None:
    assert (await get(host)).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
async def test_other_hosts_are_refused(host: str) -> None:
    response = await get(host)

    assert response.status_code == 421
    assert response.json()["code"] == "wrong_host"


@pytest.mark.parametrize("host", LOOPBACK)
@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:8080",
        "http://localhost:5173",
        "https://localhost",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
        "HTTP://LOCALHOST:1",
        "https://app.example",
        "https://app.example/",
    ],
)
async def test_origins_that_may(host: str, origin: str) -> None:
    response = await get(host, origin, allow_origins=["https://app.example"])

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin
    assert response.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://evil.example:8080",
        "null",
        "",
        "http://localhost.evil.example",
        "http://localhost:8080@evil.example",
        "http://[::1]@evil.example",
        "http://[::1",
        "http://[",
        "file://",
        "chrome-extension://abcdef",
        "ftp://localhost",
        "localhost:8080",
        "https://app.example.evil.example",
        "https://app.example:444",
    ],
)
async def test_origins_that_may_not(host: str, origin: str) -> None:
    response = await get(host, origin, allow_origins=["https://app.example"])

    assert response.status_code == 403
    assert response.json()["code"] == "origin_not_allowed"
    assert "access-control-allow-origin" not in response.headers


async def test_without_an_origin_no_origin_is_named() -> None:
    response = await get("localhost:8080")

    assert "access-control-allow-origin" not in response.headers
    assert response.headers["vary"] == "Origin"


async def test_a_server_that_is_bound_elsewhere_knows_its_names() -> None:
    options = {"host": "192.168.1.5", "allow_hosts": ["Studio.local"]}

    for host in ("192.168.1.5:8080", "studio.local", "localhost:8080"):
        assert (await get(host, **options)).status_code == 200
    assert (await get("192.168.1.6", **options)).status_code == 421
    assert (await get("192.168.1.5:8080", "http://192.168.1.5:8080", **options)).status_code == 200
    assert (await get("192.168.1.5:8080", "http://192.168.1.6:8080", **options)).status_code == 403
    assert (await get("[::2]:8080", host="::2")).status_code == 200


async def test_a_preflight_is_answered_here() -> None:
    async with client() as http:
        response = await http.options(
            "/sessions/local/transport/webrtc/sdp_params",
            headers={
                "origin": "http://localhost:5173",
                "access-control-request-method": "PUT",
                "access-control-request-headers": "content-type,authorization,reactor-api-version",
            },
        )

    assert response.status_code == 204
    assert response.content == b""
    assert response.headers["access-control-allow-origin"] == "http://localhost:5173"
    allowed = response.headers["access-control-allow-headers"].split(", ")
    assert {
        "content-type",
        "authorization",
        "reactor-api-version",
        "reactor-api-accept-version",
        "reactor-webrtc-version",
    } <= set(allowed)
    assert {"GET", "POST", "PUT"} <= set(response.headers["access-control-allow-methods"].split(", "))


async def test_a_preflight_of_another_origin_is_refused() -> None:
    async with client() as http:
        response = await http.options(
            "/start_session",
            headers={"origin": "https://evil.example", "access-control-request-method": "POST"},
        )

    assert response.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/start_session", 405),
        ("GET", "/sessions/other/transport/webrtc/sdp_params", 404),
        ("POST", "/sessions/local/transport/webrtc/sdp_params", 422),
    ],
)
async def test_error_replies_carry_cors_headers_too(method: str, path: str, status: int) -> None:
    async with serve(Painter) as server:
        response = await server.http.request(method, path, headers={"origin": "http://localhost:5173"})

        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == "http://localhost:5173"
        assert set(response.json()) >= {"detail", "code"}


HEADER = st.text(st.characters(max_codepoint=255), max_size=40)
PIECES = st.sampled_from(
    ["http://", "https://", "localhost", "[::1]", "127.0.0.1", ":", "@", "]", "[", "/", "8080"]
)


@given(host=HEADER | st.lists(PIECES).map("".join), origin=st.none() | HEADER | st.lists(PIECES).map("".join))
def test_random_headers(host: str, origin: str | None) -> None:
    guard = Guard(echo, host="127.0.0.1")

    if guard._host_allowed(host) and origin is not None:
        guard._origin_allowed(origin, host, "http")
