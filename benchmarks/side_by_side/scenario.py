"""What is done with each contender, and what is measured of it."""

from __future__ import annotations

import base64
import itertools
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Error as PlaywrightError

from .browser import Receiver, chromium, receiver
from .servers import STUDIO, Contender, Server, running

sys.path.append(str(STUDIO))
from studio import Studio
from timecode import CODE_HEIGHT

CLOCK_WRAP_MS = (1 << 32) / 10
SETTLE_S = 2.0
SLOW_STEP_S = 1.0
REJOINS = 8
IDLE_COMMANDS = 20
SLOW_COMMANDS = 6
SLOW_COMMANDS_MS = 60.0
"""Between two of them; all are sent in the middle of the slow step."""
PICTURES = 3
"""Frames whose quality is measured."""
SLOW_MODEL_FPS = 2.0

Figures = dict[str, float]


@dataclass(frozen=True)
class Plan:
    """How long each part takes, and which parts there are."""

    steady_s: float = 6.0
    everything: bool = True
    """Also commands, the slow step, the slow model, viewers and new connections."""


@dataclass
class Outcome:
    """The figures of one contender in one round; a figure that is missing has its reason in `reasons`."""

    figures: Figures = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    codec: str = ""
    error: str = ""


@dataclass(frozen=True)
class Frames:
    """What a receiver decoded: arrival and emission in ms, counter and tag of each readable frame."""

    rows: list[tuple[float, float, int, int]]
    unreadable: int = 0

    @property
    def latencies(self) -> list[float]:
        return [_since(sent, at) for at, sent, _, _ in self.rows]

    @property
    def distinct(self) -> int:
        return len({counter for _, _, counter, _ in self.rows})

    @property
    def emitted(self) -> int:
        """Frames that the model made between the first and the last that arrived."""
        counters = [counter for _, _, counter, _ in self.rows]
        return max(counters) - min(counters) + 1 if counters else 0

    def first_of_each(self) -> list[tuple[float, float, int, int]]:
        """Without repetitions of a frame that was seen already."""
        seen: set[int] = set()
        return [row for row in self.rows if not (row[2] in seen or seen.add(row[2]))]

    def longest_gap(self) -> float:
        """The longest time in ms that the picture stood still."""
        times = [at for at, *_ in self.first_of_each()]
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0.0)

    def after(self, at: float) -> Frames:
        return Frames([row for row in self.rows if row[0] >= at])


def _since(sent: float, at: float) -> float:
    return (at % CLOCK_WRAP_MS - sent) % CLOCK_WRAP_MS


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


LUMA = np.array([65.738, 129.057, 25.064]) / 256
"""BT.601, limited range, from red, green and blue."""


def psnr(luma: NDArray[np.uint8], rgb: NDArray[np.uint8]) -> float:
    """Decibels of a decoded luma against what was drawn. FastRTC has blue first: the better order counts."""
    if luma.shape != rgb.shape[:2]:
        return 0.0
    decoded = luma[CODE_HEIGHT:].astype(float)
    errors = [
        float(np.mean((16 + rgb[CODE_HEIGHT:] @ weights - decoded) ** 2)) for weights in (LUMA, LUMA[::-1])
    ]
    return 10 * float(np.log10(255**2 / max(min(errors), 1e-6)))


def take(page: Receiver, index: int = 0) -> Frames:
    taken = page.call("take", index)
    return Frames([tuple(row) for row in taken["samples"]], taken["unreadable"])


def play(
    contender: Contender,
    origin: str,
    port: int,
    size: tuple[int, int],
    plan: Plan,
    log: Path,
) -> Outcome:
    """One contender in one round. Never raises for what the contender does wrong."""
    outcome = Outcome()
    try:
        # A browser of its own for each turn: what one contender does to it, no other feels.
        with (
            chromium() as browser,
            running(contender, port, size, log) as server,
            receiver(browser, origin) as page,
        ):
            Play(contender, server, page, size, plan, outcome).everything()
    except (RuntimeError, PlaywrightError, OSError) as error:
        outcome.error = str(error).strip().splitlines()[0]
    return outcome


