"""This checkout beside an earlier one, and twice: what moves by itself is no change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from .figures import METRICS, Figures, Metric

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
    """These are medians over the rounds, for the reader."""
    spread: float
    """Between the two measurements of the same checkout."""
    change: float
    """From before to the mean of the two; above 0 is worse, whichever way the figure counts."""

    @property
    def worse(self) -> bool:
        return self.change > self.spread + MARGIN


def changes(before: Sequence[Figures], now: Sequence[Figures], again: Sequence[Figures]) -> list[Change]:
    """Of each figure that all three have and of which a ratio says something.

    Ratios are those within a round, where all three had the same machine; of these the median.
    """
    known = [m for m in METRICS if m.compared or m.key in ("mbit_s", "psnr_db")]
    rounds = [
        (metric, [values for each in zip(before, now, again, strict=True) if (values := _of(metric, each))])
        for metric in known
    ]
    return [_change(metric, values) for metric, values in rounds if values]


def _of(metric: Metric, three: Iterable[Figures]) -> tuple[float, ...]:
    """Empty unless all three have it."""
    values = tuple(figures.get(metric.key, 0.0) for figures in three)
    return values if all(value > 0 for value in values) else ()


def _change(metric: Metric, rounds: Sequence[tuple[float, ...]]) -> Change:
    before, now, again = (median(values) for values in zip(*rounds, strict=True))
    spread = _apart(median(b / a for _, a, b in rounds))
    ratio = median((a + b) / 2 / old for old, a, b in rounds)
    if metric.key == "mbit_s":
        return Change(metric, before, now, again, spread, abs(ratio - 1))
    return Change(metric, before, now, again, spread, 1 / ratio - 1 if metric.more else ratio - 1)


def _apart(ratio: float) -> float:
    """The same for two figures, whichever stands above the other."""
    return max(ratio, 1 / ratio) - 1


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
