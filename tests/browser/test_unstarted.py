"""The page is never white: where its scripts do not come or do not run, it says what to do."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sites import Handler, serving

from .server import Server

pytestmark = [pytest.mark.browser, pytest.mark.wire]

PROJECT = Path(__file__).parent / "model"
REMEDY = "proxy_set_header Host $http_host;"


def test_without_scripts(files: str, new_page: Any) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(files)
    page.get_by_text(REMEDY).wait_for()
    page.locator("noscript p").wait_for()


def test_where_scripts_are_refused(files: str, new_page: Any) -> None:
    page = new_page()
    page.route("**/*.js", lambda route: route.fulfill(status=403, body="{}"))
    page.goto(files)
    page.get_by_text(REMEDY).wait_for()


def test_a_network_that_changes_while_the_page_loads_costs_a_second(files: str, new_page: Any) -> None:
    """Chromium gives up what it is loading then, and remembers that a module did not come."""
    page = new_page(script="runtime = {};")
    lost = []

    def lose(route: Any) -> None:
        lost.append(route.request.url)
        if len(lost) <= 2:
            return route.abort("failed")
        return route.continue_()

    page.route("**/stage.js", lose)
    page.goto(files)
    page.locator("html[data-phase]").wait_for()
    assert len(lost) == 3
    assert page.evaluate("history.state") is None, "the next time it tries as often"


def test_it_is_gone_once_the_page_runs(files: str, new_page: Any) -> None:
    page = new_page()
    page.goto(files)
    page.locator("html[data-phase]").wait_for()
    assert page.get_by_text(REMEDY).count() == 0


OWN_HEADERS = ("transfer-encoding", "content-length", "connection", "date", "server")
"""What a proxy says of its own connection."""


@pytest.fixture
def forgetful(server: Server) -> Iterator[str]:
    """A proxy under a name of its own that does not pass the Host on, as nginx without a line for it."""

    class Proxy(Handler):
        def _pass(self) -> None:
            upstream = http.client.HTTPConnection("127.0.0.1", server.port)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            upstream.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in OWN_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._pass()

        def do_POST(self) -> None:
            self._pass()

    with serving(Proxy) as port:
        yield f"http://proxied.example:{port}"


def test_behind_a_proxy_that_does_not_pass_the_host_on(forgetful: str, new_page: Any) -> None:
    page = new_page()
    page.goto(forgetful)
    page.get_by_text(REMEDY).wait_for()
