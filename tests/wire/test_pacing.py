"""A frame's way from `emit` to a real browser's decoder.

The bars are far above what benchmarks/ measure: what fails here is broken, not slow.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from reactor_runtime.runtimes.http.server import SWITCH_INTERVAL_S

from .browser import new_page
from .server import Server

pytestmark = [pytest.mark.wire, pytest.mark.browser, pytest.mark.alone]

PROJECT = "paced"
SCRIPT = Path(__file__).with_name("pacing.js")
CODECS = ["video/VP8", "video/H264"]
PICTURES_LOST = r'^reactor_dropped_total\{place="(?:playout|encoder|network)"\} (\S+)$'
one_codec = pytest.mark.parametrize("viewer", ["video/VP8"], indirect=True)


@dataclass(frozen=True)
class Seen:
    """A decoded picture: its number, and when it was emitted and read, in ms of one clock."""

    index: int
    emitted: float
    at: float

    @property
    def latency(self) -> float:
        return self.at - self.emitted


class Viewer:
    def __init__(self, page: Any, server: Server, codec: str) -> None:
        self.server = server
        self._page = page
        page.goto(f"{server.url}/health")
        page.evaluate(SCRIPT.read_text(), codec)
        self.wait(20)

    def seen(self) -> list[Seen]:
        return [Seen(**frame) for frame in self._page.evaluate("window.seen")]

    def messages(self) -> list[Any]:
        return list(self._page.evaluate("window.heard"))

    def order(self, what: str, value: float) -> None:
        self._page.evaluate("([what, value]) => window.order(what, value)", [what, value])

    def wait(self, more: int) -> None:
        """Until that many more pictures have come."""
        self._page.evaluate("(more) => { window.goal = window.seen.length + more; }", more)
        self.until("window.seen.length >= window.goal")

    def until(self, truth: str) -> None:
        self._page.wait_for_function(truth, timeout=15_000)


@pytest.fixture(params=CODECS)
def viewer(server: Server, chromium: str, request: pytest.FixtureRequest) -> Iterator[Viewer]:
    server.wait_state("READY")
    with new_page(chromium) as page:
        yield Viewer(page, server, request.param)
        httpx.post(f"{server.url}/stop_session")


def dropped(server: Server) -> int:
    """Pictures that the runtime says it has lost on their way since it started."""
    found = re.findall(PICTURES_LOST, httpx.get(f"{server.url}/metrics").text, re.M)
    return sum(int(float(count)) for count in found)


def missing(seen: list[int], emitted: range) -> set[int]:
    """Pictures that did not come.

    An encoder that a busy machine holds up skips one, and says so in `dropped`; nothing else may be lost.
    """
    return set(emitted) - set(seen)


@one_codec
def test_a_large_batch_arrives_whole_and_even(viewer: Viewer) -> None:
    lost_before = dropped(viewer.server)
    first = viewer.seen()[-1].index
    viewer.order("batch", 33)
    viewer.wait(60)
    seen = viewer.seen()

    indexes = [frame.index for frame in seen if frame.index >= first]
    assert indexes == sorted(set(indexes))
    late = dropped(viewer.server) - lost_before
    assert len(missing(indexes, range(first, indexes[-1]))) <= late
    # The pictures of a batch were emitted at almost the same moment; the model's own are 33 ms apart.
    batch = [b.at - a.at for a, b in itertools.pairwise(seen) if b.emitted - a.emitted < 15]
    assert len(batch) + late >= 30
    assert max(batch) < 150


@one_codec
def test_one_slow_step_freezes_the_picture_once_and_delays_nothing_after_it(viewer: Viewer) -> None:
    viewer.wait(60)
    before = statistics.median(frame.latency for frame in viewer.seen()[-45:])
    frozen_from = viewer.seen()[-1].index
    viewer.order("stall", 1.0)
    viewer.wait(75)

    # The order may be taken before another picture is drawn: then it is this one that stands still.
    after = [frame for frame in viewer.seen() if frame.index >= frozen_from]
    gaps = [b.at - a.at for a, b in itertools.pairwise(after)]
    assert 1000 <= max(gaps) < 1500
    assert sorted(gaps)[-2] < 500
    assert statistics.median(frame.latency for frame in after[-30:]) < before + 50


def test_a_picture_is_decoded_soon_after_it_was_emitted(viewer: Viewer) -> None:
    viewer.wait(90)

    assert statistics.median(frame.latency for frame in viewer.seen()[-60:]) <= 100


def test_the_tail_is_delivered(viewer: Viewer) -> None:
    lost_before = dropped(viewer.server)
    viewer.order("end", 30)
    viewer.until("window.heard.some(({ data }) => data.type === 'sessionEnded')")
    (count,) = [message["data"]["count"] for message in viewer.messages() if "count" in message["data"]]
    viewer.until(f"window.seen.at(-1).index === {count - 1}")

    seen = [frame.index for frame in viewer.seen()]
    assert len(missing(seen, range(count - 30, count))) <= dropped(viewer.server) - lost_before


@one_codec
def test_the_end_wakes_a_model_that_is_held_in_emit(viewer: Viewer) -> None:
    viewer.order("jam", 0)
    viewer.wait(130)
    assert httpx.post(f"{viewer.server.url}/stop_session").status_code == 200
    viewer.until("window.heard.some(({ data }) => data.type === 'released')")
    viewer.server.wait_state("READY")

    (told,) = [message["data"] for message in viewer.messages() if message["data"].get("type") == "released"]
    assert told["ms"] < 100


@one_codec
def test_threads_do_not_wait_five_milliseconds_for_a_model_in_pure_python(viewer: Viewer) -> None:
    viewer.order("interval", 0)
    viewer.until("window.heard.some(({ data }) => data.type === 'interval')")

    (told,) = [message["data"] for message in viewer.messages() if message["data"].get("type") == "interval"]
    assert told["seconds"] == pytest.approx(SWITCH_INTERVAL_S, rel=0.01)
