"""What a bench run found, and what it means in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

KEEPS_UP = 0.95
"""The share of a declared rate at which a model counts as fast enough: its timers jitter."""
MISSING = float("nan")


@dataclass(frozen=True)
class EncoderCost:
    """Encoding this model's own pictures, on one thread."""

    codec: str
    ms_per_frame: float
    mbit_s: float


@dataclass(frozen=True)
class CommandCost:
    """How long a command took from the network's edge to its answer, while the model ran."""

    name: str
    milliseconds: float
    error: str | None = None


@dataclass(frozen=True)
class Figures:
    """One run. Times are milliseconds; NaN where nothing could be measured."""

    model: str
    track: str
    size: tuple[int, int]
    """Width and height of the last frame."""
    rate: float
    """Frames a second that the track declares; 0 when it declares none."""
    codec: str
    seconds: float
    load_s: float
    first_frame_ms: float
    """From the call of `start_session` to the first encoded frame."""
    steps_per_s: float
    fps: float
    """Encoded frames a second."""
    dropped: int
    step_p50_ms: float
    step_p99_ms: float
    """What the model needs for one step, the time it was held back not counted."""
    frames_per_step: float
    emit_cpu_ms: float
    """Processor time of the model thread for one frame."""
    emit_p99_ms: float
    """How long `emit` held the model up at worst, the waiting for its turn included."""
    behind_p50_ms: float
    behind_p99_ms: float
    """From the call of `emit` to the encoded frame."""
    interval_p50_ms: float
    interval_p99_ms: float
    cores: float
    """Processor time of the whole process, model included, per second."""
    model_cores: float
    """The model thread's share of it."""
    rss_mib: float
    """The most memory the process has had."""
    encoders: Sequence[EncoderCost] = ()
    commands: Sequence[CommandCost] = ()
    notes: Sequence[str] = field(default=())

    @property
    def model_fps(self) -> float:
        """Frames a second that the model could make if nobody held it back."""
        return 1000 * self.frames_per_step / self.step_p50_ms if self.step_p50_ms > 0 else MISSING

    @property
    def encoder_fps(self) -> float:
        """Frames a second that the encoder in use could take."""
        cost = next((e.ms_per_frame for e in self.encoders if e.codec == self.codec), 0.0)
        return 1000 / cost if cost > 0 else MISSING

    @property
    def verdict(self) -> str:
        """One line: how fast, how far behind the model, at what cost, and what sets the limit."""
        said = f"{self.fps:.1f} fps, {self.behind_p50_ms:.0f} ms behind the model, {self.cores:.2f} cores: "
        return said + (self._against_rate() if self.rate else self._without_rate())

    @property
    def fits(self) -> bool:
        """Whether the declared rate is kept; true where none is declared."""
        return not self.rate or self.fps >= self.rate * KEEPS_UP

    def to_json(self) -> dict[str, Any]:
        document = {**asdict(self), "verdict": self.verdict, "fits": self.fits}
        return {key: None if _is_nan(value) else value for key, value in document.items()}

    def _against_rate(self) -> str:
        if not self.fits:
            return f"too slow for {self.rate:g} fps; {self._limit()}"
        spare = _least(self.model_fps, self.encoder_fps) / self.rate
        return "fits real time" + (f" with {spare:.1f}× to spare" if spare > 1 else "")

    def _without_rate(self) -> str:
        if self.encoder_fps >= 2 * self.fps or _is_nan(self.encoder_fps):
            return "as fast as the model makes them"
        return f"as fast as the model makes them; {self._limit()}"

    def _limit(self) -> str:
        if self.rate and _least(self.model_fps, self.encoder_fps) >= self.rate:
            return "the machine is the limit: model and encoder could do more"
        if self.encoder_fps < self.model_fps:
            return f"the encoder is the limit: {1000 / self.encoder_fps:.0f} ms a frame"
        return f"the model is the limit: {self.step_p50_ms:.0f} ms a step"

    def lines(self) -> list[tuple[str, str]]:
        """The figures for a person: what, and how much."""
        width, height = self.size
        rows = [
            ("picture", f"{width}×{height} on {self.track!r}, {self._rate_words()}"),
            ("loading", f"{self.load_s:.1f} s, then {self.first_frame_ms:.0f} ms to the first frame"),
            ("steps", f"{self.steps_per_s:.1f} a second, {self.frames_per_step:.3g} frames each"),
            ("a step", f"{self.step_p50_ms:.1f} ms, {self.step_p99_ms:.1f} at p99"),
            (
                "emit",
                f"{self.emit_cpu_ms:.2f} ms of CPU a frame; {self.emit_p99_ms:.1f} ms at p99, waiting too",
            ),
            (
                "behind the model",
                f"{self.behind_p50_ms:.1f} ms, {self.behind_p99_ms:.1f} at p99, {self.codec}",
            ),
            ("pacing", f"a frame every {self.interval_p50_ms:.1f} ms, {self.interval_p99_ms:.1f} at p99"),
            ("dropped", f"{self.dropped} frames"),
            ("processor", f"{self.cores:.2f} cores, {self.model_cores:.2f} of it the model thread"),
            ("memory", f"{self.rss_mib:.0f} MiB at most"),
        ]
        rows += [
            (f"encode as {e.codec}", f"{e.ms_per_frame:.1f} ms a frame at {e.mbit_s:.1f} Mbit/s")
            for e in self.encoders
        ]
        rows += [
            (f"command {c.name}", c.error or f"answered after {c.milliseconds:.1f} ms") for c in self.commands
        ]
        return rows

    def _rate_words(self) -> str:
        return f"{self.rate:g} fps declared" if self.rate else "no rate declared"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all stay below; NaN of none."""
    if not values:
        return MISSING
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _least(*values: float) -> float:
    known = [value for value in values if not _is_nan(value)]
    return min(known) if known else MISSING
