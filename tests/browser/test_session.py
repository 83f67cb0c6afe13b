"""The life of a visit against a pretended runtime: connecting, failing in words, and coming back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .pages import until

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


def phase(page: Any, name: str) -> None:
    page.locator(f"html[data-phase={name}]").wait_for()


def stage(page: Any, words: str) -> None:
    page.locator(".veil").get_by_text(words).wait_for()


PICTURE = """() => { const video = document.querySelector('video'); const canvas = new OffscreenCanvas(8, 8);
                   const context = canvas.getContext('2d'); context.drawImage(video, 0, 0, 8, 8);
                   return [...context.getImageData(1, 1, 1, 1).data.slice(0, 3)]; }"""
"""The colour of one pixel of the decoded video."""


def test_it_connects_by_itself_and_shows_the_video(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    until(page, "document.querySelector('video').videoWidth === 320")
    assert page.title() == "pretended"
    assert page.locator(".veil").is_hidden()


def test_the_offer_has_a_section_for_each_track_in_order_and_one_channel(open_page: Open) -> None:
    page = open_page(
        "runtime.tracks = [{name: 'a', kind: 'video', direction: 'recvonly'},"
        " {name: 'cam', kind: 'video', direction: 'sendonly'},"
        " {name: 'b', kind: 'audio', direction: 'recvonly'}]"
    )
    phase(page, "live")
    [offer] = page.evaluate("runtime.offers")
    assert offer["method"] == "POST"
    assert offer["client_info"]["sdk_type"] == "page"
    assert offer["track_mapping"] == [
        {"mid": "0", "name": "a", "kind": "video", "direction": "recvonly"},
        {"mid": "1", "name": "cam", "kind": "video", "direction": "sendonly"},
        {"mid": "2", "name": "b", "kind": "audio", "direction": "recvonly"},
    ]
    assert [line.split()[0] for line in offer["sdp_offer"].splitlines() if line.startswith("m=")] == [
        "m=video", "m=video", "m=audio", "m=application"
    ]  # fmt: skip
    assert page.evaluate("runtime.channel.label") == "data"
    assert page.evaluate("runtime.received[0]") == {"type": "ping", "data": {}}


def test_loading_is_waited_for(open_page: Open) -> None:
    page = open_page(
        "runtime.health = {status: 503, body: {code: 'loading', detail: 'Loading.', state: 'CREATED'}};"
    )
    stage(page, "The model is loading")
    page.evaluate("runtime.health = null")
    phase(page, "live")


def test_how_far_loading_is_can_be_seen(open_page: Open) -> None:
    page = open_page(
        "runtime.health = {status: 503, body: {code: 'loading', detail: 'The model is loading.',"
        " state: 'CREATED', progress: 0.4, progress_message: 'Reading weights, 2 of 5.'}};"
    )
    stage(page, "Reading weights, 2 of 5.")
    assert page.get_by_role("progressbar", name="Loading").get_attribute("value") == "0.4"
    page.evaluate("runtime.health = null")
    phase(page, "live")


def test_a_missing_token_is_asked_for(open_page: Open) -> None:
    page = open_page(
        "runtime.start = {status: 401, body: {code: 'token_required', detail: 'A token, please.'}};"
    )
    stage(page, "it ends in ?token=…")
    page.get_by_role("textbox", name="Token").fill("se/cret")
    page.get_by_role("textbox", name="Token").press("Enter")
    page.wait_for_url("**/?token=se%2Fcret")


def test_a_worker_that_does_not_answer_any_more_refuses_nobody(open_page: Open) -> None:
    """The gateway learns of it in a moment, and says then what goes on."""
    lost = "{status: 503, body: {code: 'worker_lost', detail: 'The worker of this session does not answer.'}}"
    page = open_page(f"runtime.start = runtime.health = {lost};")
    until(page, "runtime.requests.filter((each) => each === 'POST /start_session').length > 1")
    assert page.locator("html[data-phase=asking]").is_visible()
    page.evaluate("runtime.start = runtime.health = null")
    phase(page, "live")


def test_a_session_begins_without_asking_for_its_number(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    requests = page.evaluate("runtime.requests")
    assert requests[:2] == ["POST /start_session", "GET ice_servers"]
    # Once it plays, the page looks now and then how the session stands.
    assert "GET /session" not in requests[: requests.index("GET sdp_params")]


def test_a_failed_load_is_shown_with_the_sentence_of_the_server(open_page: Open) -> None:
    page = open_page(
        "runtime.health = {status: 503, body: {code: 'model_load_failed', detail: 'No such file: w.bin.'}};"
    )
    stage(page, "No such file: w.bin.")
    page.get_by_role("status").get_by_text("No such file: w.bin.").wait_for(state="attached")


def test_a_taken_session_is_waited_for(open_page: Open) -> None:
    page = open_page(
        "runtime.start = {status: 409, body: {code: 'session_running', detail: 'No.', state: 'STREAMING'}};"
    )
    stage(page, "Somebody else is playing")
    page.evaluate("runtime.start = null")
    phase(page, "live")


def test_a_taken_session_can_be_watched(open_page: Open) -> None:
    page = open_page("runtime.state = 'STREAMING'; runtime.role = 'viewer';")
    stage(page, "Somebody else is playing")
    page.locator(".veil").get_by_role("button", name="Watch").click()
    phase(page, "live")
    assert page.evaluate("runtime.started") == 0
    assert page.get_by_role("slider").is_disabled()
    page.get_by_role("button", name="Stop").click()
    stage(page, "The session goes on without you.")
    assert page.evaluate("runtime.requests.includes('POST /stop_session')") is False


def test_a_viewer_is_one_again_after_its_connection_was_lost(open_page: Open) -> None:
    page = open_page("runtime.state = 'STREAMING'; runtime.role = 'viewer';")
    page.locator(".veil").get_by_role("button", name="Watch").click()
    phase(page, "live")
    page.evaluate("runtime.hangUp()")
    until(page, "runtime.offers.length === 2 && document.documentElement.dataset.phase === 'live'")
    assert page.evaluate("runtime.offers[1].method") == "PUT"
    page.get_by_text("You are watching; somebody else plays.").wait_for()


def test_control_that_is_lost_can_be_taken_back(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    page.evaluate("runtime.cast('viewer', 'Another client took control.')")
    page.get_by_role("button", name="Take control").click()
    page.get_by_role("slider").press("End")
    until(page, "runtime.value === 1")


def test_after_an_error_the_page_plays_what_was_repaired(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    page.evaluate("runtime.end('error')")
    phase(page, "ended")
    page.evaluate("runtime.boot = 2; dispatchEvent(new Event('online'))")
    phase(page, "live")
    assert page.evaluate("runtime.started") == 2


def test_a_lost_connection_is_made_again_in_the_same_session(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    page.evaluate("runtime.hangUp()")
    until(page, "runtime.offers.length === 2 && document.documentElement.dataset.phase === 'live'")
    assert page.evaluate("runtime.offers[1].method") == "PUT"
    assert page.evaluate("runtime.started") == 1


def test_a_wire_that_breaks_at_once_is_not_hammered(open_page: Open) -> None:
    page = open_page(
        "setInterval(() => runtime.channel?.readyState === 'open' && runtime.hangUp(), 20);"
        "window.at = [];"
        "setInterval(() => at.length < runtime.offers.length && at.push(performance.now()), 5);"
    )
    until(page, "at.length >= 4")
    gaps = page.evaluate("at.slice(1).map((time, index) => time - at[index])")
    assert gaps[1] > 250
    assert gaps[2] > 550


def test_a_server_that_went_away_is_waited_for_and_played_anew(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    page.evaluate("runtime.down = true; runtime.hangUp(); runtime.state = 'READY'")
    stage(page, "The server does not answer")
    page.evaluate("runtime.down = false")
    phase(page, "live")
    assert page.evaluate("runtime.started") == 2


def test_a_picture_that_stands_still_asks_whether_the_server_is_there(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    until(page, "document.querySelector('video').videoWidth > 0")
    # The wire itself says nothing: packets just stop, and so do the answers of the server.
    page.evaluate(
        "runtime.peer.getSenders().forEach((sender) => sender.replaceTrack(null)); runtime.down = true"
    )
    stage(page, "The server does not answer")


def test_a_picture_that_stands_still_because_another_server_answers_begins_anew(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    until(page, "document.querySelector('video').videoWidth > 0")
    page.evaluate(
        "runtime.peer.getSenders().forEach((sender) => sender.replaceTrack(null));"
        "runtime.boot = 2; runtime.state = 'READY'"
    )
    until(page, "runtime.started === 2 && document.documentElement.dataset.phase === 'live'")


@pytest.mark.parametrize(
    ("reason", "words", "button"),
    [
        ("error", "The model stopped with an error", "Start again"),
        ("completed", "The model has finished", "Play again"),
        ("time_cap", "time limit", "Play again"),
        ("replaced", "opened somewhere else", "Play here"),
    ],
)
def test_an_end_says_why_and_can_be_followed_by_another_session(
    open_page: Open, reason: str, words: str, button: str
) -> None:
    page = open_page()
    phase(page, "live")
    page.evaluate(f"runtime.end('{reason}')")
    phase(page, "ended")
    stage(page, words)
    assert page.get_by_role("slider").is_disabled()
    page.locator(".veil").get_by_role("button", name=button).click()
    phase(page, "live")
    assert page.evaluate("runtime.started") == 2


def test_stop_and_start(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    page.get_by_role("button", name="Stop").click()
    stage(page, "The session is stopped.")
    assert page.evaluate("runtime.state") == "READY"
    page.get_by_role("banner").get_by_role("button", name="Start").click()
    phase(page, "live")
    assert page.evaluate("runtime.started") == 2


def test_stop_ends_no_session_of_somebody_else(open_page: Open) -> None:
    page = open_page("runtime.state = 'STREAMING';")
    stage(page, "Somebody else is playing")
    page.get_by_role("button", name="Stop").click()
    phase(page, "ended")
    page.wait_for_timeout(200)
    assert page.evaluate("runtime.state") == "STREAMING"


def test_stop_while_the_session_begins_leaves_none_behind(open_page: Open) -> None:
    page = open_page("runtime.slow = 500;")
    phase(page, "asking")
    page.get_by_role("button", name="Stop").click()
    phase(page, "ended")
    until(page, "runtime.started === 1 && runtime.state === 'READY'")
    assert page.evaluate("runtime.offers.length") == 0


def test_what_was_moved_while_the_wire_was_down_is_sent_when_it_is_back(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    page.evaluate("runtime.slow = 600; runtime.hangUp()")
    phase(page, "lost")
    page.get_by_role("slider").press("End")
    page.get_by_role("alert").filter(has_text="Not connected").wait_for()
    phase(page, "live")
    until(page, "runtime.value === 1")
    page.get_by_role("alert").filter(has_text="Not connected").wait_for(state="hidden")


def test_a_new_session_shows_defaults_again_and_keeps_drafts(open_page: Open) -> None:
    page = open_page(
        "runtime.commands.push({name: 'say', schema: {text: {type: 'string', required: true}}});"
    )
    phase(page, "live")
    page.get_by_role("slider").press("End")
    page.get_by_role("textbox", name="Text").fill("a draft")
    page.evaluate("runtime.end('completed')")
    page.get_by_role("button", name="Play again").click()
    phase(page, "live")
    assert page.get_by_role("slider").input_value() == "0.5"
    assert page.get_by_role("textbox", name="Text").input_value() == "a draft"


def test_a_moved_slider_changes_the_decoded_picture(open_page: Open) -> None:
    page = open_page()
    phase(page, "live")
    until(page, "document.querySelector('video').videoWidth > 0")
    page.get_by_role("slider").press("End")
    until(page, f"({PICTURE})()[0] > 230")
    page.get_by_role("slider").press("Home")
    until(page, f"({PICTURE})()[0] < 30")


def test_the_camera_is_given_and_taken_back(open_page: Open) -> None:
    page = open_page("runtime.tracks.push({name: 'webcam', kind: 'video', direction: 'sendonly'});")
    phase(page, "live")
    page.get_by_role("button", name="Use camera").click()
    page.get_by_label("Preview of Webcam").wait_for()
    received = """runtime.peer.getStats().then((report) =>
        [...report.values()].some((each) => each.type === 'inbound-rtp' && each.framesDecoded > 3))"""
    until(page, received)
    page.evaluate("runtime.hangUp()")
    until(page, "runtime.offers.length === 2 && runtime.peer !== null")
    until(page, received)
    page.get_by_role("button", name="Stop camera").click()
    page.get_by_label("Preview of Webcam").wait_for(state="hidden")


def test_a_refused_camera_is_explained(open_page: Open) -> None:
    page = open_page(
        "runtime.tracks.push({name: 'webcam', kind: 'video', direction: 'sendonly'});"
        "const refusal = new DOMException('no', 'NotAllowedError');"
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(refusal);"
    )
    phase(page, "live")
    page.get_by_role("button", name="Use camera").click()
    page.get_by_role("alert").get_by_text("The camera was refused.").wait_for()


def test_a_wire_that_cannot_be_built_is_explained(open_page: Open) -> None:
    page = open_page(
        """Object.defineProperty(RTCPeerConnection.prototype, 'connectionState', {get: () => 'failed'});
           Object.defineProperty(RTCPeerConnection.prototype, 'iceConnectionState', {get: () => 'failed'});"""
    )
    phase(page, "noroute")
    stage(page, "Tried from this browser: ")
    stage(page, "--webrtc-port-range")
