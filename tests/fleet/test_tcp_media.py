"""Media over TCP through the one port of a gateway, from a network where nothing else leads to it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.chromium import launched
from tests.fleet.serving import Fleet, serving
from tests.wire.browser import find_chromium
from tests.wire.server import MODELS
from tests.wire.test_network import inside_only
from tests.wire.test_tcp_media import (
    KEEP_PEERS,
    PAIR,
    WAIT_MS,
    answered,
    metric,
    over_tcp,
    plays,
)
from tests.wire.tunnel import tunnel

CHROMIUM = find_chromium()
pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(CHROMIUM is None, reason="Needs Debian's chromium or CHROMIUM=."),
    inside_only,
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with serving("--workers", "2", "--offers-per-minute", "0", project=MODELS / "echo", ready=2) as running:
        yield running


def test_two_browsers_behind_one_port_each_get_their_own_worker(fleet: Fleet, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    port = int(fleet.url.rpartition(":")[2])
    with tunnel(port, CHROMIUM, tmp_path) as through, launched(through.chromium) as browser:
        pages = []
        for _ in range(2):
            page = browser.new_context().new_page()
            page.set_default_timeout(WAIT_MS)
            page.add_init_script(KEEP_PEERS)
            page.goto(through.url)
            plays(page)
            pair = page.evaluate(PAIR)
            assert (pair["protocol"], pair["port"]) == ("tcp", 18099), "the gateway's port, as it was reached"
            pages.append(page)
        for page in pages:
            plays(page)
        assert [worker["state"] for worker in fleet.workers().values()] == ["busy", "busy"]
        assert metric(fleet.url, "reactor_tcp_media_connections") >= 2
    for worker in fleet.workers().values():
        if worker["session"]:
            httpx.post(f"{fleet.url}/fleet/kick", json={"worker": worker["id"]})
    fleet.wait_ready(2)


def test_a_client_cannot_say_where_it_reached_the_gateway(fleet: Fleet) -> None:
    class Here:
        url = fleet.url

    said = {"x-reactor-reached": "203.0.113.9 4242"}
    found = over_tcp(answered(Here(), headers=said))  # type: ignore[arg-type]  # its address is all that is asked
    assert found == {("127.0.0.1", fleet.url.rpartition(":")[2])}
    httpx.post(f"{fleet.url}/stop_session")
    fleet.wait_ready(2)


def test_a_frame_for_nobody_is_dropped_and_counted(fleet: Fleet) -> None:
    before = "unknown_peer" in httpx.get(f"{fleet.url}/metrics").text
    assert not before
    user = b"nobody:x"
    attribute = b"\x00\x06" + len(user).to_bytes(2, "big") + user
    message = b"\x00\x01" + len(attribute).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + attribute
    with socket.create_connection(("127.0.0.1", int(fleet.url.rpartition(":")[2])), timeout=20) as sock:
        sock.sendall(len(message).to_bytes(2, "big") + message)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(10) == b""
    assert 'reason="unknown_peer"' in httpx.get(f"{fleet.url}/metrics").text
