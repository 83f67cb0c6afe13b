"""Costs of our server with real viewers: an idle connection, one more viewer, a model that never rests."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from pathlib import Path
from typing import Any

from side_by_side.browser import Receiver, chromium, files, receiver
from side_by_side.scenario import SETTLE_S
from side_by_side.servers import Contender, Server, running

from .settings import MEASURE_S, PORT, ROUNDS, SIZE, VIEWERS

HERE = Path(__file__).parent
IDLE_FPS = 0.01


class Wire:
    """One server and its page."""

    def __init__(self, server: Server, page: Receiver, contender: Contender) -> None:
        self.server = server
        self.page = page
        self._tag = 0
        self._options: dict[str, Any] = {
            "base": server.base,
            "signalling": contender.signalling,
            "codec": contender.codec,
            "height": SIZE[1],
        }

    def viewers(self, count: int) -> None:
        """Have so many; the session goes on when the last one leaves."""
        self.page.call("leave", count)
        while self.page.page.evaluate("window.bench.count()") < count:
            self.page.call("join", self._options)
            self._options["session"] = "local"
        self.page.watch(SETTLE_S)

    def configure(self, **settings: float) -> None:
        self._tag = self._tag % 250 + 1
        request = {"tag": self._tag, "fps": 0.0, "slow": 0.0, **settings}
        self.page.page.evaluate("(request) => void window.bench.configure(request)", request)
        self.page.watch(1.0)

    def cores(self) -> float:
        cpu, began = self.server.cpu(), time.monotonic()
        self.page.watch(MEASURE_S)
        return (self.server.cpu() - cpu) / (time.monotonic() - began)


def turns(path: Path, page: Receiver) -> float:
    """Turns a second of the model's own loop."""
    before = json.loads(path.read_text())
    page.watch(MEASURE_S)
    after = json.loads(path.read_text())
    return float((after["turns"] - before["turns"]) / (after["at"] - before["at"]))


def model_speed(contender: Contender, log: Path) -> float:
    """The speed of a pure-Python model that streams, as a share of its speed while it keeps its pictures."""
    report = log.with_name("turns.json")
    spinning = dataclasses.replace(
        contender,
        folder=str(HERE / "spinning"),
        environ=(*contender.environ, ("BENCH_TURNS", str(report))),
    )
    ratios = []
    with (
        files() as origin,
        chromium() as browser,
        running(spinning, PORT + 1, SIZE, log) as server,
        receiver(browser, origin) as page,
    ):
        wire = Wire(server, page, spinning)
        wire.viewers(1)
        # Single ratios differ by a tenth on a shared machine: many of them.
        for _ in range(4 * ROUNDS):
            wire.configure(fps=1)
            alone = turns(report, page)
            wire.configure(fps=30)
            ratios.append(turns(report, page) / alone)
    return statistics.median(ratios)


def viewers_and_idle(contender: Contender, log: Path) -> dict[str, float]:
    """Cores with one and several viewers, streaming and silent."""
    found: dict[str, list[float]] = {"one": [], "several": [], "idle_one": [], "idle_several": []}
    with (
        files() as origin,
        chromium() as browser,
        running(contender, PORT, SIZE, log) as server,
        receiver(browser, origin) as page,
    ):
        wire = Wire(server, page, contender)
        for _ in range(ROUNDS):
            for count, streaming, silent in ((1, "one", "idle_one"), (VIEWERS, "several", "idle_several")):
                wire.viewers(count)
                found[streaming].append(wire.cores())
                wire.configure(fps=IDLE_FPS)
                found[silent].append(wire.cores())
                wire.configure(fps=30.0)
    one, several, idle_one, idle_several = (statistics.median(values) for values in found.values())
    return {
        "one_viewer": one,
        "further_viewer": (several - one) / (VIEWERS - 1),
        "idle_connection": (idle_several - idle_one) / (VIEWERS - 1),
        "silent_session": idle_one,
    }