class Play:
    """The parts, in order, with one running server and one page."""

    def __init__(
        self,
        contender: Contender,
        server: Server,
        page: Receiver,
        size: tuple[int, int],
        plan: Plan,
        outcome: Outcome,
    ) -> None:
        self.contender = contender
        self.server = server
        self.page = page
        self.plan = plan
        self.outcome = outcome
        self.figures = outcome.figures
        self._tag = 0
        self._studio = Studio(size)
        self._options: dict[str, Any] = {
            "base": server.base,
            "signalling": contender.signalling,
            "codec": contender.codec,
            "height": size[1],
        }

    def everything(self) -> None:
        self.figures["clock_error_ms"] = self.page.trip_ms / 2
        self.figures["first_frame_fresh_ms"] = self.join()
        self.page.watch(SETTLE_S)
        rest = (self.commands, self.slow_step, self.slow_model, self.more_viewers, self.new_connections)
        for part in (self.steady, *rest) if self.plan.everything else (self.steady,):
            self.figures.update(part())

    def join(self) -> float:
        """The milliseconds from the offer to the first frame."""
        milliseconds: float = self.page.call("join", self._options)
        return milliseconds

    def leave(self) -> None:
        """The session ends too: a server that nobody plays on does nothing."""
        self.page.call("leave")
        if self.contender.signalling != "fastrtc":
            self.page.call("stop", self.server.base)

    def steady(self) -> Figures:
        """30 frames a second, one viewer, nothing else."""
        self.page.call("alignClock")
        take(self.page)
        before, cpu, began = self.page.call("stats"), self.server.cpu(), time.monotonic()
        self.page.watch(self.plan.steady_s)
        after, used, lasted = self.page.call("stats"), self.server.cpu() - cpu, time.monotonic() - began
        frames = take(self.page)
        self.outcome.codec = after.get("codec") or ""
        if not frames.rows:
            raise RuntimeError(f"no readable frame in {lasted:.0f} s ({frames.unreadable} unreadable)")
        return {
            "latency_p50_ms": statistics.median(frames.latencies),
            "latency_p99_ms": percentile(frames.latencies, 0.99),
            "fps": frames.distinct / lasted,
            "delivered": frames.distinct / frames.emitted,
            "unreadable": frames.unreadable / (len(frames.rows) + frames.unreadable),
            "cores": used / lasted,
            "cpu_ms_per_frame": used / frames.distinct * 1000,
            "mbit_s": (after["bytesReceived"] - before["bytesReceived"]) * 8 / lasted / 1e6,
            "rss_mib": self.server.rss(),
            "psnr_db": statistics.median(self._quality() for _ in range(PICTURES)),
        }

    def _quality(self) -> float:
        """Of the next frame, against the picture that the model drew."""
        grabbed = self.page.call("grab")
        luma = np.frombuffer(base64.b64decode(grabbed["luma"]), np.uint8)
        return psnr(
            luma.reshape(grabbed["height"], grabbed["width"]), self._studio.picture(grabbed["counter"])
        )

    def commands(self) -> Figures:
        """Send, wait for the answer and for the picture that shows it."""
        answers, pictures = [], []
        for _ in range(IDLE_COMMANDS):
            result = self._configure()
            answers.append(result["answer"])
            pictures.append(result["picture"])
            self.page.watch(0.11)
        return {
            **self._if_any("command_answer_ms", answers, "no answer to a command"),
            **self._if_any("command_picture_ms", pictures, "no picture shows the command"),
        }

    def slow_step(self) -> Figures:
        """One step of `SLOW_STEP_S`; commands are sent in the middle of it."""
        before = _recent(take(self.page))
        self._configure(slow=SLOW_STEP_S, wait=False)
        self.page.watch(0.3)
        during = self.page.call("answers", [self._request() for _ in range(SLOW_COMMANDS)], SLOW_COMMANDS_MS)
        self.page.watch(5.0)
        frames = take(self.page)
        end = frames.rows[-1][0]
        return {
            "freeze_ms": frames.longest_gap(),
            "lasting_delay_ms": statistics.median(frames.after(end - 2000).latencies) - before,
            **self._if_any("command_answer_slow_ms", during, "no answer within 8 s"),
        }

    def slow_model(self) -> Figures:
        """A model that makes two frames a second."""
        self._configure(fps=SLOW_MODEL_FPS, wait=False)
        self.page.watch(2.5)
        take(self.page)
        self.page.watch(4.0)
        frames = take(self.page)
        first = Frames(frames.first_of_each())
        self._configure(fps=30.0, wait=False)
        self.page.watch(1.0)
        if not first.rows:
            return {}
        latency = statistics.median(first.latencies)
        return {"latency_2fps_ms": latency, "added_2fps_ms": latency - self.figures["latency_p50_ms"]}

    def more_viewers(self) -> Figures:
        """From one viewer to three, on the same session."""
        if not self.contender.viewers:
            self.outcome.reasons["viewer_ms_per_frame"] = self.contender.why_one_viewer
            return {}
        one, fps_of_one = self._cpu_per_frame()
        try:
            for _ in range(2):
                self.join()
        except PlaywrightError as error:
            self.outcome.reasons["viewer_ms_per_frame"] = str(error).splitlines()[0]
            self.page.call("leave", 1)
            return {"fps_1_viewers": fps_of_one}
        self.page.watch(SETTLE_S)
        three, fps_of_three = self._cpu_per_frame(viewers=3)
        self.page.call("leave", 1)
        return {
            "viewer_ms_per_frame": (three - one) / 2,
            "fps_1_viewers": fps_of_one,
            "fps_3_viewers": fps_of_three,
        }

    def new_connections(self) -> Figures:
        """Leave, begin a new session, and join again: a server that is warm."""
        times = []
        for _ in range(REJOINS):
            self.leave()
            self.page.watch(0.5)
            times.append(self.join())
            self.page.watch(0.3)
        self.page.call("leave")
        return {"first_frame_ms": statistics.median(times)}

    def _cpu_per_frame(self, viewers: int = 1) -> tuple[float, float]:
        """Milliseconds of processor time for each frame of the first viewer; frames a second of each."""
        for index in range(viewers):
            take(self.page, index)
        cpu = self.server.cpu()
        self.page.watch(4.0)
        used = self.server.cpu() - cpu
        counts = [take(self.page, index).distinct for index in range(viewers)]
        return used / max(1, counts[0]) * 1000, sum(counts) / len(counts) / 4.0

    def _configure(self, wait: bool = True, **settings: float) -> dict[str, float]:
        request = self._request(**settings)
        if wait:
            result: dict[str, float] = self.page.call("configure", request)
            return result
        self.page.page.evaluate("(request) => void window.bench.configure(request)", request)
        return {}

    def _request(self, **settings: float) -> dict[str, float]:
        """With a tag that no recent one had."""
        self._tag = self._tag % 250 + 1
        return {"tag": self._tag, "fps": 0.0, "slow": 0.0, **settings}

    def _if_any(self, name: str, values: list[float], reason: str) -> Figures:
        """Their median; where one of them is NaN, the reason is noted instead."""
        if all(value == value for value in values):
            return {name: statistics.median(values)}
        self.outcome.reasons[name] = reason
        return {}


def _recent(frames: Frames) -> float:
    """The latency just before now."""
    return statistics.median(frames.latencies[-60:])
