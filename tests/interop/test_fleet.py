"""The published SDKs against `reactor serve`: they know no line, and need not.

One worker: the plan of a visit looks at the number of its session, and numbers are each worker's own.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.chromium import launched
from tests.fleet import serving
from tests.wire.server import MODELS
from tests.wire.test_documented_clients import blocks

from . import table
from .sdks import SDKS, Sdk
from .test_interop import (
    MORE,
    PORT,
    cannot,
    in_python,
    looks_for_a_cloud,
    needs,
    quick_start_in_browser,
    run,
    visit,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def fleet() -> Iterator[serving.Fleet]:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            cannot(f"The SDKs insist on port {PORT}, and something else listens there.")
    arguments = ("--workers", "1", "--offers-per-minute", "0", "--queue-wait", "20")
    running = serving.Fleet(*arguments, project=MODELS / "echo", port=PORT)
    try:
        running.wait_ready(1)
        yield running
    finally:
        assert running.stop() == 0, running.log


@pytest.fixture(autouse=True)
def free_slot(fleet: serving.Fleet) -> Iterator[None]:
    """A visit that fails leaves its session behind."""
    yield
    for worker in fleet.workers().values():
        if worker["session"]:
            httpx.post(f"{fleet.url}/fleet/kick", json={"worker": worker["id"]})
    fleet.wait_ready(1)


@pytest.fixture(scope="module")
def browser(fleet: serving.Fleet, chromium: str) -> Iterator[Any]:
    """Within `fleet`, so that no page is left when that stops."""
    with launched(chromium) as browser:
        yield browser


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.key)
def test_a_visit_through_the_gateway(sdk: Sdk, request: pytest.FixtureRequest) -> None:
    seen = visit(sdk, request)
    assert {check: result for check, result in seen.items() if result not in ("ok", "cannot")} == {}
    assert list(seen) == table.CHECKS


def test_what_else_the_newest_sdk_asks_is_answered() -> None:
    assert in_python(needs(SDKS[0]), "more.py") == MORE


def test_the_quick_start_in_python(fleet: serving.Fleet, tmp_path: Path) -> None:
    (tmp_path / "quick_start.py").write_text(blocks("python")[0])
    run(needs(SDKS[0]), tmp_path / "quick_start.py")
    fleet.wait_ready(1)
    assert httpx.get(f"{fleet.url}/session").json()["last_end"]["reason"] == "stopped"


def test_the_quick_start_in_javascript(browser: Any) -> None:
    quick_start_in_browser(browser)


def test_an_sdk_that_looks_for_a_cloud_is_told_what_to_say() -> None:
    looks_for_a_cloud()


def test_the_command_line_of_a_worker_is_whole(fleet: serving.Fleet) -> None:
    """What was said to `serve` reaches the worker."""
    pid = next(iter(fleet.workers().values()))["pid"]
    listed = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    assert b"--offers-per-minute" in listed
    assert listed[0].decode() == sys.executable
