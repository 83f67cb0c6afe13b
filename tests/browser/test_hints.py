"""What an author says of a parameter beside its type, and what stands around all controls."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .pages import until

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


def declared(name: str, **schema: Any) -> str:
    command = {"name": name, "description": "", "schema": schema}
    return f"runtime.commands.push({json.dumps(command)});"


def ready(page: Any) -> Any:
    page.locator("html[data-phase=live]").wait_for()
    return page


def last(page: Any) -> Any:
    return page.evaluate(
        "runtime.received.filter(({type}) => !['ping', 'watchFrames'].includes(type)).at(-1)?.data"
    )


def sent(page: Any, values: dict[str, Any]) -> None:
    wanted = json.dumps(json.dumps(values, separators=(",", ":")))
    until(page, f"JSON.stringify(runtime.received.filter(({{id}}) => id).at(-1)?.data) === {wanted}")


NUMBER = {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}
SEED = {"type": "integer", "minimum": 0, "maximum": 4294967295, "default": 7, "widget": "seed"}


def test_a_seed_has_a_dice(open_page: Open) -> None:
    page = ready(open_page(declared("set_seed", seed=SEED)))
    page.get_by_role("button", name="Seed: roll the dice").click()
    until(page, "Number.isInteger(runtime.received.filter(({id}) => id).at(-1)?.data.seed)")
    assert 0 <= last(page)["seed"] <= 2**32 - 1
    assert page.get_by_role("spinbutton", name="Seed").input_value() == str(last(page)["seed"])


def test_presets_are_chips_and_a_unit_is_shown(open_page: Open) -> None:
    zoom = {**NUMBER, "presets": [{"label": "near", "value": 0.25}, 1], "unit": "m"}
    page = ready(open_page(declared("set_zoom", zoom=zoom)))
    card = page.locator("[data-command=set_zoom]")
    assert card.locator(".unit").inner_text() == "m"
    card.get_by_role("button", name="near").click()
    sent(page, {"zoom": 0.25})
    card.get_by_role("button", name="1", exact=True).click()
    sent(page, {"zoom": 1})


def test_an_angle_has_a_dial_and_a_colour_a_picker(open_page: Open) -> None:
    angle = {"type": "number", "minimum": 0, "maximum": 360, "default": 0, "widget": "angle"}
    tint = {"type": "string", "default": "#112233", "widget": "color"}
    page = ready(open_page(declared("turn", angle=angle) + declared("paint", tint=tint)))
    box = page.locator(".dial").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    until(page, "Math.abs(runtime.received.filter(({id}) => id).at(-1)?.data.angle - 90) < 5")
    assert page.get_by_label("Tint, picker").input_value() == "#112233"


def test_two_numbers_are_a_place_and_hidden_ones_are_sent_unseen(open_page: Open) -> None:
    place = {"type": "array", "prefixItems": [NUMBER, NUMBER], "default": [0.5, 0.5], "widget": "xy"}
    version = {"type": "integer", "default": 3, "widget": "hidden"}
    page = ready(open_page(declared("aim", place=place, version=version)))
    box = page.locator("[data-command=aim] .pad").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25)
    until(page, "runtime.received.filter(({id}) => id).at(-1)?.data.version === 3")
    x, y = last(page)["place"]
    assert 0.7 < x < 0.8
    assert 0.7 < y < 0.8
    assert page.get_by_label("Version").is_hidden()


def test_groups_and_order_and_what_is_not_known(open_page: Open) -> None:
    page = ready(
        open_page(
            declared(
                "look",
                last=NUMBER,
                first={**NUMBER, "order": 1},
                odd={**NUMBER, "order": 2, "widget": "hologram", "group": "Camera", "presets": 7, "unit": {}},
            )
        )
    )
    card = page.locator("[data-command=look]")
    labels = card.locator("label.label").all_inner_texts()
    assert labels == ["First", "Odd", "Last"]
    assert card.locator("fieldset.section legend").inner_text() == "Camera"
    assert card.locator("fieldset.section").get_by_role("slider").count() == 1


def test_a_prompt_lies_below_the_picture_and_remembers(open_page: Open) -> None:
    page = ready(open_page(declared("set_prompt", prompt={"type": "string", "required": True})))
    entry = page.locator(".dock textarea")
    for text in ("a red house", "a blue house"):
        entry.fill(text)
        entry.press("Enter")
        sent(page, {"prompt": text})
        entry.fill("")
    entry.press("ArrowUp")
    assert entry.input_value() == "a blue house"
    entry.press("ArrowUp")
    assert entry.input_value() == "a red house"
    entry.press("ArrowDown")
    entry.press("ArrowDown")
    assert entry.input_value() == ""
    entry.fill("line\n" * 6)
    assert int(entry.get_attribute("rows")) >= 6


def test_a_number_is_scrubbed_and_reset_by_its_label(open_page: Open) -> None:
    page = ready(open_page(declared("look", near=NUMBER, far=NUMBER)))
    label = page.locator("[data-command=look] label", has_text="Near")
    box = label.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 35, box["y"] + 5, steps=4)
    page.mouse.up()
    until(page, "runtime.received.filter(({id}) => id).at(-1)?.data.near === 0.6")
    label.dblclick()
    sent(page, {"near": 0.5, "far": 0.5})


def test_everything_is_reset_or_in_a_link(open_page: Open, new_page: Any, files: str, pretended: str) -> None:
    page = ready(open_page())
    page.get_by_role("slider").press("End")
    until(page, "runtime.value === 1")
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_role("log").get_by_text("#%7B").inner_text().split(": ", 1)[1]
    page.get_by_role("button", name="Reset all").click()
    until(page, "runtime.value === 0.5")
    other = new_page(script=pretended)
    other.goto(link)
    ready(other)
    until(other, "runtime.value === 1")
    assert other.get_by_role("spinbutton").input_value() == "1"
    assert "#" not in other.url


def test_a_link_that_makes_no_sense_changes_nothing(new_page: Any, files: str, pretended: str) -> None:
    page = new_page(script=pretended)
    page.goto(f"{files}/#%7B%22a%22:1")
    ready(page)
    assert page.get_by_role("spinbutton").input_value() == "0.5"


def test_four_commands_that_are_directions_have_the_keys(open_page: Open) -> None:
    held = {"type": "boolean", "default": False}
    ways = ("forward", "back", "left", "right")
    page = ready(open_page("".join(declared(f"move_{way}", on=held) for way in ways)))
    page.keyboard.down("KeyA")
    until(page, "runtime.received.at(-1)?.type === 'move_left' && runtime.received.at(-1).data.on === true")
    page.keyboard.up("KeyA")
    until(page, "runtime.received.at(-1)?.type === 'move_left' && runtime.received.at(-1).data.on === false")


def test_a_held_key_moves_a_slider_once_and_then_repeats(open_page: Open) -> None:
    page = ready(open_page())
    page.locator("[data-command=set_brightness]").hover()
    page.locator("[data-command=set_brightness]").get_by_role("button", name="keys").click()
    page.get_by_role("button", name="Key for Brightness more").click()
    page.keyboard.press("KeyM")
    page.locator(".veil").wait_for(state="hidden")
    moved = page.evaluate(
        """async () => { const { Holds } = await import('/web/core/holds.js');
            const puts = []; let value = 0.5;
            const field = { name: 'a', step: 0.01, from: 0, to: 1 };
            const holds = new Holds({ targetOf: () => ({ does: 'step', sign: 1, command: 'c', field }) },
                { get: () => value, put: (_, values) => (value = values.a, puts.push(performance.now())) });
            holds.press('KeyM'); await new Promise((done) => setTimeout(done, 250));
            const once = puts.length; await new Promise((done) => setTimeout(done, 600));
            holds.release('KeyM'); const many = puts.length;
            await new Promise((done) => setTimeout(done, 200));
            return [once, many, puts.length]; }"""
    )
    assert moved[0] == 1
    assert moved[1] >= 3
    assert moved[2] == moved[1]


def test_the_mouse_moves_a_pair_of_angles_as_in_games(open_page: Open) -> None:
    turn = {"type": "number", "minimum": -180, "maximum": 180, "default": 0}
    page = ready(open_page(declared("look", yaw=turn, pitch=turn)))
    page.get_by_role("button", name="Mouse look").click()
    until(page, "document.pointerLockElement?.className.includes('play')")
    page.evaluate(
        "document.pointerLockElement.dispatchEvent("
        "new MouseEvent('mousemove', { movementX: 100, movementY: -50 }))"
    )
    until(page, "runtime.received.filter(({id}) => id).at(-1)?.data.yaw > 20")
    assert last(page)["pitch"] > 10
    page.evaluate("document.exitPointerLock()")


def test_the_last_command_is_shown_part_by_part(open_page: Open) -> None:
    page = ready(open_page())
    page.get_by_role("tab", name="Statistics").click()
    shown = page.evaluate(
        """async () => { const { Photon } = await import('/web/core/photon.js'); const found = [];
            const photon = new Photon((ms, parts) => found.push([ms, parts]));
            photon.sent('c1', 100); photon.replied('c1', 10);
            photon.frameTime({ id: 'c1', track: 'a', rtp_timestamp: 9000 }, 130);
            photon.displayed('a', 9000, 160, { receiveTime: 140, processingDuration: 0.005 });
            photon.sent('c2', 100); photon.replied('c2', 10);
            photon.frameTime({ id: 'c2', track: 'a', rtp_timestamp: 9500, encode_ms: 6 }, 130);
            photon.displayed('a', 9500, 160, { receiveTime: 140, processingDuration: 0.005 });
            photon.sent('c3', 100); photon.replied('c3', 10);
            const made = { encode_ms: 6, queue_ms: 8 };
            photon.frameTime({ id: 'c3', track: 'a', rtp_timestamp: 9900, ...made }, 130, 4);
            photon.displayed('a', 9900, 160, { receiveTime: 140, processingDuration: 0.005 });
            return found; }"""
    )
    told_apart = {"handler": 10, "step": 14, "queue": 0, "encode": 6, "network": 10, "decode": 5, "show": 15}
    # The reply and the word of the frame were under way for 4 ms each, which is the network's.
    far_away = {"handler": 6, "step": 6, "queue": 8, "encode": 6, "network": 14, "decode": 5, "show": 15}
    assert shown == [
        [60, {"handler": 10, "frame": 20, "network": 10, "decode": 5, "show": 15}],
        [60, told_apart],
        [60, far_away],
    ]
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as JSON").click()
    kept = json.loads(download.value.path().read_text())
    assert kept.keys() == {"commands", "seconds"}


def test_a_freeze_is_named_with_its_cause(open_page: Open) -> None:
    page = ready(open_page())
    said = page.evaluate(
        """async () => { const { Freezes } = await import('/web/core/freezes.js'); const said = [];
            const freezes = new Freezes((text) => said.push(text));
            freezes.still(1000, { frames: 7 }); freezes.still(1000, { frames: 7 }); freezes.moves(4000);
            freezes.still(5000, { frames: 7 }); freezes.still(5000, { frames: 9 }); freezes.moves(8000);
            const sent = (count) => [{ frames_skipped: count }, {}];
            const skipped = (count) => ({ frames: count, clients: [{ outbound: sent(count) }] });
            freezes.still(1000, skipped(3)); freezes.still(1000, skipped(9)); freezes.moves(4000);
            return said; }"""
    )
    assert said == [
        "The picture stood still for 3.0 s. The model's step took that long.",
        "The picture stood still for 3.0 s. The model goes on: its pictures did not get through the network.",
        "The picture stood still for 3.0 s. The encoder does not follow: it left pictures out."
        " Smaller or fewer ones would pass.",
    ]


def test_a_number_key_chooses_the_main_track_and_theatre_hides_the_rest(open_page: Open) -> None:
    tracks = [{"name": name, "kind": "video", "direction": "recvonly"} for name in ("front", "rear", "top")]
    page = ready(open_page(f"runtime.tracks = {json.dumps(tracks)};"))
    assert page.locator("figure.large video").get_attribute("data-track") == "front"
    page.keyboard.press("2")
    assert page.locator("figure.large video").get_attribute("data-track") == "rear"
    page.get_by_role("button", name="Grid").click()
    assert page.locator("figure.large").count() == 0
    page.get_by_role("button", name="Theatre").click()
    assert page.locator(".panel").is_hidden()
    page.get_by_role("button", name="Theatre").click()
    assert page.locator(".panel").is_visible()


def test_messages_fold_away_and_stay_so(open_page: Open) -> None:
    page = ready(open_page())
    page.get_by_role("button", name="Messages and statistics").click()
    assert page.get_by_text("What the model sends appears here.").is_hidden()
    page.reload()
    ready(page)
    assert page.get_by_text("What the model sends appears here.").is_hidden()
    page.get_by_role("button", name="Messages and statistics").click()
    assert page.get_by_text("What the model sends appears here.").is_visible()


@pytest.mark.parametrize("page_size", [(390, 844), (1440, 900)], ids=str)
def test_a_hidden_legend_makes_no_blank_to_scroll_into(open_page: Open, page_size: tuple[int, int]) -> None:
    item = {
        "type": "array",
        "items": {"type": "array", "items": {"type": "integer"}},
        "default": [[1], [2], [3]],
    }
    width, height = page_size
    page = ready(
        open_page("".join(declared(f"grid_{i}", rows=item) for i in range(8)), width=width, height=height)
    )
    app = page.locator(".app").bounding_box()["height"]
    assert page.evaluate("document.documentElement.scrollHeight") <= max(height, round(app)) + 1


def test_a_recording_of_a_model_without_sound_names_no_sound(open_page: Open) -> None:
    page = ready(
        open_page(
            "window.asked = []; const Real = MediaRecorder; window.MediaRecorder = class extends Real {"
            " constructor(stream, options) { asked.push(options.mimeType); super(stream, options); } };"
            " MediaRecorder.isTypeSupported = (type) => Real.isTypeSupported(type);"
        )
    )
    until(page, "document.querySelector('video').videoWidth > 0")
    page.get_by_role("button", name="Record").click()
    until(page, "asked.length > 0")  # what records is loaded when it is asked for
    [asked] = page.evaluate("asked")
    assert "opus" not in asked
    assert "mp4a" not in asked
    page.get_by_role("button", name="Stop recording").click()


def test_a_recorder_that_delivers_nothing_is_told(open_page: Open) -> None:
    page = ready(
        open_page("MediaRecorder.prototype.start = () => {}; MediaRecorder.prototype.stop = () => {};")
    )
    until(page, "document.querySelector('video').videoWidth > 0")
    page.get_by_role("button", name="Record").click()
    page.get_by_text("The recording failed: the browser's recorder delivers nothing.").wait_for()
    assert page.get_by_role("button", name="Record", exact=True).is_visible()
