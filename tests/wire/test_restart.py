"""ICE restarts of Chromium, on one RTCPeerConnection: the session, the channel and the picture go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .browser import new_page
from .server import Server

pytestmark = [pytest.mark.wire, pytest.mark.browser]
PROJECT = "echo"


@pytest.fixture(scope="module")
def page(server: Server, chromium: str) -> Iterator[Any]:
    with new_page(chromium) as page:
        # Of our origin, but not the page: that would play by itself.
        page.goto(f"{server.url}/health")
        yield page


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_restart_ice(page: Any, server: Server, method: str) -> None:
    result = page.evaluate((Path(__file__).parent / "restart.js").read_text(), method)

    ufrags = [result["first"]["ufrag"], *(each["ufrag"] for each in result["restarts"])]
    assert len(set(ufrags)) == 3
    # The same DTLS association, so the same channel and the same keys.
    assert {each["fingerprint"] for each in result["restarts"]} == {result["first"]["fingerprint"]}
    assert result["states"][:2] == ["connecting", "connected"]
    assert "failed" not in result["states"]
    assert result["before"] == result["after"]
    assert result["state"] == "STREAMING"
    assert [client["role"] for client in result["clients"]] == ["controller"]
    server.wait_state("READY")
