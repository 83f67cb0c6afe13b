"""This checkout beside an earlier one, and twice: what moves by itself is no change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .figures import METRICS, Figures, Metric, medians

NOW, AGAIN, BEFORE = "ours", "ours, again", "ours, before"
MARGIN = 0.03
"""What a figure may be worse beyond the spread of the pair."""


@dataclass(frozen=True)
class Change:
    """One figure of one size. Shares: 0.1 is a tenth more than before."""

    metric: Metric
    before: float
    now: float
    again: float
    spread: float
    """Between the two measurements of the same checkout."""
    change: float
    """From before to the mean of the two; above 0 is worse, whichever way the figure counts."""

    @property
    def worse(self) -> bool:
        return self.change > self.spread + MARGIN


def changes(before: Sequence[Figures], now: Sequence[Figures], again: Sequence[Figures]) -> list[Change]:
    """Of each figure that all three have and of which a ratio says something; medians over the rounds."""
    old, a, b = medians(before), medians(now), medians(again)
    known = [m for m in METRICS if m.compared or m.key in ("mbit_s", "psnr_db")]
    return [
        _change(metric, old[metric.key], a[metric.key], b[metric.key])
        for metric in known
        if all(figures.get(metric.key, 0) > 0 for figures in (old, a, b))
    ]


def _change(metric: Metric, before: float, now: float, again: float) -> Change:
    spread = abs(now - again) / min(now, again)
    ratio = (now + again) / 2 / before
    if metric.key == "mbit_s":
        return Change(metric, before, now, again, spread, abs(ratio - 1))
    return Change(metric, before, now, again, spread, 1 / ratio - 1 if metric.more else ratio - 1)


def table(result: Mapping[str, Any]) -> str:
    """Markdown: a table for each size."""
    return "\n\n".join(_size(size, by_name) for size, by_name in result["sizes"].items())


def _size(size: str, by_name: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    before, now, again = ([each["figures"] for each in by_name[name]] for name in (BEFORE, NOW, AGAIN))
    rows = [
        f"| {' | '.join(cells)} |"
        for cells in (
            ("", "before", "now", "now, again", "spread of the pair", "change", ""),
            ("---", *["---:"] * 5, "---"),
            *map(_cells, changes(before, now, again)),
        )
    ]
    return f"## {size.replace('x', ' × ')}, {len(now)} rounds\n\n" + "\n".join(rows)


def _cells(change: Change) -> tuple[str, ...]:
    metric = change.metric
    figures = (f"{value:.{metric.digits}f}" for value in (change.before, change.now, change.again))
    label = f"{metric.label}, {metric.unit}" if metric.unit else metric.label
    verdict = "**worse**" if change.worse else "within"
    return (label, *figures, f"{change.spread:.1%}", f"{change.change:+.1%}", verdict)
