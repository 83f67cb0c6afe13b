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


KINDS = pytest.mark.parametrize("kind", ["text/plain", "application/json"])


async def bare(app: Bodies, receive: Any, kind: str) -> list[Any]:
    """What is sent to a client whose body comes as `receive` says."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", kind.encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "scheme": "http"}
    await app(scope, receive, send)
    return sent


@KINDS
async def test_a_body_of_which_nothing_comes_is_given_up_when_its_time_is_over(kind: str) -> None:
    clock, began = VirtualClock(), asyncio.Event()

    async def receive() -> Any:
        began.set()
        await asyncio.Event().wait()

    asking = asyncio.ensure_future(bare(Bodies(echo, clock=clock), receive, kind))
    await began.wait()
    clock.advance(bodies_module.BODY_S)
    async with asyncio.timeout(10):
        sent = await asking
    assert (sent[0]["status"], json.loads(sent[1]["body"])["code"]) == (408, "body_too_slow")
    assert (b"connection", b"close") in sent[0]["headers"]


@KINDS
@pytest.mark.parametrize("more", [{"more_body": False}, {}], ids=["said", "not said"])
async def test_who_has_a_whole_body_has_it_once_and_learns_without_a_deadline_that_its_client_went(
    kind: str, more: dict[str, bool]
) -> None:
    clock, heard = VirtualClock(), list[Any]()
    body: dict[str, Any] = {"type": "http.request", "body": b"[]", **more}
    coming = iter([body, {"type": "http.disconnect"}])

    async def receive() -> Any:
        message = next(coming)
        if message["type"] == "http.disconnect":
            clock.advance(10 * bodies_module.BODY_S)
            for _ in range(5):
                await asyncio.sleep(0)  # what is due happens
        return message

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        heard.extend([await receive(), await receive()])

    assert await bare(Bodies(app, clock=clock), receive, kind) == [], "there is nothing to refuse"
    assert heard[0] in (body, {**body, "more_body": False})
    assert heard[1:] == [{"type": "http.disconnect"}]


async def test_of_a_body_that_is_too_large_nothing_more_is_read() -> None:
    read, heard = 0, list[Any]()

    async def receive() -> Any:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": bytes(JSON_LIMIT), "more_body": True}

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        heard.extend([await receive() for _ in range(4)])

    sent = await bare(Bodies(app), receive, "text/plain")
    assert [message["type"] for message in heard] == ["http.request"] + ["http.disconnect"] * 3
    assert (read, sent[0]["status"]) == (2, 413)


async def test_an_answer_that_began_before_a_body_was_wrong_goes_on() -> None:
    answer: list[Any] = [
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body", "body": b"all"},
    ]

    async def receive() -> Any:
        return {"type": "http.request", "body": bytes(JSON_LIMIT + 1), "more_body": True}

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await send(answer[0])
        assert (await receive())["type"] == "http.disconnect"
        await send(answer[1])

    assert await bare(Bodies(app), receive, "text/plain") == answer


@pytest.mark.parametrize(
    ("limit", "words"), [(2**20, "1 MiB"), (2**20 - 1, "1023 KiB"), (5 * 2**20, "5 MiB")]
)
async def test_how_large_a_file_may_be_is_told_in_round_numbers(limit: int, words: str) -> None:
    transport = httpx.ASGITransport(Bodies(echo, limit))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as http:
        fits = await http.put("/uploads/abc", content=bytes(limit))
        large = await http.put("/uploads/abc", content=bytes(limit + 1))

    assert fits.text == str(limit)
    assert (large.status_code, large.json()["detail"]) == (413, f"A body may have {words} at most.")


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
        (b"[" * VALUES_LIMIT, False),
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
    "kind", ["application/json", "application/merge-patch+json", "Application/JSON; a=b"]
)
@pytest.mark.parametrize(
    ("method", "path", "text", "code"),
    [
        ("POST", "/", nested(DEPTH_LIMIT), None),
        ("POST", "/", nested(DEPTH_LIMIT + 1), "json_too_complex"),
        ("POST", "/uploads/abc", nested(DEPTH_LIMIT + 1), "json_too_complex"),
        ("POST", "/", b"[\0]", "invalid_request"),
        ("POST", "/start_session", nested(DEPTH_LIMIT + 1), None),
        ("PUT", "/uploads/abc", nested(DEPTH_LIMIT + 1), None),
    ],
)
async def test_what_is_called_json_is_looked_at_before_anybody_reads_it(
    kind: str, method: str, path: str, text: bytes, code: str | None
) -> None:
    async with client() as http:
        answer = await http.request(method, path, content=text, headers={"content-type": kind})
        other = await http.request(method, path, content=text, headers={"content-type": "text/plain"})

    assert other.text == str(len(text)), "what is not called JSON is not looked at"
    if code is None:
        assert answer.text == str(len(text))
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_what_is_no_request_is_passed_on_as_it_is() -> None:
    """Also the server's own beginning and end, which has neither headers nor a body."""
    seen: list[Any] = []

    async def app(*given: Any) -> None:
        seen.append(given)

    given: Any = ({"type": "lifespan"}, object(), object())
    await Bodies(app)(*given)
    assert seen == [given]


async def test_an_application_that_says_nothing_about_half_a_body_is_spoken_for() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    transport = httpx.ASGITransport(Bodies(silent))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as http:
        answer = await http.post("/", content=chunks(JSON_LIMIT + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


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
