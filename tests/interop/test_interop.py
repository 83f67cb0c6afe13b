"""The published SDKs against a real server on the port they insist on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.wire.server import Server, running

from . import table
from .pages import serving
from .sdks import FOLDER, JS_PACKAGE, SDKS, Sdk

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

HERE = Path(__file__).parent
PORT = 8080
VISIT_S = 100
FLAGS = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
IN_CI = bool(os.environ.get("CI"))
found: dict[str, dict[str, str]] = {}


def cannot(reason: str) -> None:
    """What is a missing program on a laptop is a broken promise in CI."""
    pytest.fail(reason) if IN_CI else pytest.skip(reason)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            cannot(f"The SDKs insist on port {PORT}, and something else listens there.")
    with running("echo", "--port", str(PORT), "--offers-per-minute", "0") as server:
        yield server


@pytest.fixture
def free_slot(server: Server) -> Iterator[None]:
    """A visit that fails leaves its session behind."""
    yield
    httpx.post(f"{server.url}/stop_session", timeout=20)
    server.wait_state("READY")


@pytest.fixture(scope="module")
def chromium(server: Server) -> Iterator[Any]:
    """Within `server`, so that no page is left when that stops."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dev group)")
    path = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    if not Path(path).exists():
        cannot("No Chromium here: install Debian's chromium or set CHROMIUM= to a browser.")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.key)
@pytest.mark.usefixtures("free_slot")
def test_a_visit(sdk: Sdk, request: pytest.FixtureRequest) -> None:
    if not sdk.installed:
        cannot(
            f"{sdk.package} {sdk.version} is not here: run python tests/interop/install.py with a network."
        )
    if sdk.package == JS_PACKAGE:
        seen = visit_in_browser(sdk, request.getfixturevalue("chromium"))
    else:
        seen = visit_in_python(sdk)
    found[sdk.key] = seen
    table.remember(found)
    assert {check: result for check, result in seen.items() if result not in ("ok", "cannot")} == {}
    assert list(seen) == table.CHECKS


def test_the_table_in_the_documentation_is_what_was_seen() -> None:
    if missing := [sdk.key for sdk in SDKS if sdk.key not in found]:
        cannot(f"Not played, so there is nothing to compare: {', '.join(missing)}.")
    assert table.in_document() == table.render(found), "run python -m tests.interop.table to write it"


def visit_in_python(sdk: Sdk) -> dict[str, str]:
    """In a process of its own, with nothing of ours on its path."""
    python = FOLDER / "python" / "bin" / "python"
    environment = {**os.environ, "PYTHONPATH": str(sdk.folder)}
    done = subprocess.run(
        [python, HERE / "play.py", sdk.version],
        env=environment,
        capture_output=True,
        text=True,
        timeout=VISIT_S,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def visit_in_browser(sdk: Sdk, browser: Any) -> dict[str, str]:
    """From a page of another origin, as in front-end development."""
    files = {
        "/": b"<!doctype html><title>SDK</title><body>",
        "/sdk.js": (sdk.folder / "sdk.bundle.js").read_bytes(),
        "/play.js": (HERE / "play.js").read_bytes(),
    }
    with serving(files) as url:
        page = browser.new_context().new_page()
        page.set_default_timeout(VISIT_S * 1000)
        page.goto(url)
        seen = page.evaluate(
            """async (version) => {
                 const [{ Reactor }, { play }] = await Promise.all([import("/sdk.js"), import("/play.js")]);
                 return play(Reactor, version);
               }""",
            sdk.version,
        )
        page.context.close()
    return dict(seen)
