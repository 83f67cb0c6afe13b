"""Files for commands, from a person's disk to the model's method. Real server, real model."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from .pages import until
from .server import live

pytestmark = [pytest.mark.browser, pytest.mark.wire]

OPTIONS = ("--max-upload", "1")
MODEL = """
import hashlib

import numpy as np
from reactor_runtime import UploadedFile, VideoModel, command, get_ctx, model


@model("files")
class Files(VideoModel):
    @command("style")
    def style(self, picture: UploadedFile, mask: UploadedFile | None = None, name: str = "x"):
        told = hashlib.sha256(picture.read_bytes()).hexdigest()[:8]
        return [picture.name, picture.mime_type, picture.size, told, mask and mask.name]

    @command("several")
    def several(self, pictures: list[UploadedFile]):
        return [picture.name for picture in pictures]

    def start_session(self):
        while not get_ctx().wait_stop(1 / 10):
            get_ctx().get_track().emit(np.zeros((240, 320, 3), np.uint8))
"""
PICTURE = {"name": "ein Bild.png", "mimeType": "image/png", "buffer": b"\x89PNG" + bytes(200_000)}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "model.py").write_text(MODEL)
    return folder


def test_a_file_reaches_the_model_whole(page: Any) -> None:
    style = page.locator("[data-command=style]")
    send = style.get_by_role("button", name="Send")
    assert send.is_disabled()
    assert style.get_by_text("needs picture").is_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    style.get_by_label("Picture", exact=True).set_input_files(PICTURE)
    send.click()
    told = hashlib.sha256(PICTURE["buffer"]).hexdigest()[:8]  # type: ignore[arg-type]  # the bytes of it
    log = page.get_by_role("log")
    log.get_by_text(f'→ ["ein Bild.png","image/png",200004,"{told}",null]', exact=True).wait_for()
    style.get_by_role("checkbox", name="Mask: give a value").check()
    style.get_by_label("Mask", exact=True).set_input_files(PICTURE | {"name": "mask.png"})
    send.click()
    log.get_by_text(f'→ ["ein Bild.png","image/png",200004,"{told}","mask.png"]', exact=True).wait_for()
    # What the session has already is not sent again.
    assert len([each for each in asked if each.startswith("PUT ")]) == 2


def test_files_in_a_list(page: Any) -> None:
    several = page.locator("[data-command=several]")
    for number in (1, 2):
        several.get_by_role("button", name="Add").click()
        several.locator("input[type=file]").last.set_input_files(PICTURE | {"name": f"{number}.png"})
    several.get_by_role("button", name="Send").click()
    page.get_by_role("log").get_by_text('→ ["1.png","2.png"]', exact=True).wait_for()


def test_a_file_that_cannot_be_taken_is_explained(page: Any) -> None:
    style = page.locator("[data-command=style]")
    choose = style.get_by_label("Picture", exact=True)
    choose.set_input_files(PICTURE | {"buffer": b""})
    assert style.get_by_text("must not be empty").is_visible()
    assert style.get_by_role("button", name="Send").is_disabled()
    choose.set_input_files(PICTURE | {"buffer": bytes(2**20 + 1)})
    style.get_by_role("button", name="Send").click()
    style.get_by_role("alert").get_by_text("MiB").wait_for()


GIVEN = """(name) => { const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(300_000)], name, { type: 'image/png' }));
    const how = { dataTransfer: data, clipboardData: data, bubbles: true, cancelable: true };
    const zone = document.querySelector('[data-command=style] .drop');
    if (name === 'pasted.png') return void document.body.dispatchEvent(new ClipboardEvent('paste', how));
    zone.dispatchEvent(new DragEvent('dragover', how));
    window.over = zone.matches('.over');
    zone.dispatchEvent(new DragEvent('drop', how)); }"""


def test_a_file_is_dropped_or_pasted_and_a_bar_shows_how_much_has_gone(page: Any) -> None:
    style = page.locator("[data-command=style]")
    page.evaluate(
        """() => { window.bars = []; const bar = document.querySelector('[data-command=style] progress');
             const look = () => bars.push(bar.hidden ? null : bar.value);
             new MutationObserver(look).observe(bar, { attributes: true }); }"""
    )
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    for name in ("dropped.png", "pasted.png"):
        page.evaluate(GIVEN, name)
        style.get_by_role("button", name="Send").click()
        page.get_by_role("log").get_by_text(f'→ ["{name}","image/png",300000').wait_for()
    assert page.evaluate("over") is True
    assert page.locator(".drop.over").count() == 0
    shares = page.evaluate("bars")
    assert 0 in shares
    assert any(share for share in shares)  # and then more
    assert shares[-1] is None  # over: nothing is left of it


def test_a_bar_does_not_stay_behind_a_file_that_was_refused(page: Any) -> None:
    style = page.locator("[data-command=style]")
    page.route(
        "**/uploads/*", lambda route: route.fulfill(status=503, json={"detail": "No room on the disk."})
    )
    style.get_by_label("Picture", exact=True).set_input_files(PICTURE)
    style.get_by_role("button", name="Send").click()
    style.get_by_role("alert").get_by_text("No room on the disk.").first.wait_for()
    assert style.get_by_role("progressbar").count() == 0


def test_what_has_no_file_leaves_at_once(page: Any) -> None:
    """A page that goes away lets go of its keys, and has no time to wait for anything."""
    waiting = page.evaluate(
        """async () => {
            const { holdsFile } = await import('/web/core/uploads.js');
            const file = new File(['x'], 'x');
            return [{}, { x: 1, y: [null, 'a'] }, { x: file }, { x: [{ y: file }] }].map(holdsFile);
        }"""
    )
    assert waiting == [False, False, True, True]


def test_a_new_session_gets_the_file_anew(page: Any) -> None:
    style = page.locator("[data-command=style]")
    style.get_by_label("Picture", exact=True).set_input_files(PICTURE)
    style.get_by_role("button", name="Send").click()
    replies = page.get_by_role("log").get_by_text("ein Bild.png")
    replies.wait_for()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator(".veil").get_by_role("button", name="Start").click()
    live(page)
    page.get_by_role("button", name="Clear").click()
    until(page, "document.querySelectorAll('.lines li').length === 0")
    style.get_by_role("button", name="Send").click()
    replies.wait_for()
