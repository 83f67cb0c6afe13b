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
from tests.chromium import launched
from tests.sites import files_served
from tests.wire.server import MODELS, Server, running
from tests.wire.test_documented_clients import BRIGHTNESS, blocks

from reactor_runtime.runtimes.access.credentials import Keys, TokenRole

from . import table
from .sdks import FOLDER, JS_PACKAGE, SDKS, Sdk

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

HERE = Path(__file__).parent
PORT = 8080
VISIT_S = 100
SECRET = "a secret for the tests with published SDKs"
JS = next(sdk for sdk in SDKS if sdk.key == "js-2.9.0")
CONNECT = """async (apiUrl) => {
  const { Reactor } = await import("/sdk.js");
  window.errors = [];
  window.reactor = new Reactor({ modelName: "echo", local: true, apiUrl });
  reactor.on("runtimeMessage", ({ type, data }) => type === "commandError" && errors.push(data.code));
  await reactor.connect();
  while (reactor.getStatus() !== "ready") await new Promise((done) => setTimeout(done, 50));
}"""
MORE = {
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
"""What `more.py` sees."""
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


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that asks for tokens; its `url` has one that may control."""
    file = tmp_path_factory.mktemp("secrets") / "token"
    file.write_text(SECRET)
    guarded = Server(MODELS / "echo", "--token-file", str(file), "--offers-per-minute", "0")
    guarded.url = base_url(guarded, TokenRole.CONTROL)
    try:
        guarded.wait_ready()
        yield guarded
    finally:
        status = guarded.stop()
    assert status == 0, guarded.log
    assert "eyJ" not in guarded.log  # as every token begins


def base_url(server: Server, role: TokenRole) -> str:
    """Where an SDK with a token of this role goes."""
    port = httpx.URL(server.url).port
    return f"http://localhost:{port}/t/{Keys([SECRET]).mint(role, 600, role.value)}"


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
    seen = visit(sdk, request)
    found[sdk.key] = seen
    table.remember(found)
    assert {check: result for check, result in seen.items() if result not in ("ok", "cannot")} == {}
    assert list(seen) == table.CHECKS


@pytest.mark.usefixtures("free_slot")
def test_what_else_the_newest_sdk_asks_is_answered() -> None:
    assert in_python(needs(SDKS[0]), "more.py") == MORE


@pytest.mark.last
def test_the_table_in_the_documentation_is_what_was_seen() -> None:
    if missing := [sdk.key for sdk in SDKS if sdk.key not in found]:
        cannot(f"Not played, so there is nothing to compare: {', '.join(missing)}.")
    assert table.in_document() == table.render(found), "run python -m tests.interop.table to write it"


def needs(sdk: Sdk) -> Sdk:
    if not sdk.installed:
        cannot(
            f"{sdk.package} {sdk.version} is not here: run python tests/interop/install.py with a network."
        )
    return sdk


def test_a_visit_with_a_token_in_the_base_url_in_python(guarded: Server) -> None:
    newest = needs(SDKS[0])
    seen = in_python(newest, "play.py", newest.version, guarded.url)
    assert {check: result for check, result in seen.items() if result not in ("ok", "cannot")} == {}
    assert list(seen) == table.CHECKS


def test_a_visit_with_a_token_in_the_base_url_in_javascript(guarded: Server, browser: Any) -> None:
    seen = visit_in_browser(needs(JS), browser, guarded.url)
    assert {check: result for check, result in seen.items() if result not in ("ok", "cannot")} == {}
    assert list(seen) == table.CHECKS


def test_an_sdk_watches_with_a_token_for_watching(guarded: Server, browser: Any) -> None:
    """What somebody else plays goes on, whatever the viewer sends and when it leaves."""
    viewing = base_url(guarded, TokenRole.VIEW)
    with files_served(sdk_files(needs(JS))) as url:
        player, watcher = (browser.new_context().new_page() for _ in range(2))
        for page, base in ((player, guarded.url), (watcher, viewing)):
            page.goto(url)
            page.evaluate(CONNECT, base)
        number = httpx.get(f"{guarded.url}/session").json()["number"]
        assert in_python(needs(SDKS[0]), "watch.py", viewing) == {"command": "view_only"}
        watcher.evaluate("reactor.sendCommand('set_shade', { shade: 'dark' })")
        watcher.wait_for_function("errors.includes('view_only')")
        watcher.evaluate("reactor.disconnect()")
        after = httpx.get(f"{guarded.url}/session").json()
        assert (after["number"], after["state"]) == (number, "STREAMING")
        player.evaluate("reactor.disconnect()")
        guarded.wait_state("READY")
        for page in (player, watcher):
            page.context.close()


@pytest.mark.usefixtures("free_slot")
def test_the_quick_start_in_python(server: Server, tmp_path: Path) -> None:
    (tmp_path / "quick_start.py").write_text(blocks("python")[0])
    run(needs(SDKS[0]), tmp_path / "quick_start.py")
    assert httpx.get(f"{server.url}/session").json()["last_end"]["reason"] == "stopped"


@pytest.mark.usefixtures("free_slot", "server")
def test_the_quick_start_in_javascript(browser: Any) -> None:
    quick_start_in_browser(browser)


def quick_start_in_browser(browser: Any) -> None:
    """As docs/clients.md has it; returns when it has left, or raises."""
    imports = {"imports": {JS_PACKAGE: "/sdk.js"}}
    page_text = (
        f'<!doctype html><title>Q</title><script type="importmap">{json.dumps(imports)}</script>'
        '<video muted autoplay></video><script type="module" src="/quick_start.js"></script>'
    )
    program = blocks("js")[0]
    files = {
        **sdk_files(needs(JS)),
        "/": page_text.encode(),
        "/quick_start.js": f"{program}\nwindow.reactor = reactor;".encode(),
    }
    with files_served(files) as url:
        page = browser.new_context().new_page()
        page.goto(url)
        page.wait_for_function(f"({BRIGHTNESS})() > 200", timeout=30_000)
        page.evaluate("reactor.disconnect()")
        page.context.close()


@pytest.mark.usefixtures("server")
def test_an_sdk_that_looks_for_a_cloud_is_told_what_to_say() -> None:
    looks_for_a_cloud()


def looks_for_a_cloud() -> None:
    said = run(needs(SDKS[0]), HERE / "cloud.py").splitlines()
    assert len(said) == 3
    assert all("local=True" in line for line in said), said


def visit(sdk: Sdk, request: pytest.FixtureRequest) -> dict[str, Any]:
    """One visit to the server on the port, by check; takes the fixture `browser` where it needs one."""
    if needs(sdk).package == JS_PACKAGE:
        return visit_in_browser(sdk, request.getfixturevalue("browser"))
    return in_python(sdk, "play.py", sdk.version)


def in_python(sdk: Sdk, *program: str) -> dict[str, Any]:
    """What a program of this folder printed at its end."""
    return dict(json.loads(run(sdk, HERE / program[0], *program[1:]).splitlines()[-1]))


def run(sdk: Sdk, program: Path, *arguments: str) -> str:
    """In a process of its own, with nothing of ours on its path; gives what it printed."""
    command = [FOLDER / "python" / "bin" / "python", program, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(sdk.folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=VISIT_S)  # type: ignore[arg-type]  # paths and texts
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def sdk_files(sdk: Sdk) -> dict[str, bytes]:
    """A page that may import the SDK."""
    return {
        "/": b"<!doctype html><title>SDK</title><body>",
        "/sdk.js": (sdk.folder / "sdk.bundle.js").read_bytes(),
        "/play.js": (HERE / "play.js").read_bytes(),
    }


def visit_in_browser(sdk: Sdk, browser: Any, base: str | None = None) -> dict[str, str]:
    """From a page of another origin, as in front-end development."""
    with files_served(sdk_files(sdk)) as url:
        page = browser.new_context().new_page()
        page.set_default_timeout(VISIT_S * 1000)
        page.goto(url)
        seen = page.evaluate(
            """async ([version, base]) => {
                 const [{ Reactor }, { play }] = await Promise.all([import("/sdk.js"), import("/play.js")]);
                 return play(Reactor, version, base);
               }""",
            [sdk.version, base],
        )
        page.context.close()
    return dict(seen)
