"""The newest published SDKs where no UDP packet arrives: their media comes over the HTTP port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.chromium import launched
from tests.wire.networks import udp_dropped
from tests.wire.server import Server, running
from tests.wire.test_network import inside_only

from . import table
from .sdks import SDKS, Sdk
from .test_interop import JS, PORT, in_python, needs, visit_in_browser

pytestmark = [pytest.mark.interop, inside_only, pytest.mark.timeout(180)]
NEWEST = SDKS[0]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """It names its addresses for UDP, as ever, and no packet of it arrives."""
    with udp_dropped(), running("echo", "--port", str(PORT), "--offers-per-minute", "0") as server:
        yield server


def opened(server: Server) -> float:
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    return float(
        next(line.split()[1] for line in lines if line.startswith("reactor_tcp_media_opened_total "))
    )


def all_well(seen: dict[str, str]) -> None:
    assert {check: result for check, result in seen.items() if result not in ("ok", "cannot")} == {}
    assert list(seen) == table.CHECKS


def played(server: Server, sdk: Sdk, visit: Any) -> None:
    before = opened(server)
    try:
        all_well(visit(needs(sdk)))
        assert opened(server) > before
    finally:
        server.stop_session()


def test_in_python(server: Server) -> None:
    played(server, NEWEST, lambda sdk: in_python(sdk, "play.py", sdk.version))


def test_in_javascript(server: Server, chromium: str) -> None:
    with launched(chromium) as browser:
        played(server, JS, lambda sdk: visit_in_browser(sdk, browser))
