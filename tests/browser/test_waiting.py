"""Before the first picture, and after the last one: what a visitor is told, and what stays on the screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .pages import until
from .screenshots import NO_PICTURE
from .server import live

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
SHOWN = """(() => { const canvas = new OffscreenCanvas(8, 8); const context = canvas.getContext('2d');
    context.drawImage(document.querySelector('.still:not([hidden])'), 0, 0, 8, 8);
    return context.getImageData(1, 1, 1, 1).data[0]; })()"""
"""How bright the picture is that was kept."""


def test_what_the_model_says_of_its_way_to_the_first_picture(open_page: Open) -> None:
    page = open_page(NO_PICTURE)
    veil = page.locator(".veil")
    veil.get_by_text("Waiting for the model's first picture").wait_for()
    assert page.locator(".pill").inner_text() == "Waiting"
    assert veil.get_by_role("progressbar").count() == 0
    for share, words in ((0.4, "Warming up"), (0.8, "Almost there")):
        data = json.dumps({"type": "progress", "progress": share, "message": words})
        page.evaluate(f"runtime.say({{ scope: 'application', data: {data} }})")
        veil.get_by_text(words).wait_for()
        assert veil.get_by_role("progressbar").get_attribute("value") == str(share)


def test_an_encoder_that_cannot_follow_is_told_with_the_sizes_that_would_work(open_page: Open) -> None:
    words = (
        "Encoding takes seconds for each picture of 7680×4320; 3840×2160 would work, and whatever is smaller."
    )
    page = open_page(f"{NO_PICTURE} runtime.notices = {json.dumps({'main_video': words})};")
    page.locator(".veil").get_by_text(words).wait_for()
    page.get_by_role("log").get_by_text(words).wait_for()


def test_pictures_that_no_decoder_takes_are_told_too(new_page: Any, files: str) -> None:
    page = new_page()
    page.goto(f"{files}/blank")
    told = page.evaluate(
        "async () => { const { undecodedIn } = await import('/web/core/stats.js');"
        " return [null, { received: 900, frames: 4 }, { received: 900, frames: 0 }].map(undecodedIn); }"
    )
    assert told[:2] == ["", ""]
    assert "Smaller ones would work (1920×1080)" in told[2]


@pytest.mark.parametrize("how", ["down", "error"])
def test_the_last_picture_stays_dimmed_under_the_words(open_page: Open, how: str) -> None:
    page = open_page("runtime.value = 0.9;")
    live(page)
    until(page, "document.querySelector('.still').dataset.kept !== undefined")
    page.evaluate("runtime.down = true; runtime.hangUp()" if how == "down" else "runtime.end('error')")
    page.locator(".veil").get_by_text(
        "The server does not answer" if how == "down" else "Stopped by"
    ).wait_for()
    assert page.locator(".screen.dim").count() == 1
    assert page.evaluate(SHOWN) > 150


def test_who_waits_reads_since_when_it_is_played_and_when_it_is_free(open_page: Open) -> None:
    page = open_page(
        "runtime.state = 'STREAMING'; runtime.freeIn = 11.4;"
        "runtime.clients = [{ role: 'controller', live: false, since: Date.now() / 1000 - 150 }];"
    )
    veil = page.locator(".veil")
    veil.get_by_text("(2 minutes)").wait_for()
    veil.get_by_text("the model is free in 12 s, unless they come back").wait_for()
    assert page.title() == "pretended"
    assert page.get_by_role("heading", level=1).inner_text() == "pretended"
    assert page.get_by_role("slider").is_disabled()
