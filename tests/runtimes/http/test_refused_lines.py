"""Requests that are refused stand in the log: bounded, and without what opens anything."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from reactor_runtime import loglines
from reactor_runtime.loglines import BURST_PER_CLIENT, message_of
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.runtimes.http.refused_lines import BODY_READ, PATH_SHOWN, RefusedLines, shown
from reactor_runtime.testing import serve

from .models import Painter

SECRET = "a-secret-that-nobody-guesses"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [message_of(record) for record in caplog.records if record.name.endswith("refused_lines")]


async def test_what_is_refused_is_a_line_with_the_code(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, loglines.PACKAGE)
    async with serve(Painter, options=HttpOptions(token=SECRET)) as server:
        headers = {"Authorization": f"Bearer {SECRET}"}
        await server.http.get("/session", headers=headers)
        assert lines(caplog) == []
        await server.http.get("/session?token=guessed")
        await server.http.get("/t/guessed/session")
        await server.http.get("/nothing%0A/here", headers=headers)
        await server.http.get("/session", headers={"Host": "evil.example"})
    told = lines(caplog)
    assert [line.rpartition(":")[2].split()[0] for line in told] == ["401", "401", "404", "421"]
    assert told[1].startswith("Refused GET /t/*/session: 401 ")
    assert "guessed" not in "".join(told)
    assert "\n" not in "".join(told)


async def test_a_flood_of_them_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, loglines.PACKAGE)
    async with serve(Painter) as server:
        for _ in range(50):
            await server.http.get("/nothing")
    assert len(lines(caplog)) <= BURST_PER_CLIENT + 1


async def test_what_clients_ask_until_it_is_so_is_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, loglines.PACKAGE)
    async with serve(Painter) as server:
        await server.join()
        assert (await server.http.post("/start_session")).status_code == 409
    assert lines(caplog) == []


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/model/t/abc/session", "/model/t/*/session"),
        (
            "/sessions/abc/transport/webrtc/connections/3104221593",
            "/sessions/*/transport/webrtc/connections/*",
        ),
        ("/uploads/abc", "/uploads/*"),
        ("/connections", "/connections"),
        ("/" + "x" * (PATH_SHOWN - 1), "/" + "x" * (PATH_SHOWN - 1)),
        ("/" + "x" * PATH_SHOWN, "/" + "x" * 118 + "…"),
    ],
)
def test_shown(path: str, told: str) -> None:
    assert shown(path) == told


async def nothing() -> Any:
    """What comes from a client who is not asked."""


async def answered(status: int, *parts: bytes, client: Any = ("192.0.2.7", 1)) -> list[Any]:
    """Let an application below answer so, and return what reached the client."""
    sent: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/a", "client": client}
    await RefusedLines(app)(scope, nothing, send)
    return sent


CODE = json.dumps({"code": "a_code"}).encode()


@pytest.mark.parametrize(
    ("status", "parts", "told"),
    [
        (399, [CODE], None),
        (400, [CODE], "Refused GET /a: 400 a_code"),
        (503, [CODE[:5], CODE[5:]], "Refused GET /a: 503 a_code"),
        *[
            (409, [json.dumps({"code": code}).encode()], None)
            for code in ("loading", "queued", "session_running", "session_closing")
        ],
        (400, [b"{}"], "Refused GET /a: 400 "),
        (400, [b'["code"]'], "Refused GET /a: 400 "),
        (400, [b'{"code": 7}'], "Refused GET /a: 400 "),
        (400, [b"<html>"], "Refused GET /a: 400 "),
        (400, [], "Refused GET /a: 400 "),
        (400, [CODE[:-1] + b" " * (BODY_READ - len(CODE)), b"}"], "Refused GET /a: 400 a_code"),
        (400, [CODE[:-1] + b" " * (BODY_READ - len(CODE) + 1), b"}"], "Refused GET /a: 400 "),
        (400, [CODE[:-1] + b" " * BODY_READ + b"}"], "Refused GET /a: 400 "),
    ],
)
async def test_a_line_has_the_code_that_stands_in_the_first_bytes(
    status: int, parts: list[bytes], told: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, loglines.PACKAGE)
    sent = await answered(status, *parts)
    assert b"".join(message.get("body", b"") for message in sent[1:]) == b"".join(parts), "all is passed on"
    assert lines(caplog) == ([] if told is None else [told])


async def test_a_line_is_its_clients_and_no_other_line_is(caplog: pytest.LogCaptureFixture) -> None:
    """Lines are bounded for each client, and a client whose address is not known is one as well."""
    caplog.set_level(logging.INFO, loglines.PACKAGE)
    clients: list[str | None] = []

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            clients.append(loglines.client.get())

    log, heard = logging.getLogger(RefusedLines.__module__), Heard()
    log.addHandler(heard)
    before = loglines.client.get()
    try:
        await answered(400, CODE)
        await answered(400, CODE, client=None)
    finally:
        log.removeHandler(heard)
    assert clients == ["192.0.2.7", "?"]
    assert loglines.client.get() == before


async def test_a_failure_behind_a_refusal_is_told_and_what_is_no_request_passes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, loglines.PACKAGE)

    passed: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            passed.extend((scope, receive, send))
        else:
            await send({"type": "http.response.start", "status": 500, "headers": []})
            raise RuntimeError

    async def send(_message: Any) -> None:
        pass

    await RefusedLines(app)({"type": "lifespan"}, nothing, send)
    assert passed == [{"type": "lifespan"}, nothing, send], "untouched"
    assert lines(caplog) == []
    with pytest.raises(RuntimeError):
        await RefusedLines(app)({"type": "http", "method": "PUT", "path": "/b"}, nothing, send)
    assert lines(caplog) == ["Refused PUT /b: 500 "]
