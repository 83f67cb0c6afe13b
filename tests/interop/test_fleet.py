"""The published SDKs against `reactor serve`: they know no line, and need not."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.fleet import serving
from tests.wire.server import MODELS

from . import table
from .sdks import JS_PACKAGE, SDKS, Sdk
from .test_interop import PORT, cannot, in_python

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


@pytest.mark.parametrize("sdk", [sdk for sdk in SDKS if sdk.package != JS_PACKAGE], ids=lambda sdk: sdk.key)
def test_a_visit_through_the_gateway(sdk: Sdk, fleet: serving.Fleet) -> None:
    if not sdk.installed:
        cannot(
            f"{sdk.package} {sdk.version} is not here: run python tests/interop/install.py with a network."
        )
    seen = in_python(sdk, "play.py", sdk.version)
    assert {check: result for check, result in seen.items() if result not in ("ok", "cannot")} == {}
    assert list(seen) == table.CHECKS


def test_the_command_line_of_a_worker_is_whole(fleet: serving.Fleet) -> None:
    """What was said to `serve` reaches the worker."""
    pid = next(iter(fleet.workers().values()))["pid"]
    listed = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    assert b"--offers-per-minute" in listed
    assert listed[0].decode() == sys.executable
