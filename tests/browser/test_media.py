"""What is seen, heard and measured, as files and as numbers. Against a pretended runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .pages import until
from .server import live

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


@pytest.fixture
def open_page(open_page: Open) -> Open:
    def open_(script: str = "", **more: Any) -> Any:
        page = open_page(script, **more)
        live(page)
        return page

    return open_


def test_a_snapshot_is_a_png_of_the_whole_picture(open_page: Open) -> None:
    page = open_page()
    with page.expect_download() as started:
        page.get_by_role("button", name="Snapshot").click()
    assert started.value.suggested_filename.startswith("pretended-")
    content = started.value.path().read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (320, 180)


def test_what_is_seen_becomes_a_film_across_a_reconnection(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="Record").click()
    page.evaluate("runtime.hangUp()")
    until(page, "runtime.offers.length === 2 && document.documentElement.dataset.phase === 'live'")
    frames = page.evaluate("document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames")
    until(
        page,
        f"document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > {min(frames, 5)} + 10",
    )
    with page.expect_download() as started:
        page.get_by_role("button", name="Stop recording").click()
    content = started.value.path().read_bytes()
    assert len(content) > 1_000
    assert content[:4] == b"\x1aE\xdf\xa3" or content[4:8] == b"ftyp"


def test_sound_has_a_volume_that_is_kept(open_page: Open) -> None:
    page = open_page("runtime.tracks.push({name: 'voice', kind: 'audio', direction: 'recvonly'});")
    page.get_by_role("slider", name="Volume").fill("0.4")
    page.get_by_role("button", name="Mute").click()
    assert page.evaluate("document.querySelector('video').muted")
    page.get_by_role("button", name="Sound on").click()
    until(page, "!document.querySelector('video').muted && document.querySelector('video').volume === 0.4")
    page.reload()
    page.locator("html[data-phase=live]").wait_for()
    assert page.get_by_role("slider", name="Volume").input_value() == "0.4"


def test_refused_sound_waits_for_a_tap_and_the_picture_does_not(open_page: Open) -> None:
    page = open_page(
        """runtime.tracks.push({name: 'voice', kind: 'audio', direction: 'recvonly'});
           const play = HTMLMediaElement.prototype.play;
           window.tapped = false;
           HTMLMediaElement.prototype.play = function () {
             const refused = !this.muted && !window.tapped;
             return refused ? Promise.reject(new DOMException('no', 'NotAllowedError')) : play.call(this);
           };"""
    )
    tap = page.get_by_role("button", name="Tap for sound")
    tap.wait_for()
    until(page, "document.querySelector('video').currentTime > 0")
    page.evaluate("window.tapped = true")
    tap.click()
    tap.wait_for(state="hidden")
    assert not page.evaluate("document.querySelector('video').muted")


def test_the_microphone_shows_its_level_and_devices(open_page: Open) -> None:
    page = open_page("runtime.tracks.push({name: 'voice_in', kind: 'audio', direction: 'sendonly'});")
    page.get_by_role("button", name="Use microphone").click()
    page.get_by_label("Level of Voice in").wait_for()
    until(page, "document.querySelector('meter').value > 0")  # Chromium's pretended microphone beeps
    page.get_by_role("combobox", name="Choose the microphone").wait_for()
    page.get_by_role("button", name="Stop microphone").click()
    page.get_by_label("Level of Voice in").wait_for(state="hidden")


CAMERA_IN = "runtime.tracks.push({name: 'webcam', kind: 'video', direction: 'sendonly'});"
TRACK = "document.querySelector('[data-input=webcam] video').srcObject?.getTracks()[0]"


def test_a_camera_that_is_unplugged_goes_on_when_it_is_back(open_page: Open) -> None:
    page = open_page(CAMERA_IN)
    page.get_by_role("button", name="Use camera").click()
    page.get_by_label("Preview of Webcam").wait_for()
    page.evaluate(
        """() => { const all = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
                   window.there = false;
                   navigator.mediaDevices.enumerateDevices = async () => window.there ? all() : []; }"""
    )
    page.evaluate(f"{TRACK}.dispatchEvent(new Event('ended'))")
    page.get_by_role("alert").get_by_text("The camera was unplugged. It goes on by itself when").wait_for()
    page.get_by_role("button", name="Use camera").wait_for()
    plugged = "navigator.mediaDevices.dispatchEvent(new Event('devicechange'))"
    page.evaluate(plugged)  # something else was plugged in
    page.wait_for_timeout(150)
    assert page.get_by_role("button", name="Use camera").is_visible()
    page.evaluate(f"window.there = true; {plugged}")
    page.get_by_role("button", name="Stop camera").wait_for()
    assert page.evaluate(f"{TRACK}.readyState") == "live"
    assert page.get_by_role("alert").get_by_text("unplugged").count() == 0


def test_a_camera_that_a_person_took_back_stays_off(open_page: Open) -> None:
    page = open_page(CAMERA_IN)
    page.get_by_role("button", name="Use camera").click()
    page.get_by_label("Preview of Webcam").wait_for()
    page.evaluate(f"{TRACK}.dispatchEvent(new Event('ended'))")  # by the browser: it is listed still
    page.get_by_role("alert").get_by_text("The camera was switched off.").wait_for()
    page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    page.wait_for_timeout(150)
    assert page.get_by_role("button", name="Use camera").is_visible()


def test_stopping_switches_the_camera_off(open_page: Open) -> None:
    page = open_page(CAMERA_IN)
    page.get_by_role("button", name="Use camera").click()
    page.get_by_label("Preview of Webcam").wait_for()
    page.evaluate(f"window.given = {TRACK}")
    page.get_by_role("button", name="Stop", exact=True).click()
    until(page, "given.readyState === 'ended'")


def test_a_screen_is_shared_and_taken_back(open_page: Open) -> None:
    page = open_page(CAMERA_IN)
    page.get_by_role("button", name="Share screen").click()
    page.get_by_label("Preview of Webcam").wait_for()
    assert page.evaluate(f"{TRACK}.contentHint") == "detail"
    until(page, "runtime.peer.getReceivers().some(({ track }) => track.kind === 'video' && !track.muted)")
    page.evaluate(f"{TRACK}.dispatchEvent(new Event('ended'))")  # the browser's own "Stop sharing"
    page.get_by_role("button", name="Share screen").wait_for()
    assert page.get_by_label("Preview of Webcam").is_hidden()
    assert page.get_by_role("alert").count() == 0  # they did it themselves: nothing is wrong


def test_a_screen_takes_the_place_of_the_camera(open_page: Open) -> None:
    page = open_page(CAMERA_IN)
    page.get_by_role("button", name="Use camera").click()
    page.get_by_label("Preview of Webcam").wait_for()
    page.evaluate(f"window.camera = {TRACK}")
    page.get_by_role("button", name="Share screen").click()
    until(page, f"camera.readyState === 'ended' && {TRACK}.readyState === 'live'")
    page.get_by_role("button", name="Stop screen").click()
    page.get_by_role("button", name="Use camera").wait_for()


def test_a_refused_screen_is_explained(open_page: Open) -> None:
    page = open_page(
        f"{CAMERA_IN} navigator.mediaDevices.getDisplayMedia = () =>"
        " Promise.reject(new DOMException('no', 'NotAllowedError'));"
    )
    page.get_by_role("button", name="Share screen").click()
    page.locator(".inputs").get_by_text("The screen was refused.").wait_for()


def test_full_screen_is_the_picture_and_ends_again(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="Full screen").click()
    until(page, "document.fullscreenElement?.className === 'stage'")
    until(page, "document.querySelector('.view').clientWidth === innerWidth")
    assert page.get_by_role("button", name="Snapshot").is_visible()
    page.locator("video").first.dblclick()
    until(page, "document.fullscreenElement === null")
    page.locator("video").first.dblclick()
    until(page, "document.fullscreenElement !== null")


def test_statistics_are_charts_of_what_happens(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="Statistics").click()
    page.locator(".charts").wait_for()
    page.get_by_role("slider").first.press("End")
    until(page, r"/Command to reply\n\d+ ms/.test(document.querySelector('.charts').innerText)")
    until(page, r"/Frame rate\n\d+ fps/.test(document.querySelector('.charts').innerText)")
    until(page, r"/^320×180 · \d+(\.\d)? fps/.test(document.querySelector('.facts').innerText)")
    assert "Command to picture\n–" in page.locator(".charts").inner_text()  # this server does not tell


def test_the_schema_can_be_read(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="Messages").press("ArrowLeft")
    assert '"set_brightness"' in page.get_by_label("Declared commands and tracks").inner_text()


PHOTON = "const { Photon, atOrAfter } = await import('/web/core/photon.js');"


@pytest.mark.parametrize(
    ("script", "measured"),
    [
        # The word comes before the frame,
        (
            "p.sent('c1', 100); p.frameTime(word); p.displayed('v', 999, 110); p.displayed('v', 1000, 130)",
            [30],
        ),
        # or after it;
        (
            "p.displayed('v', 999, 90); p.sent('c1', 100); p.displayed('v', 1001, 140); p.frameTime(word)",
            [40],
        ),
        # never from another track, or for a command that was not ours, or where the frame is forgotten.
        ("p.sent('c1', 100); p.frameTime(word); p.displayed('other', 1000, 130)", []),
        ("p.frameTime(word); p.displayed('v', 1000, 130)", []),
        ("p.displayed('v', 1001, 90); p.sent('c1', 100); p.frameTime(word)", []),
        # RTP time begins again at 0.
        (
            "p.sent('c1', 100); p.frameTime({ ...word, rtp_timestamp: 4294967290 });"
            "p.displayed('v', 4294960000, 110); p.displayed('v', 5, 150)",
            [50],
        ),
    ],
)
def test_from_a_command_to_its_picture(new_page: Any, files: str, script: str, measured: list[int]) -> None:
    page = new_page()
    page.goto(f"{files}/blank")
    told = page.evaluate(
        f"async () => {{ {PHOTON} const told = []; const p = new Photon((ms) => told.push(ms));"
        f" const word = {{ id: 'c1', track: 'v', frame: 7, rtp_timestamp: 1000 }}; {script}; return told; }}"
    )
    assert told == measured
