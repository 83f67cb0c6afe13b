"""Chromium for the page's tests, and a plain file server that stands where the runtime would."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chromium import launched
from tests.sites import Handler, serving

from reactor_runtime.runtimes.http.page import POLICY, load

from .pages import HERE, WEB
from .server import Server, live

FLAGS = [
    "--allow-loopback-in-peer-connection",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    # Sites of other people, which are never this machine's own.
    "--host-resolver-rules=MAP *.example 127.0.0.1",
]
NewPage = Callable[..., Any]
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """One browser for a module; every page gets a context, and so a profile, of its own."""
    with launched(chromium, *FLAGS) as browser:
        yield browser


@pytest.fixture
def new_page(browser: Any) -> Iterator[NewPage]:
    """`new_page(width=…, dark=…, script=…)`; a page that logs an error to its console fails the test."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def new(
        width: int = 1280, height: int = 800, dark: bool = True, script: str | None = None, **more: Any
    ) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            permissions=["camera", "microphone"],
            **more,
        )
        contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(30_000)  # the end of a wait, not a bar
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if _is_complaint(line) else None)
        return page

    yield new
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(line: Any) -> bool:
    # A refused request is logged by the browser itself; the page has its own words for it.
    return line.type == "error" and not line.text.startswith("Failed to load resource")


class Files(Handler):
    """The page's files under the runtime's own policy; everything else is 404."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        name = "index.html" if path == "/" else path.removeprefix("/web/")
        if self.path == "/blank":
            return self._send(b"<!doctype html><title>blank</title><main></main>", "text/html")
        file = WEB / name
        if name not in load():
            return self.send_error(404)
        return self._send(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "text/plain")

    def _send(self, body: bytes, content_type: str) -> None:
        self.answer(body, content_type, Content_Security_Policy=POLICY)


@pytest.fixture(scope="session")
def files() -> Iterator[str]:
    """Serves the page without a runtime: `/`, `/web/*`, and `/blank` to evaluate modules in."""
    with serving(Files) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest) -> Path:
    """What `server` plays: the module's `PROJECT`."""
    return Path(request.module.PROJECT)


@pytest.fixture(scope="module")
def server(project: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """One `reactor run` for a module, with its `OPTIONS` if it has any."""
    server = Server(project, *getattr(request.module, "OPTIONS", ()))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def page(server: Server, new_page: NewPage, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that plays a session of its own; a parameter is what `new_page` gets."""
    page = new_page(**getattr(request, "param", {}))
    page.goto(server.url)
    live(page)
    yield page
    server.stop_session(page)


@pytest.fixture(scope="session")
def pretended() -> str:
    """A script that stands in for the runtime inside the page: HTTP, signalling, media and commands."""
    return (HERE / "pretended_runtime.js").read_text()


@pytest.fixture
def open_page(new_page: NewPage, files: str, pretended: str) -> Open:
    """`open_page(script, …)`: the page in front of the pretended runtime, which `script` may change first."""

    def open_(script: str = "", **more: Any) -> Any:
        page = new_page(script=f"{pretended}\n{script}", **more)
        page.goto(files)
        return page

    return open_
