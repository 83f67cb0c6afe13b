"""Debian's Firefox and the page: a look at everything that people do with it, in one browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.browser.pages import until

from .firefox import FIREFOX, MARKS, Firefox, launched
from .server import Server, running
from .test_network import ADDRESSES

pytestmark = MARKS
WAIT_MS = 30_000
OPTIONS = ("--encoder", "vp8", "--offers-per-minute", "0", "--no-token")
"""A Firefox from a registry decodes no H.264."""
VIDEO = "document.querySelector('video')"
SHADE = f"""(() => {{ const canvas = new OffscreenCanvas(8, 8).getContext('2d');
    canvas.drawImage({VIDEO}, 0, 0, 8, 8); return canvas.getImageData(4, 4, 1, 1).data[0]; }})()"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running("echo", *OPTIONS, "--host", ADDRESSES[0]) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Firefox]:
    assert FIREFOX is not None
    with launched(FIREFOX) as browser:
        yield browser


@contextmanager
def tab(browser: Firefox, url: str, **more: Any) -> Iterator[Any]:
    context = browser.new_context(**more)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(url)
    yield page
    context.close()


@pytest.fixture(scope="module")
def kept(browser: Firefox, server: Server) -> Iterator[Any]:
    """One page for all that leave it as it was."""
    with tab(browser, server.url) as page:
        yield page


@pytest.fixture
def page(kept: Any, server: Server) -> Any:
    """It plays, whatever the test before did."""
    ended = kept.locator("html").get_attribute("data-phase") == "ended"
    if ended:
        kept.locator(".bar").get_by_role("button", name="Start").click()
    plays(kept)
    return kept


def plays(page: Any) -> None:
    """Pictures move, without a click."""
    page.locator("html[data-phase=live]").wait_for()
    until(page, f"{VIDEO}.currentTime > 0.3", limit=WAIT_MS / 1000)


def card(page: Any, command: str) -> Any:
    return page.locator(f"[data-command={command}]")


def told(page: Any, words: str | re.Pattern[str]) -> None:
    page.get_by_text(words).first.wait_for(state="attached")


def put(field: Any, number: str) -> None:
    """By the keys: `fill` writes behind what stands in a field of numbers here."""
    field.press("Control+a")
    field.press_sequentially(number)


# --- what it shows ---


def test_it_plays_over_udp_on_a_real_address(page: Any) -> None:
    page.locator(".facts").get_by_text("UDP").wait_for()


def test_the_video_is_in_the_page_itself_and_moves(page: Any) -> None:
    assert page.evaluate(f"{VIDEO}.getRootNode() === document && {VIDEO}.videoWidth") == 320
    before = page.evaluate(f"{VIDEO}.currentTime")
    until(page, f"{VIDEO}.currentTime > {before} + 0.2")


def test_size_and_rate_stand_below_the_picture(page: Any) -> None:
    page.locator(".facts").get_by_text(re.compile(r"320×240 · \S+ fps · \S+ Mbit/s · UDP")).wait_for()


def test_statistics_name_the_way_and_the_codec(page: Any) -> None:
    page.get_by_role("tab", name="Statistics").click()
    page.get_by_text(re.compile("VP8 over UDP, the direct way")).wait_for()
    page.get_by_role("tab", name="Messages").click()


def test_what_the_model_sends_stands_in_the_messages(page: Any) -> None:
    card(page, "state").click()
    page.get_by_role("log").get_by_text(re.compile("received")).first.wait_for()


