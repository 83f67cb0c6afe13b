"""The page in twelve states, at four sizes, light and dark, to be looked at: `scripts/screenshots FOLDER`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from tests.chromium import find_chromium, launched
from tests.sites import serving

from .conftest import FLAGS, Files
from .pages import HERE
from .server import Server, live

EXAMPLES = HERE.parents[1] / "examples"
SIZES = [(390, 844), (844, 390), (1440, 900), (2560, 1440)]
SCHEMES = ("dark", "light")
KEPT_WIDTH = 640
KEPT_BYTES = 60_000
SHEET_WIDTHS = (180, 390, 420, 480)
SETTLE_MS = 250
FLEET = '<meta name="reactor-fleet" content="">'
NO_PICTURE = """
const capture = HTMLCanvasElement.prototype.captureStream;
HTMLCanvasElement.prototype.captureStream = () => {
  const empty = document.createElement("canvas");
  empty.getContext("2d");
  return capture.call(empty, 0);
};"""
IN_LINE = """
const place = { ticket: "t", state: "waiting", position: 2, eta_s: 40 };
const others = window.fetch;
window.fetch = async (url, given) => (String(url).includes("/tickets")
  ? new Response(JSON.stringify(place), { status: 201, headers: { "Content-Type": "application/json" } })
  : others(url, given));
window.EventSource = class extends EventTarget { close() {} };"""
THREE = """
runtime.tracks = ["main_video", "depth", "normals"]
  .map((name) => ({ name, kind: "video", direction: "recvonly" }));"""


@dataclass(frozen=True)
class State:
    """One thing a visitor may see. `kept` is which size and scheme of it stands in the documentation."""

    name: str
    open: Callable[[Rig], Any]
    kept: tuple[int, str] = (1440, "dark")


class Rig:
    """A browser, the page's files with a pretended runtime, and real servers as they are asked for."""

    def __init__(self, browser: Any, files: str, stack: ExitStack) -> None:
        self.browser, self.files, self._stack = browser, files, stack
        self._servers: dict[Path, Server] = {}

    def page(self, script: str | None = None) -> Any:
        context = self.browser.new_context(permissions=["camera", "microphone"], color_scheme="dark")
        self._stack.callback(context.close)
        if script is not None:
            context.add_init_script(f"{(HERE / 'pretended_runtime.js').read_text()}\n{script}")
        return context.new_page()

    def pretended(self, script: str, phase: str, fleet: bool = False) -> Any:
        page = self.page(script)
        if fleet:
            page.route(f"{self.files}/", _as_a_fleet)
        page.goto(self.files)
        self.reach(page, phase)
        return page

    def server(self, project: Path) -> Server:
        if project not in self._servers:
            server = self._servers[project] = Server(project)
            server.start()
            self._stack.callback(server.kill)
        return self._servers[project]

    def played(self, project: Path, phase: str = "live") -> Any:
        """A page in front of a real model, whose session begins with it."""
        server = self.server(project)
        page = self.page()
        server.stop_session(page)
        page.goto(server.url)
        if phase == "live":
            live(page)
        else:
            self.reach(page, phase)
        return page

    def reach(self, page: Any, phase: str) -> None:
        page.locator(f"html[data-phase={phase}]").wait_for(timeout=30_000)


def _as_a_fleet(route: Any) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("<head>", f"<head>{FLEET}", 1))


def _loading(rig: Rig) -> Any:
    told = {"code": "loading", "detail": "", "state": "CREATED", "progress": 0.4}
    body = {**told, "progress_message": "Reading weights, 2 of 5."}
    return rig.pretended(f"runtime.health = {json.dumps({'status': 503, 'body': body})};", "loading")


def _waiting(rig: Rig) -> Any:
    page = rig.pretended(NO_PICTURE, "waiting")
    page.locator(".veil").get_by_text("Waiting for the model's first picture").wait_for()
    return page


def _live(rig: Rig) -> Any:
    return rig.played(EXAMPLES / "playground")


def _tracks(rig: Rig) -> Any:
    page = rig.pretended(THREE, "live")
    page.locator("figure video").nth(2).wait_for()
    return page


def _theatre(rig: Rig) -> Any:
    page = _live(rig)
    page.get_by_role("button", name="Theatre").click()
    return page


def _camera(rig: Rig) -> Any:
    page = rig.played(HERE / "waiting", "waiting")
    page.locator(".veil").get_by_role("button", name="Use camera").wait_for()
    return page


def _failed(rig: Rig) -> Any:
    detail = "FileNotFoundError: No such file or directory: 'weights/model.safetensors'"
    body = {"status": "failed", "code": "model_load_failed", "state": "TERMINATED", "detail": detail}
    return rig.pretended(f"runtime.health = {json.dumps({'status': 503, 'body': body})};", "failed")


