"""The published SDKs against a real server on the port they insist on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chromium import launched
from tests.sites import files_served
from tests.wire.server import Server, running

from . import table
from .sdks import FOLDER, JS_PACKAGE, SDKS, Sdk

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

HERE = Path(__file__).parent
PORT = 8080
VISIT_S = 100
found: dict[str, dict[str, str]] = {}


def cannot(reason: str) -> None:
    """In CI that is a failure (tests/conftest.py)."""
    pytest.skip(reason)


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
    server.stop_session()


@pytest.fixture(scope="module")
def browser(server: Server, chromium: str) -> Iterator[Any]:
    """Within `server`, so that no page is left when that stops."""
    with launched(chromium) as browser:
        yield browser


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.key)
@pytest.mark.usefixtures("free_slot")
def test_a_visit(sdk: Sdk, request: pytest.FixtureRequest) -> None:
    if not sdk.installed:
        cannot(
            f"{sdk.package} {sdk.version} is not here: run python tests/interop/install.py with a network."
        )
    if sdk.package == JS_PACKAGE:
        seen = visit_in_browser(sdk, request.getfixturevalue("browser"))
    else:
        seen = in_python(sdk, "play.py", sdk.version)
    found[sdk.key] = seen
    table.remember(found)
    assert {check: result for check, result in seen.items() if result not in ("ok", "cannot")} == {}
    assert list(seen) == table.CHECKS


@pytest.mark.usefixtures("free_slot")
def test_what_else_the_newest_sdk_asks_is_answered() -> None:
    newest = SDKS[0]
    if not newest.installed:
        cannot(f"{newest.package} {newest.version} is not here: run python tests/interop/install.py.")
    assert in_python(newest, "more.py") == {
        "schema": True,
        "clip": "RECORDER_DISABLED",
        "recording": "RECORDER_DISABLED",
        "upload": 3,
        "no file": "invalid_command",
        "unknown track": "unknown_track",
        "unknown command": "unknown_command",
        "refused command": "not_today",
        "broken command": "internal_error",
        "done": None,
        "result": {"type": "add", "data": {"sum": 3.0}},
        "viewer's command": "not_controller",
        "paused": 0,
    }


def test_the_table_in_the_documentation_is_what_was_seen() -> None:
    if missing := [sdk.key for sdk in SDKS if sdk.key not in found]:
        cannot(f"Not played, so there is nothing to compare: {', '.join(missing)}.")
    assert table.in_document() == table.render(found), "run python -m tests.interop.table to write it"


def in_python(sdk: Sdk, *program: str) -> dict[str, Any]:
    """In a process of its own, with nothing of ours on its path; it prints what it saw at the end."""
    command = [FOLDER / "python" / "bin" / "python", HERE / program[0], *program[1:]]
    environment = {**os.environ, "PYTHONPATH": str(sdk.folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=VISIT_S)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def visit_in_browser(sdk: Sdk, browser: Any) -> dict[str, str]:
    """From a page of another origin, as in front-end development."""
    files = {
        "/": b"<!doctype html><title>SDK</title><body>",
        "/sdk.js": (sdk.folder / "sdk.bundle.js").read_bytes(),
        "/play.js": (HERE / "play.js").read_bytes(),
    }
    with files_served(files) as url:
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
