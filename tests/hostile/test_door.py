"""Connections, heads and bodies of clients that mean no good, and the numbers that hold them."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from typing import Any

import pytest

from reactor_runtime.runtimes.door import bodies, connections, listening
from reactor_runtime.runtimes.door.acceptor import LINGER_S, First, first
from reactor_runtime.runtimes.door.http1 import HEAD_LIMIT, HEADERS_LIMIT
from reactor_runtime.runtimes.http.options import HttpOptions

from .door import Answer, Door, door

HELLO = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
REQUEST = HELLO + b"\r\n"
LAST = b"Connection: close\r\n\r\n"
TOLD = {"content-type": "application/json", "x-content-type-options": "nosniff", "connection": "close"}
"""Headers of a refusal that comes before any request was understood."""
STREAM = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_the_numbers_of_the_table() -> None:
    assert (HttpOptions().max_connections, connections.ADDRESS_SHARE) == (512, 2)
    assert (HEAD_LIMIT, HEADERS_LIMIT) == (16 * 1024, 100)
    assert (connections.HEAD_S, connections.STALLED_S, bodies.BODY_S) == (10, 30, 20)
    assert (bodies.UPLOAD_GRACE_S, bodies.UPLOAD_BYTES_PER_S, bodies.JSON_LIMIT) == (30, 1024, 100 * 1024)
    assert listening.TELL_EVERY_S == 1


# --- the first bytes ---


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GET / HTTP/1.1", First.HTTP),
        (b"x", First.HTTP),
        (b"\r\nGET", First.HTTP),
        (b"\x16\x03\x01\x02\x00", First.TLS),
        (b"\x00\x6c\x00\x01\x00\x58", First.MEDIA),
        (b"\x16\x04\x00\x01", First.MEDIA),
        (b"\xff\xff\xff\xff", First.UNKNOWN),
        (b"\x00\x6c\x00", None),
        (b"\x16", None),
        (b"", None),
    ],
)
def test_what_first_bytes_tell(data: bytes, kind: First | None) -> None:
    assert first(data) is kind


async def test_first_bytes_may_come_one_by_one() -> None:
    async with door() as server:
        wire = await server.wire()
        for byte in REQUEST:
            wire.send(bytes([byte]))
            await wire.writer.drain()
            await asyncio.sleep(0)
        assert (await wire.answer()).status == 200


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x00\xa5", b"\x00\x14\x00\x01" + bytes(18), b"\xff" * 9])
async def test_what_is_no_http_is_closed_and_counted(data: bytes) -> None:
    async with door() as server:
        wire = await server.wire()
        for byte in data:
            wire.send(bytes([byte]))
        assert await wire.closed()
        assert server.connections.closed == {"no_http": 1}
        await server.until(lambda: len(server.connections) == 0)


# --- heads ---

LONG_LINE = b"X: " + b"y" * HEAD_LIMIT + b"\r\n"
MANY = b"".join(b"X-%d: y\r\n" % index for index in range(HEADERS_LIMIT))


@pytest.mark.parametrize(
    "head", [LONG_LINE, MANY, b"a:\r\n" * 15_000, b"Cookie: " + b'a="\\' * 15_000 + b"\r\n"]
)
@pytest.mark.parametrize("before", [b"", REQUEST], ids=["first", "second"])
@pytest.mark.parametrize("whole", [True, False])
async def test_a_head_that_is_too_large_is_refused(head: bytes, before: bytes, whole: bool) -> None:
    """Whole or without its end, and also right behind another request: before any of it is parsed."""
    async with door() as server:
        wire = await server.wire()
        wire.send(before + HELLO + head + (b"\r\n" if whole else b""))
        if before:
            assert (await wire.answer()).status == 200
        if not whole and len(head) < HEAD_LIMIT:
            return  # too many, and that is known when they end
        answer = await wire.answer()
        assert (answer.status, answer.code) == (431, "headers_too_large")
        assert await wire.closed()


async def test_a_head_at_its_limit_is_answered() -> None:
    async with door() as server:
        wire = await server.wire()
        lines = b"".join(b"X-%d: y\r\n" % index for index in range(HEADERS_LIMIT - 1))
        room = HEAD_LIMIT - len(HELLO + lines + b"\r\n")
        wire.send(HELLO + lines[:-2] + b"y" * room + b"\r\n\r\n")
        assert (await wire.answer()).status == 200


async def test_headers_after_a_body_are_counted_too() -> None:
    async with door() as server:
        wire = await server.wire()
        wire.send(b"POST /start_session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await wire.answer()).status == 200
        wire.send(b"0\r\n" + b"a:\r\n" * 10_000 + b"\r\n")
        assert await wire.closed()
        assert server.connections.closed == {"malformed": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"GET\r\n\r\n",
        b"GET / SMTP/1.0\r\n\r\n",
        HELLO + b"Host: x\r\n\r\n",
        b"\r\n\r\n",
        HELLO + b"Transfer-Encoding: gzip\r\n\r\n",
    ],
)
async def test_what_is_malformed_is_told_and_not_logged(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with door() as server:
        for _ in range(20):
            wire = await server.wire()
            wire.send(data)
            answer = await wire.answer()
            assert (answer.status, answer.code) == (400, "malformed_request")
            assert answer.headers.items() >= TOLD.items()
            assert await wire.closed()
        assert server.connections.closed == {"malformed": 20}
    assert [record.message for record in caplog.records if record.levelno > logging.INFO] == []


async def test_garbage_behind_an_answer_ends_the_connection_quietly(caplog: pytest.LogCaptureFixture) -> None:
    async with door() as server:
        wire = await server.wire()
        wire.send(HELLO + b"Transfer-Encoding: chunked\r\n\r\n")
        assert (await wire.answer()).status == 200
        wire.send(b"no chunk\r\n")
        assert await wire.closed()
    assert [record.message for record in caplog.records if record.levelno > logging.INFO] == []


# --- deadlines ---


async def test_who_says_nothing_goes_without_a_word() -> None:
    async with door() as server:
        began = server.clock.time()
        wires = [await server.wire() for _ in range(5)]
        await server.until(lambda: len(server.connections) == 5)
        server.clock.advance(connections.HEAD_S - 1)
        assert (await server.get()).status == 200
        # The last second is the machine's own, and it may stand still.
        assert len(server.connections) >= 5 or server.clock.time() - began > connections.HEAD_S
        server.clock.advance(1 + connections.SWEEP_S)
        for wire in wires:
            assert await wire.closed()
        assert server.connections.closed == {"late": 5}
        await server.until(lambda: len(server.connections) == 0)


@pytest.mark.parametrize("before", [b"", REQUEST], ids=["first", "second"])
async def test_a_head_that_drips_is_told(before: bytes) -> None:
    async with door() as server:
        wire = await server.wire()
        if before:
            wire.send(before)
            assert (await wire.answer()).status == 200

        wire.send(HELLO)
        dripped = 0

        async def drip() -> Answer:
            nonlocal dripped
            answer = asyncio.ensure_future(wire.answer())
            while not answer.done():
                wire.send(b"x")
                dripped += 1
                await asyncio.wait({answer}, timeout=0.005)
            return await answer

        answer = await server.hurried(drip())
        assert (answer.status, answer.code) == (408, "head_too_slow")
        assert dripped > 1


async def test_a_body_that_nobody_waits_for_does_not_drip_on() -> None:
    """After the answer: each byte of it took back uvicorn's own deadline."""
    async with door() as server:
        wire = await server.wire()
        wire.send(b"POST /start_session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
        assert (await wire.answer()).status == 200

        async def drip() -> bool:
            closed = asyncio.ensure_future(wire.closed())
            while not closed.done():
                wire.send(b"x")
                await asyncio.wait({closed}, timeout=0.005)
            return await closed

        assert await server.hurried(drip())
        assert server.connections.closed == {"late": 1}


async def test_a_body_that_does_not_come_is_told() -> None:
    async with door() as server:
        await server.ask("POST /start_session HTTP/1.1\nHost: localhost\nContent-Length: 0")
        wire = await server.wire()
        wire.send(
            b"POST /sessions/local/transport/webrtc/sdp_params HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
        )
        await server.is_asked()
        server.clock.advance(bodies.BODY_S - 1)
        assert (await server.get()).status == 200
        server.clock.advance(1)
        answer = await wire.answer()
        assert (answer.status, answer.code) == (408, "body_too_slow")
        assert answer.headers["connection"] == "close"
        assert await wire.closed()


async def test_a_request_that_is_answered_slowly_has_no_deadline() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            server.clock.advance(10 * connections.STALLED_S)
            await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with door(app=slow) as server:
        assert (await server.get()).status == 204


async def test_who_does_not_read_the_answer_is_dropped() -> None:
    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not server.connections.closed["stalled"]:
            await send({"type": "http.response.body", "body": bytes(2**20), "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body"})

    async with door(app=large) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(REQUEST)
            await server.until(lambda: any(slot.stalled_since is not None for slot in server.slots()))
            assert not server.connections.closed
            server.clock.advance(connections.STALLED_S + connections.SWEEP_S)
            await server.until(lambda: server.connections.closed["stalled"])
            await server.until(lambda: len(server.connections) == 0)


async def test_silent_connections_do_not_hold_up_a_server_that_leaves() -> None:
    async with door() as server:
        wires = [await server.wire() for _ in range(3)]
        wires[1].send(HELLO)
        await server.until(lambda: len(server.connections) == 3)
    for wire in wires:
        assert await wire.closed()


# --- how many ---


async def busy(server: Door, count: int, source: str = "127.0.0.1") -> list[Any]:
    """Connections that are answered without an end."""
    wires = []
    for _ in range(count):
        wire = await server.wire(source)
        wire.send(STREAM)
        await wire.reader.readuntil(b"event: hello")
        wires.append(wire)
    return wires


async def test_over_the_limit_the_one_goes_that_is_idle_longest() -> None:
    async with door(limit=4) as server:
        [streaming] = await busy(server, 1, "127.0.0.2")
        oldest = await server.wire("127.0.0.3")
        await server.until(lambda: len(server.connections) == 2)
        younger = await server.wire("127.0.0.4")
        younger.send(REQUEST)
        assert (await younger.answer()).status == 200
        await server.wire("127.0.0.5")
        await server.until(lambda: len(server.connections) == 4)

        assert (await server.get(source="127.0.0.6")).status == 200
        assert await oldest.closed()
        younger.send(REQUEST)
        assert (await younger.answer()).status == 200
        assert not streaming.reader.at_eof()
        assert server.connections.closed["evicted"] == 1


async def test_when_all_are_busy_the_new_one_is_told() -> None:
    async with door(limit=4) as server:
        await busy(server, 2, "127.0.0.2")
        held = await busy(server, 2, "127.0.0.3")
        answer = await server.get(source="127.0.0.4")
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (
            503,
            "too_many_connections",
            "1",
        )
        held[0].writer.close()
        await server.until(lambda: len(server.connections) == 3)
        assert (await server.get(source="127.0.0.4")).status == 200


async def test_one_address_has_half_of_them() -> None:
    async with door(limit=8) as server:
        await busy(server, 4, "127.0.0.2")
        refused = await server.get(source="127.0.0.2")
        assert (refused.status, refused.code) == (503, "too_many_connections")
        assert (await server.get(source="127.0.0.3")).status == 200


async def test_a_flood_of_refused_ones_is_bounded() -> None:
    assert connections.LINGERING_LIMIT == 32
    async with door(limit=2, lingering=2, patient=True) as server:
        await busy(server, 1)
        wires = [await server.wire() for _ in range(6)]
        for wire in wires:
            wire.send(REQUEST)
        told = [await wire.first(12) for wire in wires]
        assert told.count(b"HTTP/1.1 503") == 2
        assert server.connections.lingering == 2
        server.patience.advance(LINGER_S)
        await server.until(lambda: server.connections.lingering == 0)
        assert server.connections.closed == {"refused": 6}


@pytest.mark.parametrize("trusted", [True, False])
async def test_behind_a_trusted_proxy_each_client_is_counted_by_its_own_address(trusted: bool) -> None:
    options = HttpOptions(trusted_proxies=("127.0.0.0/8",) if trusted else ("192.0.2.1",))
    async with door(limit=8, options=options) as server:
        statuses = []
        for client in range(6):
            wire = await server.wire()
            wire.send(STREAM[:-2] + f"X-Forwarded-For: 6.6.6.6, 198.51.100.{client}\r\n\r\n".encode())
            statuses.append(Answer(await wire.reader.readuntil(b"\r\n\r\n")).status)
        assert statuses == ([200] * 6 if trusted else [200] * 4 + [503] * 2)


async def test_a_proxys_connection_belongs_to_whom_it_asks_for_now() -> None:
    async with door(limit=8) as server:
        wire = await server.wire()
        for client in ("198.51.100.1", "198.51.100.2"):
            wire.send(HELLO + f"X-Forwarded-For: {client}\r\n\r\n".encode())
            assert (await wire.answer()).status == 200
            assert list(server.connections._slots) == [client]


# --- descriptors ---


async def test_when_nothing_can_be_accepted_the_log_and_the_loop_stay_calm(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = 0
    accept = socket.socket.accept
    out = True

    def refuse(self: socket.socket) -> Any:
        nonlocal tries
        tries += 1
        if out:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    async with door() as server:
        monkeypatch.setattr(socket.socket, "accept", refuse)
        waiting = asyncio.ensure_future(server.get())
        await server.until(lambda: tries >= 2)
        out = False
        assert (await waiting).status == 200
    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert 1 <= len(failures) <= 2
    assert tries <= 5
    assert "--max-connections" in failures[0].getMessage()


async def test_an_idle_connection_goes_when_there_is_no_descriptor_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accept = socket.socket.accept

    def refuse(self: socket.socket) -> Any:
        if len(server.connections):
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    async with door() as server:
        idle = await server.wire()
        await server.until(lambda: len(server.connections) == 1)
        monkeypatch.setattr(socket.socket, "accept", refuse)
        assert (await server.get()).status == 200
        assert await idle.closed()


@pytest.mark.parametrize(
    ("soft", "wanted", "limit"), [(1024, 512, 512), (256, 512, 128), (-1, 512, 512), (1, 5, 1)]
)
def test_connections_leave_descriptors_for_the_rest(
    soft: int, wanted: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (soft, soft))
    assert listening.connections_limit(wanted) == limit


# --- probes and proxies ---


async def test_head_is_answered_wherever_get_is() -> None:
    async with door() as server:
        paths = [
            path
            for path, methods in (await server.memory.http.get("/openapi.json")).json()["paths"].items()
            if "get" in methods
        ]
        assert {"/health", "/metrics", "/events"} <= set(paths)
        for path in ["/", "/player.js", "/web/app.js", "/openapi.json", *paths]:
            target = path.replace("{session_id}", "local").replace("{connection_id}", "1")
            heads = {}
            for method in ("GET", "HEAD"):
                wire = await server.wire()
                wire.send(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n".encode() + LAST)
                raw = await wire.reader.readuntil(b"\r\n\r\n")
                heads[method] = Answer(raw)
                if method == "HEAD":
                    assert await wire.rest() == b"", path
                wire.writer.close()
            assert heads["HEAD"].status == heads["GET"].status, path
            same = [{**each.headers, "date": "", "content-length": ""} for each in heads.values()]
            assert same[0] == same[1], path
        assert server.memory.worker.journal.followers <= 1


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("GET /health HTTP/1.0", 200),
        ("HEAD /health HTTP/1.0", 200),
        ("GET /metrics HTTP/1.0", 200),
        ("GET /session HTTP/1.0", 421),
        ("POST /start_session HTTP/1.0", 421),
        ("GET /health HTTP/1.0\nHost: evil.example", 421),
        ("GET /health HTTP/1.0\nX-Forwarded-For: 198.51.100.7", 421),
        ("GET /health HTTP/1.1", 400),
    ],
)
async def test_health_checks_name_no_host(request_: str, status: int) -> None:
    async with door() as server:
        assert (await server.ask(request_)).status == status


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://localhost/health", "localhost", 200),
        ("http://127.0.0.1:8080/health?a=http://b/c", "127.0.0.1:8080", 200),
        ("HTTP://LOCALHOST/he%61lth", "localhost", 200),
        ("http://localhost", "localhost", 200),
        ("http://localhost?x=1", "localhost", 200),
        ("http://localhost/nothing", "localhost", 404),
        ("http://localhost/health", "evil.example", 200),
        ("http://evil.example/health", "localhost", 421),
        ("http://localhost@evil.example/health", "localhost", 421),
        ("http:///health", "localhost", 421),
        ("/http://localhost/health", "localhost", 404),
    ],
)
async def test_targets_in_absolute_form(target: str, host: str, status: int) -> None:
    """The target's host is the one that counts; a proxy's client wrote the other."""
    async with door() as server:
        for method in ("GET", "HEAD"):
            assert (await server.ask(f"{method} {target} HTTP/1.1\nHost: {host}")).status == status


