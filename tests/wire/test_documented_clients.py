"""The clients in docs/clients.md are programs: they run here as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.chromium import launched
from tests.sites import files_served

from .server import Server

DOCUMENT = Path(__file__).parents[2] / "docs" / "clients.md"

pytestmark = pytest.mark.wire
PROJECT = "echo"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)


def test_the_script_shows_the_picture_that_it_asked_for(server: Server, tmp_path: Path) -> None:
    program = blocks("python")[-1]  # after the quick start, which tests/interop runs
    (tmp_path / "watch.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "watch.py", server.url], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert '"ok":true' in done.stdout
    assert float(done.stdout.split("mean")[1].split()[0]) == pytest.approx(220, abs=12)
    server.wait_state("READY")


@pytest.mark.browser
def test_the_page_shows_the_picture_that_it_asked_for(server: Server, chromium: str) -> None:
    (text,) = blocks("html")
    address = f"/?server={server.url}"
    with files_served({address: text.encode()}) as origin, launched(chromium) as browser:
        page = browser.new_page()
        page.goto(origin + address[1:])
        page.wait_for_function(f"({BRIGHTNESS})() > 200", timeout=30_000)
        assert '"ok":true' in page.inner_text("pre")
        page.goto("about:blank")
        server.wait_state("READY")


BRIGHTNESS = """() => {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d");
  pixel.drawImage(document.querySelector("video"), 0, 0, 1, 1);
  return pixel.getImageData(0, 0, 1, 1).data[0];
}"""


def test_the_json_is_json() -> None:
    for text in blocks("json"):
        for part in text.splitlines() if text.startswith('{"') else [text]:
            json.loads(part)


def test_the_programs_are_as_short_as_it_says() -> None:
    script = blocks("html")[0].partition("<script")[2].splitlines()
    assert (len(script) <= 40, len(blocks("python")[0].splitlines()) <= 40) == (True, True)