def _crashed(rig: Rig) -> Any:
    page = _camera(rig)
    page.locator(".veil").get_by_role("button", name="Use camera").click()
    live(page)
    page.locator("[data-command=fail]").get_by_role("textbox").fill("crash")
    page.locator("[data-command=fail]").get_by_role("textbox").press("Enter")
    page.locator(".veil").get_by_text("ValueError: as asked").first.wait_for()
    return page


def _gone(rig: Rig) -> Any:
    page = _live(rig)
    rig.server(EXAMPLES / "playground").kill()
    rig.reach(page, "gone")
    return page


def _ended(rig: Rig) -> Any:
    page = _live(rig)
    page.get_by_role("button", name="Stop", exact=True).click()
    rig.reach(page, "ended")
    return page


def _queued(rig: Rig) -> Any:
    return rig.pretended(IN_LINE, "queued", fleet=True)


def _sharing(rig: Rig) -> Any:
    page = _live(rig)
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_alt_text("QR code of the link").wait_for()
    return page


Shot = tuple[State, int, str, Path]
STATES = (
    State("loading", _loading),
    State("waiting", _waiting, (1440, "light")),
    State("live", _live),
    State("tracks", _tracks, (1440, "light")),
    State("theatre", _theatre, (844, "dark")),
    State("camera", _camera, (390, "dark")),
    State("failed", _failed, (390, "light")),
    State("crash", _crashed),
    State("ended", _ended, (1440, "light")),
    State("queue", _queued, (390, "dark")),
    State("share", _sharing, (390, "light")),
    State("lost", _gone, (2560, "dark")),  # the last: its server is killed
)


def shots(rig: Rig, folder: Path, states: tuple[State, ...] = STATES) -> Iterator[Shot]:
    """Takes each state at all sizes and in both schemes."""
    for state in states:
        page = state.open(rig)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_timeout(SETTLE_MS)  # fades and growing fields are at rest
                file = folder / f"{state.name}-{width}-{scheme}.png"
                page.screenshot(path=file)
                yield state, width, scheme, file
        page.close()


def keep(file: Path, to: Path) -> None:
    """A small copy, as good as its limit of bytes allows."""
    with Image.open(file) as image:
        small = image.convert("RGB")
        small.thumbnail((KEPT_WIDTH, KEPT_WIDTH), Image.Resampling.LANCZOS)
        for quality in (85, 75, 60, 45):
            small.save(to, "WEBP", quality=quality, method=6)
            if to.stat().st_size < KEPT_BYTES:
                return
    raise AssertionError(f"{to} is too large")


def sheet(files: list[Path], to: Path) -> None:
    """All shots of one state on one picture."""
    pictures = []
    for file in files:
        with Image.open(file) as image:
            small = image.convert("RGB")
            small.thumbnail((SHEET_WIDTHS[SIZES.index(image.size)], KEPT_WIDTH), Image.Resampling.LANCZOS)
            pictures.append(small)
    rows = [pictures[: len(SIZES)], pictures[len(SIZES) :]]
    heights = [max(each.height for each in row) + 6 for row in rows]
    whole = Image.new("RGB", (max(sum(each.width + 6 for each in row) for row in rows), sum(heights)), "gray")
    for number, row in enumerate(rows):
        left = 0
        for each in row:
            whole.paste(each, (left, sum(heights[:number])))
            left += each.width + 6
    whole.save(to)


@contextmanager
def rigged() -> Iterator[Rig]:
    chromium = find_chromium()
    assert chromium, "No Chromium here: install Debian's chromium or set CHROMIUM= to a browser."
    with serving(Files) as port, launched(chromium, *FLAGS) as browser, ExitStack() as stack:
        yield Rig(browser, f"http://127.0.0.1:{port}", stack)


def main(folder: Path, kept: Path | None, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    states = tuple(state for state in STATES if not names or state.name in names)
    taken: dict[str, list[Path]] = {}
    with rigged() as rig:
        for state, width, scheme, file in shots(rig, folder, states):
            taken.setdefault(state.name, []).append(file)
            if kept and state.kept == (width, scheme):
                keep(file, kept / f"state-{state.name}.webp")
    for name, files in taken.items():
        sheet(files, folder / f"sheet-{name}.png")


if __name__ == "__main__":
    keeping = "--keep" in sys.argv
    given = [each for each in sys.argv[1:] if each != "--keep"]
    main(Path(given[0]), HERE.parents[1] / "docs" / "images" if keeping else None, given[1:])
