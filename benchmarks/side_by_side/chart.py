"""One picture of a run: latency and processor time of each contender."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

from .figures import medians

mpl.use("svg")
import matplotlib.pyplot as plt

OURS, OTHERS, FAINT = "#1f6feb", "#8b949e", 0.35


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Write an SVG."""
    mpl.rcParams["svg.hashsalt"] = "reactor"
    size, by_name = next(iter(result["sizes"].items()))
    figures = {name: medians(outcome["figures"] for outcome in rounds) for name, rounds in by_name.items()}
    names = [name for name in figures if "latency_p50_ms" in figures[name]]
    colours = [OURS if result["contenders"][name]["ours"] else OTHERS for name in names]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 0.5 * len(names) + 1.2), sharey=True)
    p99 = [figures[name]["latency_p99_ms"] for name in names]
    p50 = [figures[name]["latency_p50_ms"] for name in names]
    left.barh(names, p99, color=colours, alpha=FAINT)
    left.barh(names, p50, color=colours)
    left.set_title("emit → decoded: p50, and p99 behind it (ms)", fontsize=10)
    right.barh(names, [figures[name]["cpu_ms_per_frame"] for name in names], color=colours)
    right.set_title("sender CPU per frame (ms)", fontsize=10)
    for axes, values in ((left, p50), (right, [figures[name]["cpu_ms_per_frame"] for name in names])):
        axes.invert_yaxis() if axes is left else None
        axes.spines[["top", "right"]].set_visible(False)
        for row, value in enumerate(values):
            axes.annotate(
                f"{value:.0f}", (value, row), (4, 0), textcoords="offset points", va="center", fontsize=9
            )
    figure.suptitle(f"{size.replace('x', ' × ')} at 30 fps, lower is better", fontsize=11)
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
