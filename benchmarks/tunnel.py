"""Everybody behind one TCP port: ``P=.venv-test/bin/python; $P tests/netns.py $P benchmarks/tunnel.py``.

Ours, the public runtimes and FastRTC, each behind the forwarder of the tests: a browser in a network that
shares one stream with the server's and nothing else, as through ``ssh -L``. Said of each: what its own page
shows, and whether the receiver of the side-by-side run gets a picture. What it prints is Markdown.

The environments are those of ``benchmarks/run`` (``python -m side_by_side.environments``).
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, Route, sync_playwright
from side_by_side.browser import FLAGS
from side_by_side.environments import HERE
from side_by_side.servers import CONTENDERS, Contender, running, version

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.append(str(REPOSITORY))
from tests.chromium import find_chromium  # noqa: E402 # from the line above on
from tests.wire.tunnel import tunnel  # noqa: E402

PORT = 18200
SIZE = (832, 480)
PICTURE_S = 20.0
SHOWN = 260
"""Characters of a page's text."""
FASTRTC_PAGE = (
    "import app, gradio, os, uvicorn;"
    " uvicorn.run(gradio.mount_gradio_app(app.app, app.stream.ui, path='/ui'),"
    " host='127.0.0.1', port=int(os.environ['PORT']), log_level='warning')"
)
"""Its page is Gradio's, which an author mounts; what it starts by itself has no routes of the author's."""
PATHS = {"FastRTC": "/ui/"}
START = "Start Stream"
"""Where a page has a button of this name, nothing begins before it is pressed."""
PUBLISHED = HERE / "tunnel.md"
HEAD = """## Through a tunnel

`benchmarks/tunnel.py --publish` wrote this on {date}. The browser's network shares one TCP stream with the
server's and nothing else, as through `ssh -L`. FastRTC has the page of Gradio that an author mounts, with
*Start Stream* pressed.

"""
RECEIVER = "http://localhost:18098"
FRAMES = """Math.max(0, ...[...document.querySelectorAll("video")]
  .map((video) => video.getVideoPlaybackQuality().totalVideoFrames))"""


@dataclass
class Found:
    name: str
    """And its version."""
    page: str
    """What its own page shows."""
    received: str
    """What the receiver says."""


def contenders() -> list[Contender]:
    """One of each package; ours from this checkout, as its tests have it."""
    wanted = [each for each in CONTENDERS if each.name in ("ours", "public 1.7", "public 3", "FastRTC")]
    changes: dict[str, dict[str, Any]] = {
        "ours": {"environment": str(REPOSITORY / ".venv-test")},
        "FastRTC": {"command": ("-c", FASTRTC_PAGE)},
    }
    return [dataclasses.replace(each, **changes.get(each.name, {})) for each in wanted]


def played(contender: Contender, chromium: str, folder: Path) -> Found:
    with ExitStack() as stack:
        stack.enter_context(running(contender, PORT, SIZE, folder / "log"))
        through = stack.enter_context(tunnel(PORT, chromium, folder))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=through.chromium, headless=True, args=[*FLAGS])
        stack.callback(browser.close)
        shown = own_page(browser, through.url + PATHS.get(contender.name, "/"))
        return Found(
            f"{contender.name} ({version(contender)})", shown, receiver(browser, contender, through.url)
        )


def own_page(browser: Browser, url: str) -> str:
    page = browser.new_page()
    try:
        answer = page.goto(url)
        if answer is None or "html" not in answer.headers.get("content-type", ""):
            return f"none: `GET /` answers {answer.status if answer else 'nothing'}"
        press_start(page)
        # Asked from here: a page whose policy forbids evaluating strings cannot be told to wait for one.
        deadline = time.monotonic() + PICTURE_S
        while (moving := page.evaluate(FRAMES) > 10) is False and time.monotonic() < deadline:
            page.wait_for_timeout(200)
        seen = "a moving picture" if moving else "no picture"
        return f"{seen}: “{text_of(page)}”"
    finally:
        page.close()


def press_start(page: Page) -> None:
    with contextlib.suppress(Error):  # most have none
        page.get_by_role("button", name=START).click(timeout=10_000)


def text_of(page: Page) -> str:
    return " ".join(page.locator("body").inner_text().split())[:SHOWN]


def receiver(browser: Browser, contender: Contender, base: str) -> str:
    """The page of the side-by-side run; it is beside the browser, since nothing but the tunnel leads out."""
    page = browser.new_page()

    def give(route: Route) -> None:
        route.fulfill(path=HERE / route.request.url.removeprefix(f"{RECEIVER}/"))

    page.route(f"{RECEIVER}/**", give)
    try:
        page.goto(f"{RECEIVER}/receiver.html")
        page.wait_for_function("window.bench !== undefined")
        options = {"base": base, "signalling": contender.signalling, "height": SIZE[1]}
        return f"a picture after {joined(page, options):.0f} ms"
    except Error as error:
        said = str(error).splitlines()[0].rpartition("Error: ")[2]
        return f"no picture: {said}"
    finally:
        page.close()


def joined(page: Page, options: dict[str, object]) -> float:
    return float(page.evaluate(f"window.bench.join({json.dumps(options)})"))


def table(chromium: str) -> Iterator[str]:
    yield "|  | its own page, within 20 s | the receiver of `benchmarks/run` |"
    yield "| --- | --- | --- |"
    for contender in contenders():
        if not contender.python.exists():
            yield f"| {contender.name} | its environment is not there: run `benchmarks/run` first | |"
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = played(contender, chromium, Path(folder))
        yield f"| {found.name} | {found.page} | {found.received} |"


def publish(lines: list[str]) -> None:
    """Where `benchmarks/run --publish` takes it from, and in what that wrote before."""
    before = PUBLISHED.read_text()
    text = HEAD.format(date=date.today()) + "\n".join(lines) + "\n\n"
    PUBLISHED.write_text(text)
    page = REPOSITORY / "docs" / "benchmarks.md"
    page.write_text(page.read_text().replace(before, text))


def main() -> None:
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("No Chromium here: install Debian's chromium or set CHROMIUM= to a browser.")
    lines = []
    for line in table(chromium):
        print(line, flush=True)
        lines.append(line)
    if "--publish" in sys.argv[1:]:
        publish(lines)


if __name__ == "__main__":
    main()
