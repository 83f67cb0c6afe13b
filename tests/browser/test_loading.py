"""What a person sees while a real model loads and says how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .pages import until
from .server import Server, live

pytestmark = [pytest.mark.browser, pytest.mark.wire]

# It goes on when the test has seen enough: the file that the test writes names the step that may be over.
SLOW = """
import threading
import time
from pathlib import Path

import numpy as np
from reactor_runtime import VideoModel, get_ctx, model

GO = Path({go!r})


def pause(step):
    while not GO.exists() or int(GO.read_text() or 0) < step:
        time.sleep(0.02)


@model("slow")
class Slow(VideoModel):
    def __init__(self):
        pause(1)
        self.progress(0.25, "Reading the weights")
        pause(2)

    def warmup(self):
        thread = threading.Thread(target=lambda: VideoModel.progress(0.75, "Compiling."))
        thread.start()
        thread.join()
        pause(3)
        VideoModel.progress(None, "Almost there")
        pause(4)

    def start_session(self):
        VideoModel.progress(0.1, "too late to matter")
        while not get_ctx().wait_stop(1 / 30):
            get_ctx().get_track().emit(np.zeros((240, 320, 3), np.uint8))
"""


@pytest.fixture
def go(tmp_path: Path) -> Path:
    return tmp_path / "go"


@pytest.fixture
def server(tmp_path: Path, go: Path) -> Iterator[Server]:
    (tmp_path / "model.py").write_text(SLOW.format(go=str(go)))
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


def test_a_bar_and_a_sentence_follow_the_model(server: Server, new_page: Any, go: Path) -> None:
    page = new_page()
    page.goto(server.url)
    veil = page.locator(".veil")
    bar = veil.get_by_role("progressbar", name="Loading")
    veil.get_by_text("The model is loading").wait_for()
    assert bar.count() == 0  # nothing is known yet: no bar that stands still
    go.write_text("1")
    veil.get_by_text("Reading the weights. The video starts by itself when it is ready.").wait_for()
    assert bar.is_visible()
    assert page.evaluate("document.querySelector('.veil progress').value") == 0.25
    health = httpx.get(f"{server.url}/health")
    assert (health.status_code, health.headers["Retry-After"]) == (503, "1")
    assert (health.json()["progress"], health.json()["progress_message"]) == (0.25, "Reading the weights")
    go.write_text("2")
    veil.get_by_text("Compiling. The video").wait_for()
    assert page.evaluate("document.querySelector('.veil progress').value") == 0.75
    go.write_text("3")
    veil.get_by_text("Almost there. The video").wait_for()
    assert bar.count() == 0
    go.write_text("4")
    live(page)
    assert "progress" not in httpx.get(f"{server.url}/health").json()
    lines = [line.partition("Loading: ")[2].strip() for line in server.log if "Loading: " in line]
    assert lines == ["Reading the weights", "Compiling.", "Almost there"]


def test_a_bar_that_moves_is_not_read_out_again_and_again(files: str, pretended: str, new_page: Any) -> None:
    loading = (
        "{ status: 503, body: { status: 'loading', code: 'loading', state: 'CREATED',"
        " progress: %s, progress_message: 'Reading' } }"
    )
    page = new_page(script=f"{pretended}\nruntime.health = {loading % 0.1};")
    page.goto(files)
    until(page, "document.querySelector('.veil progress').value === 0.1")
    page.evaluate(
        "window.said = 0; const words = document.querySelector('[role=status]');"
        "new MutationObserver(() => (said += 1)).observe(words, { childList: true, subtree: true })"
    )
    page.evaluate(f"runtime.health = {loading % 0.2}")
    until(page, "document.querySelector('.veil progress').value === 0.2")
    assert page.evaluate("said") == 0
    page.evaluate("runtime.health = null")
    until(page, "said > 0")
