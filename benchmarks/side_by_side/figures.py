"""What each figure means, the bars it is held against, and medians over rounds. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Metric:
    """One row of the table; less is better unless `more` says so."""

    key: str
    label: str
    unit: str
    digits: int = 0
    ratio: float | None = None
    """The bar: at most this share of the better public runtime's figure."""
    limit: float | None = None
    """The bar: at most this, whatever the others do."""
    more: bool = False
    compared: bool = True


METRICS = (
    Metric("latency_p50_ms", "emit → decoded, p50", "ms", 1, ratio=1 / 4),
    Metric("latency_p99_ms", "emit → decoded, p99", "ms", 1, ratio=1 / 2, limit=100),
    Metric("first_frame_ms", "offer → first frame, warm", "ms", ratio=1 / 2, limit=300),
    Metric("first_frame_fresh_ms", "offer → first frame, fresh process", "ms"),
    Metric("fps", "frames a second, of 30", "", 1, more=True),
    Metric("delivered", "frames delivered", "share", 3, more=True),
    Metric("cpu_ms_per_frame", "sender CPU per frame", "ms", 1, ratio=1 / 2),
    Metric("cores", "sender CPU", "cores", 2),
    Metric("viewer_ms_per_frame", "sender CPU per frame and added viewer", "ms", 1, ratio=1 / 8),
    Metric("mbit_s", "received", "Mbit/s", 1, compared=False),
    Metric("psnr_db", "picture quality, luma PSNR", "dB", 1, more=True, compared=False),
    Metric("freeze_ms", "freeze after one slow step of 1 s", "ms", limit=1050),
    Metric("lasting_delay_ms", "delay left 2 s after it", "ms", limit=15, compared=False),
    Metric("command_answer_ms", "command → answer", "ms", 1),
    Metric("command_answer_slow_ms", "command → answer, in a slow step", "ms", 1),
    Metric("command_picture_ms", "command → picture that shows it", "ms"),
    Metric("latency_2fps_ms", "emit → decoded, model of 2 fps", "ms", 1),
    Metric("added_2fps_ms", "… more than at 30 fps", "ms", 1, limit=20, compared=False),
    Metric("rss_mib", "memory of the server", "MiB"),
)


def medians(rounds: Iterable[Figures]) -> dict[str, float]:
    """The median of every figure over the rounds that have it."""
    found: dict[str, list[float]] = {}
    for figures in rounds:
        for key, value in figures.items():
            found.setdefault(key, []).append(value)
    return {key: statistics.median(values) for key, values in found.items()}


def best(metric: Metric, others: Iterable[Figures]) -> float | None:
    values = [figures[metric.key] for figures in others if metric.key in figures]
    if not values:
        return None
    return max(values) if metric.more else min(values)


@dataclass(frozen=True)
class Verdict:
    """Ours against the better of the others; None where one of them has no figure."""

    ratio: float | None
    passed: bool | None
    bar: str


def judge(metric: Metric, ours: Figures, others: Sequence[Figures]) -> Verdict:
    value, other = ours.get(metric.key), best(metric, others)
    ratio = None
    if metric.compared and value is not None and other is not None and other > 0:
        ratio = value / other
    bars, results = [], []
    if metric.ratio is not None:
        bars.append(f"≤ 1/{1 / metric.ratio:g} of theirs")
        if ratio is not None:
            results.append(ratio <= metric.ratio)
    if metric.limit is not None:
        bars.append(f"≤ {metric.limit:g} {metric.unit}")
        if value is not None:
            results.append(value <= metric.limit)
    return Verdict(ratio, all(results) if results else None, ", ".join(bars))
