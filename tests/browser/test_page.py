"""The page as people meet it: a real server, a real model, and video that Chromium decoded."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .pages import until

pytestmark = [pytest.mark.browser, pytest.mark.wire]

MODEL = Path(__file__).parent / "model"
VIDEO_WITHIN_MS = 2_500
"""Two seconds from navigation to a decoded frame, and half a second for the test's own looking."""
REACTOR = [sys.executable, "-c", "from reactor_runtime.cli.main import main; main()"]


class Server:
    """`reactor run` in a process of its own, which can die and come back on the same port."""

    def __init__(self, model: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._model = model
        self._process: subprocess.Popen[str] | None = None
        self.log: list[str] = []

    def start(self) -> None:
        command = [*REACTOR, "run", "-p", str(self._model), "--port", str(self.port), "--orphan-timeout", "5"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        serving = threading.Event()
        threading.Thread(target=self._read, args=(self._process, serving), daemon=True).start()
        assert serving.wait(30), "".join(self.log)

    def _read(self, process: subprocess.Popen[str], serving: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.log.append(line)
                if re.search(rf"Serving \S+ on http://127.0.0.1:{self.port}", line):
                    serving.set()

    def kill(self) -> None:
        """As if the machine had lost power: nobody is told anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(MODEL)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def page(server: Server, new_page: Any) -> Iterator[Any]:
    page = new_page()
    page.goto(server.url)
    live(page)
    yield page
    page.close()
    stop(page, server)


def stop(page: Any, server: Server) -> None:
    """The next test begins with a session of its own."""
    page.context.request.post(f"{server.url}/stop_session")


def live(page: Any) -> None:
    page.locator("html[data-phase=live]").wait_for()
    until(page, "document.querySelector('video').videoWidth > 0")


def level(page: Any, at: int = 1) -> int:
    """The decoded picture's brightness, 0 to 255, in eighths of its width."""
    return page.evaluate(
        """(at) => { const canvas = new OffscreenCanvas(8, 8); const context = canvas.getContext('2d');
                     context.drawImage(document.querySelector('video'), 0, 0, 8, 8);
                     return context.getImageData(at, 4, 1, 1).data[0]; }""",
        at,
    )


def shows(page: Any, low: int, high: int) -> None:
    for _ in range(60):
        if low <= level(page) <= high:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"the picture's level is {level(page)}, not {low} to {high}")


def test_it_shows_video_within_two_seconds(server: Server, new_page: Any) -> None:
    page = new_page()
    page.goto(server.url)
    live(page)
    assert page.evaluate("performance.now()") < VIDEO_WITHIN_MS
    shows(page, 115, 140)
    assert page.title() == "grey"
    stop(page, server)


def test_the_picture_follows_the_slider(page: Any) -> None:
    slider = page.locator("[data-command=set_level]").get_by_role("slider")
    slider.press("End")
    shows(page, 235, 255)
    slider.press("Home")
    shows(page, 0, 20)


def test_a_refusal_is_shown_at_its_field(page: Any) -> None:
    page.get_by_role("radio", name="left").check()
    card = page.locator("[data-command=move]")
    card.get_by_role("alert").filter(has_text="There is a wall on the left.").wait_for()
    assert card.get_by_role("radiogroup").get_attribute("aria-invalid") == "true"
    page.get_by_role("log").get_by_text("There is a wall on the left.").wait_for()


def test_a_value_that_only_the_server_refuses_is_shown_at_its_field(page: Any) -> None:
    card = page.locator("[data-command=describe]")
    card.get_by_role("textbox", name="Tags").fill('{"a": "not a number"}')
    card.get_by_role("button", name="Send").click()
    card.get_by_role("alert").filter(has_text="must be a whole number").wait_for()


def test_messages_of_the_model_appear(page: Any) -> None:
    page.get_by_role("textbox", name="Text").fill("good evening")
    page.get_by_role("textbox", name="Text").press("Enter")
    page.get_by_role("log").get_by_text("good evening").wait_for()


def test_every_kind_of_value_arrives_and_comes_back(page: Any) -> None:
    card = page.locator("[data-command=describe]")
    card.get_by_role("button", name="Add").click()
    page.keyboard.type("7")
    card.get_by_role("textbox", name="Name").fill("oil")
    card.get_by_role("checkbox", name="Zoom: give a value").check()
    card.get_by_role("spinbutton", name="Zoom, exact value").fill("2.5")
    card.get_by_role("textbox", name="Tags").fill('{"a": 1}')
    card.get_by_role("button", name="Send").click()
    log = page.get_by_role("log")
    log.get_by_text("[1,2,7]").wait_for()
    for part in ('"name":"oil"', '"zoom":2.5', '"tags":{"a":1}'):
        assert log.get_by_text(part).is_visible()


def test_the_camera_reaches_the_model(page: Any) -> None:
    page.locator("[data-command=set_level]").get_by_role("slider").press("End")
    page.get_by_role("button", name="Use camera").click()
    # Chromium's pretended camera is green: no red at all where the model paints what it saw.
    for _ in range(100):
        if level(page, 6) < 80:
            break
        page.wait_for_timeout(50)
    assert level(page, 6) < 80
    assert level(page, 1) > 235


def test_a_reload_goes_on_with_the_same_session(page: Any) -> None:
    page.locator("[data-command=set_level]").get_by_role("slider").press("End")
    shows(page, 235, 255)
    before = page.context.request.get(page.url + "session").json()
    page.reload()
    live(page)
    after = page.context.request.get(page.url + "session").json()
    assert after["number"] == before["number"]
    assert after["state"] == "STREAMING"
    shows(page, 235, 255)
    assert page.locator("[data-command=set_level]").get_by_role("spinbutton").input_value() == "1"


def test_a_second_visitor_waits_for_the_first(page: Any, server: Server, new_page: Any) -> None:
    second = new_page()
    second.goto(server.url)
    second.locator(".veil").get_by_text("Somebody else is playing").wait_for()
    page.get_by_role("button", name="Stop").click()
    live(second)
    stop(second, server)


def test_a_crash_is_explained_and_the_next_session_works(page: Any) -> None:
    page.get_by_role("button", name="Crash").click()
    page.locator("html[data-phase=ended]").wait_for()
    assert "error" in page.locator(".veil").inner_text()
    page.get_by_role("button", name="Start again").click()
    live(page)


def test_a_server_that_dies_and_comes_back_is_played_again(page: Any, server: Server) -> None:
    server.kill()
    page.locator(".veil").get_by_text("The server does not answer").wait_for()
    server.start()
    live(page)
    page.locator("[data-command=set_level]").get_by_role("slider").press("End")
    shows(page, 235, 255)


def test_a_model_that_cannot_load_is_explained(tmp_path: Path, new_page: Any) -> None:
    (tmp_path / "model.py").write_text(
        "import time\nfrom reactor_runtime import VideoModel, model\n\n@model(name='broken')\n"
        "class Broken(VideoModel):\n    def __init__(self):\n        time.sleep(3)\n"
        "        raise FileNotFoundError('weights/base.bin is not there')\n"
        "    def start_session(self):\n        pass\n"
    )
    server = Server(tmp_path)
    server.start()
    page = new_page()
    page.goto(server.url)
    page.locator(".veil").get_by_text("The model is loading").wait_for()
    page.locator(".veil").get_by_text("weights/base.bin is not there").wait_for()
    server.kill()
    page.wait_for_timeout(3_500)  # the page has asked again, and nobody is there
    assert page.locator(".veil").get_by_text("weights/base.bin is not there").is_visible()


def test_everything_comes_from_the_server_under_its_policy(server: Server, new_page: Any) -> None:
    page = new_page()
    policy = page.goto(server.url).header_value("content-security-policy")
    assert "default-src 'self'" in policy
    live(page)
    names = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert len(names) > 10
    assert all(name.startswith(server.url) for name in names)
    stop(page, server)