async def test_the_hidden_words_of_the_page_are_in_its_source() -> None:
    async with door() as server:
        page = (await server.get("/")).body.decode()
    assert "<noscript>" in page
    visible = page.partition('id="unstarted"')[2]
    for words in (
        "proxy_set_header Host $http_host;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "--allow-host",
    ):
        assert words in visible


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ("Host: gpu.example.com", 421, "--allow-host gpu.example.com"),
        ("Host: <script>", 421, "--allow-host HOST"),
        ("Host: localhost\nOrigin: https://gpu.example.com", 403, "--allow-origin https://gpu.example.com"),
        ("Host: localhost\nOrigin: https://x/<b>", 403, "--allow-origin ORIGIN"),
    ],
)
async def test_a_browser_that_is_refused_reads_what_to_do(headers: str, status: int, words: str) -> None:
    async with door() as server:
        answer = await server.ask(f"GET / HTTP/1.1\n{headers}\nAccept: text/html,*/*;q=0.8")
        plain = await server.ask(f"GET / HTTP/1.1\n{headers}\nAccept: application/json")
    text = answer.body.decode()
    assert (answer.status, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert words in text
    assert "proxy_set_header Host $http_host;" in text
    assert "<script" not in text
    assert "<b>" not in text
    assert plain.code in ("wrong_host", "origin_not_allowed")
