"""The size, the time and the shape of bodies, on the bare ASGI interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.growth import check_growth

from reactor_runtime.clock import WALL, Clock
from reactor_runtime.runtimes.door import bodies as bodies_module
from reactor_runtime.runtimes.door.bodies import BODY_LIMIT, JSON_LIMIT, Bodies
from reactor_runtime.runtimes.door.jsonshape import DEPTH_LIMIT, KEYS_LIMIT, VALUES_LIMIT, shape
from reactor_runtime.testing import VirtualClock, serve

from .models import Painter

JSON = {"content-type": "application/json"}
OFFERS = "/sessions/local/transport/webrtc/sdp_params"
CANDIDATES = "/sessions/local/transport/webrtc/ice_candidates"


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


def client(clock: Clock = WALL) -> httpx.AsyncClient:
    app = Bodies(echo, clock=clock)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8080")


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65536):
        yield b"x" * 65536
    yield b"x" * (size % 65536)


LIMITS = [("/", JSON_LIMIT, "100 KiB"), ("/start_session", BODY_LIMIT, "10 MiB")]


@pytest.mark.parametrize(("path", "limit", "words"), LIMITS)
async def test_body_limit_with_a_length(path: str, limit: int, words: str) -> None:
    async with client() as http:
        fits = await http.post(path, content=b"x" * limit)
        large = await http.post(path, content=b"x" * (limit + 1))

    assert fits.text == str(limit)
    assert large.status_code == 413
    assert large.json() == {"detail": f"A body may have {words} at most.", "code": "body_too_large"}


@pytest.mark.parametrize(("path", "limit", "words"), LIMITS)
async def test_body_limit_without_a_length(path: str, limit: int, words: str) -> None:
    async with client() as http:
        fits = await http.post(path, content=chunks(limit))
        large = await http.post(path, content=chunks(limit + 1))

    assert fits.text == str(limit)
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("headers", [{}, JSON])
async def test_body_limit_on_a_real_route(headers: dict[str, str]) -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        response = await server.http.post(OFFERS, content=chunks(JSON_LIMIT + 1), headers=headers)

        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "\u00b2", "9" * 5000, "99999999999"])
async def test_a_length_that_is_none_is_refused(length: str) -> None:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"content-length", length.encode("latin-1"))]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "scheme": "http"}
    await Bodies(echo)(scope, receive, send)

    assert messages[0]["status"] in (400, 413)
    assert "code" in json.loads(messages[1]["body"])


@pytest.mark.parametrize("headers", [{}, JSON], ids=["streamed", "collected"])
@pytest.mark.parametrize("path", ["/sdp_params", "/uploads/abc"])
async def test_a_body_that_drips_is_given_up(path: str, headers: dict[str, str]) -> None:
    """However regularly something comes: the deadline is one for all of it."""
    clock = VirtualClock()

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"1"
            clock.advance(0.5)

    async with client(clock) as http:
        response = await http.put(path, content=drip(), headers=headers)

    assert (response.status_code, response.json()["code"]) == (408, "body_too_slow")
    upload = path.startswith("/uploads")
    assert clock.time() == (bodies_module.UPLOAD_GRACE_S + 0.5 if upload else bodies_module.BODY_S)


@pytest.mark.parametrize(("seconds", "size"), [(9.5, 10 * 1024 + 1), (10.5, None)])
async def test_a_file_that_is_large_has_longer(seconds: float, size: int | None) -> None:
    """A second for each kilobyte, after the grace."""
    clock = VirtualClock()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * (10 * bodies_module.UPLOAD_BYTES_PER_S)
        clock.advance(bodies_module.UPLOAD_GRACE_S + seconds)
        for _ in range(5):
            await asyncio.sleep(0)  # what is due happens
        yield b"x"

    async with client(clock) as http:
        response = await http.put("/uploads/abc", content=slow())

    if size is None:
        assert (response.status_code, response.json()["code"]) == (408, "body_too_slow")
    else:
        assert response.text == str(size)


# --- the shape of JSON ---


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (nested(DEPTH_LIMIT), True),
        (nested(DEPTH_LIMIT + 1), False),
        (nested(50_000), False),
        (b"[" * 50_000, False),
        (b'{"a":' * 33, False),
        (json.dumps({str(key): 1 for key in range(KEYS_LIMIT)}).encode(), True),
        (json.dumps({str(key): 1 for key in range(KEYS_LIMIT + 1)}).encode(), False),
        (json.dumps([{"a": 1}] * (KEYS_LIMIT + 1)).encode(), False),
        (json.dumps([0] * VALUES_LIMIT).encode(), True),
        (json.dumps([0] * (VALUES_LIMIT + 1)).encode(), False),
        (b"[" + b"[]," * VALUES_LIMIT + b"[]]", False),
        (json.dumps("[{:," * 20_000).encode(), True),
        (json.dumps({"a": '"[{' * 1000, "b": "\\" * 1001}).encode(), True),
    ],
)
def test_shapes(text: bytes, fits: bool) -> None:
    assert shape(text).fits is fits


TREES = st.recursive(
    st.none() | st.booleans() | st.text(st.sampled_from('"\\[]{}:,aé')),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=4), children),
    max_leaves=30,
)


def keys_and_depth(tree: Any) -> tuple[int, int]:
    inside = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    if inside is None:
        return 0, 0
    below = [keys_and_depth(each) for each in inside]
    keys = len(tree) if isinstance(tree, dict) else 0
    return keys + sum(k for k, _ in below), 1 + max((d for _, d in below), default=0)


@given(TREES, st.booleans())
def test_the_shape_is_that_of_what_would_be_parsed(tree: Any, ascii_only: bool) -> None:
    found = shape(json.dumps(tree, ensure_ascii=ascii_only).encode())

    assert (found.keys, found.depth) == keys_and_depth(tree)


@given(st.lists(st.sampled_from([b'"', b"\\", b"[", b"}", b":", b",", b"a", b"\xff"])).map(b"".join))
def test_what_is_no_json_has_a_shape_too(text: bytes) -> None:
    shape(text)


@pytest.mark.parametrize("part", [b'\\"', b'"', b"\\", b'"\\', b"[", b"[]", b'"a":', b'"' + b"\\" * 9])
def test_the_shape_takes_time_that_grows_with_the_text(part: bytes) -> None:
    count = 50_000 // len(part)
    for begin in (b'"', b""):
        small, large = begin + part * count, begin + part * 2 * count
        check_growth(partial(shape, small), partial(shape, large), grain=0.002)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"candidates":[],"client_info":{"a":' + nested(DEPTH_LIMIT) + b"}}", "json_too_complex"),
        (b'{"candidates":[],"client_info":{"a":[' + b"[]," * 30_000 + b"[]]}}", "json_too_complex"),
        ('{"candidates":[]}'.encode("utf-16"), "invalid_request"),
    ],
)
async def test_a_shape_that_is_refused(text: bytes, code: str) -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        for kind in ("application/json", "application/merge-patch+json", "Application/JSON; charset=x"):
            response = await server.http.post(CANDIDATES, content=text, headers={"content-type": kind})
            assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.parametrize("kind", [None, "text/plain;charset=UTF-8", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("path", [OFFERS, CANDIDATES, "/sdp_params", "/sessions/local/uploads"])
async def test_json_that_is_not_called_so_is_told(path: str, kind: str | None) -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        headers = {} if kind is None else {"content-type": kind}
        response = await server.http.post(path, content=b'{"sdp_offer":"v=0"}', headers=headers)

        assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
        assert "Content-Type: application/json" in response.json()["detail"]