def test_the_page_fits_a_narrow_window(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    fits = "document.documentElement.scrollWidth <= innerWidth"
    until(page, fits)
    page.set_viewport_size({"width": 1280, "height": 720})
    until(page, fits)


def test_both_tracks_are_seen_and_one_is_large(page: Any) -> None:
    tiles = page.locator(".grid video")
    assert tiles.count() == 2
    until(page, "[...document.querySelectorAll('.grid video')].every((each) => each.videoWidth > 0)")
    sizes = sorted(tiles.nth(index).bounding_box()["height"] for index in range(2))
    assert sizes[1] > 2 * sizes[0]


# --- what it does ---


def test_a_control_changes_the_picture(page: Any) -> None:
    shade = card(page, "set_shade")
    shade.get_by_role("radio", name="light").check()
    until(page, f"{SHADE} > 190")
    shade.get_by_role("radio", name="dark").check()
    until(page, f"{SHADE} < 70")


def test_a_command_is_answered(page: Any) -> None:
    field = card(page, "add").get_by_role("spinbutton").first
    put(field, "40")
    field.press("Enter")
    told(page, re.compile('"sum":4[01]'))


def test_a_number_out_of_its_range_is_not_sent(page: Any) -> None:
    field = card(page, "add").get_by_role("spinbutton").first
    put(field, "101")
    until(page, "document.querySelector('[data-command=add] [aria-invalid=true]') !== null")
    put(field, "1")
    until(page, "document.querySelector('[data-command=add] [aria-invalid=true]') === null")


def test_a_refusal_of_the_model_is_shown(page: Any) -> None:
    card(page, "refuse").click()
    told(page, "Come back tomorrow.")


def test_an_error_of_the_model_is_told_without_its_secret(page: Any) -> None:
    card(page, "break").click()
    told(page, re.compile(r"reference [\da-f]{8}"))
    assert page.get_by_text("a secret of the model").count() == 0


def test_a_file_goes_with_a_command(page: Any) -> None:
    card(page, "weigh").locator("input[type=file]").set_input_files(
        {"name": "a.bin", "mimeType": "application/octet-stream", "buffer": b"abc"}
    )
    card(page, "weigh").get_by_role("button", name="Send").click()
    told(page, re.compile('"size":3'))


def test_the_camera_reaches_the_model_and_stops(page: Any) -> None:
    page.get_by_role("button", name="Use camera").click()
    page.get_by_label("Preview of Webcam").wait_for()
    page.wait_for_timeout(500)
    for _ in range(40):
        card(page, "state").click()
        if page.get_by_text(re.compile(r'"received":[1-9]')).count():
            break
        page.wait_for_timeout(250)
    told(page, re.compile(r'"received":[1-9]'))
    page.get_by_role("button", name="Stop camera").click()
    page.get_by_label("Preview of Webcam").wait_for(state="hidden")


def test_a_snapshot_is_a_png(page: Any) -> None:
    """Playwright's Firefox tells nothing of downloads."""
    page.evaluate(
        """() => { const make = URL.createObjectURL;
                   URL.createObjectURL = (blob) => make.call(URL, (window.saved = blob)); }"""
    )
    page.get_by_role("button", name="Snapshot").click()
    until(page, "window.saved !== undefined")
    head = page.evaluate("async () => [...new Uint8Array(await window.saved.slice(0, 8).arrayBuffer())]")
    assert bytes(head) == b"\x89PNG\r\n\x1a\n"


SAVED = """() => { const make = URL.createObjectURL; window.saved = undefined;
                   URL.createObjectURL = (blob) => make.call(URL, (window.saved = blob)); }"""
"""Playwright's Firefox tells nothing of downloads."""


def test_a_film_of_a_model_without_sound_is_one(page: Any) -> None:
    assert page.evaluate(f"{VIDEO}.srcObject.getAudioTracks().length") == 0
    page.evaluate(SAVED)
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Stop recording").wait_for()
    before = page.evaluate(f"{VIDEO}.currentTime")
    until(page, f"{VIDEO}.currentTime > {before} + 1.5")
    page.get_by_role("button", name="Stop recording").click()
    until(page, "window.saved !== undefined")
    assert page.evaluate("window.saved.type").startswith("video/webm")
    head = page.evaluate("async () => [...new Uint8Array(await window.saved.slice(0, 4).arrayBuffer())]")
    assert bytes(head) == b"\x1aE\xdf\xa3"


def test_a_recorder_that_delivers_nothing_is_told(page: Any) -> None:
    page.evaluate("MediaRecorder.prototype.start = () => {}; MediaRecorder.prototype.stop = () => {}")
    page.get_by_role("button", name="Record", exact=True).click()
    told(page, "The recording failed: the browser's recorder delivers nothing. Nothing was saved.")
    page.get_by_role("button", name="Record", exact=True).wait_for()
    page.reload()
    plays(page)


def test_no_button_of_the_browser_lies_on_the_picture(page: Any) -> None:
    assert page.evaluate(f"{VIDEO}.hasAttribute('disablepictureinpicture')")


def test_the_claim_is_written_while_it_plays(page: Any) -> None:
    """Of 33 tabs that were closed five never ran their last words."""
    claim = page.evaluate("JSON.parse(localStorage.getItem('reactor:claim:'))")
    assert claim["connection"]
    assert claim["left"] is False


def test_scroll_bars_have_the_colours_of_the_scheme(page: Any) -> None:
    colours = "getComputedStyle(document.querySelector('.panelbody')).scrollbarColor"
    assert page.evaluate(colours) != "auto"


# --- its life ---


def test_a_reload_comes_back_to_the_same_session(page: Any, server: Server) -> None:
    card(page, "set_shade").get_by_role("radio", name="light").check()
    until(page, f"{SHADE} > 190")
    page.reload()
    plays(page)
    until(page, f"{SHADE} > 190")
    assert card(page, "set_shade").get_by_role("radio", name="light").is_checked()


def test_stop_and_start(page: Any) -> None:
    page.get_by_role("button", name="Stop", exact=True).click()
    told(page, "The session is stopped.")
    page.locator(".veil button").click()
    plays(page)


def test_who_comes_second_waits_and_plays_when_the_first_has_gone(
    page: Any, browser: Firefox, server: Server
) -> None:
    with tab(browser, server.url) as second:
        second.locator(".veil").get_by_text("Somebody else is playing").wait_for()
        page.get_by_role("button", name="Stop", exact=True).click()
        plays(second)
        second.get_by_role("button", name="Stop", exact=True).click()
        second.locator(".veil").get_by_text("The session is stopped.").wait_for()


def test_an_address_that_asks_for_a_wire_that_is_none_is_told(
    page: Any, browser: Firefox, server: Server
) -> None:
    with tab(browser, f"{server.url}/?wire=quic") as other:
        other.get_by_text("The address asks for the wire “quic”").wait_for()


def test_where_a_tunnel_ends_it_says_which_browser_plays(browser: Firefox) -> None:
    """Firefox makes no TCP connection for media to its own machine."""
    with running("echo", *OPTIONS, "--wire", "tcp") as server, tab(browser, server.url) as page:
        words = page.locator(".veil").get_by_text("open the page in a Chromium-based browser")
        words.wait_for()
        page.wait_for_timeout(500)
        assert words.is_visible(), "what is said stays"
