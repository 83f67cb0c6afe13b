"""Requests that are refused stand in the log: bounded, and without what opens anything."""

from __future__ import annotations

import logging

import pytest

from reactor_runtime import loglines
from reactor_runtime.loglines import BURST_PER_CLIENT, message_of
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.runtimes.http.refused_lines import shown
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
        ("/" + "x" * 500, "/" + "x" * 118 + "…"),
    ],
)
def test_shown(path: str, told: str) -> None:
    assert shown(path) == told
