"""The result of a run as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .figures import METRICS, Metric, judge, medians

Result = Mapping[str, Any]
"""``{"machine", "rounds", "contenders": {name: …}, "sizes": {size: {name: […]}}}``"""

TUNNEL = Path(__file__).with_name("tunnel.md").read_text()
"""What `benchmarks/tunnel.py --publish` found."""
ELSEWHERE = f"""\
{TUNNEL}\
## Media over TCP

`benchmarks/rungs.py`, `benchmarks/first_frame.py` and `benchmarks/splice.py`: see
[performance](performance.md#media-over-tcp).

## Downloads of weights

`benchmarks/weights.py`, beside curl: see [performance](performance.md#downloads-of-weights).

"""


def markdown(result: Result, chart: str | None = None) -> str:
    parts = [_head(result)]
    if chart:
        parts.append(f"![Latency and processor time, ours beside the others]({chart})")
    for size, by_name in result["sizes"].items():
        parts.append(_size(size, by_name, result["contenders"]))
    parts.append(_versions(result))
    return "\n\n".join(parts) + "\n"


def _head(result: Result) -> str:
    return f"""# Side by side

Made by `benchmarks/run` on {result["date"]}; do not edit. Every contender serves the same moving picture
at 30 frames a second to the same headless Chromium on the same machine, in turn, in {result["rounds"]}
round(s); the table has the medians. The picture carries the moment it was emitted, so a latency runs from the
call that emits a frame to the frame in the page's hands.

Machine: {result["machine"]}. {result["noise"]}
One picture costs the model itself {result["picture_ms"]:.1f} ms of processor time, in everyone's figures.

“Better public” is the better of the public runtimes of this ecosystem, whichever codec; the bars are
against it. FastRTC runs the model again for every viewer and has no commands: there a route of the author's
own stands in, as its documentation shows."""


def _size(size: str, by_name: Mapping[str, Sequence[Result]], contenders: Mapping[str, Any]) -> str:
    figures = {name: medians(outcome["figures"] for outcome in rounds) for name, rounds in by_name.items()}
    ours = [name for name in figures if contenders[name]["ours"]]
    public = [figures[name] for name in figures if contenders[name]["public"]]
    used = [metric for metric in METRICS if any(metric.key in each for each in figures.values())]
    notes: list[str] = []
    head = ["", *[f"{name} ({_codec(by_name[name])})" for name in figures]]
    rows = [head]
    for metric in used:
        rows.append(
            [_label(metric), *[_cell(metric, figures[name], by_name[name], notes, name) for name in figures]]
        )
    text = f"## {size.replace('x', ' × ')}\n\n{_table(rows)}"
    text += "".join(f"\n{number}. {note}" for number, note in enumerate(notes, 1)) if notes else ""
    for name in ours:
        text += f"\n\n### {name[0].upper()}{name[1:]} against the better public runtime\n\n"
        text += _table(_verdicts(used, figures, name, public))
    return text


def _verdicts(
    metrics: Sequence[Metric],
    figures: Mapping[str, Mapping[str, float]],
    name: str,
    public: Sequence[Mapping[str, float]],
) -> list[list[str]]:
    rows = [["", "ours", "better public", "ratio", "bar", "", "ratio to FastRTC"]]
    for metric in metrics:
        verdict = judge(metric, figures[name], public)
        fastrtc = judge(metric, figures[name], [figures.get("FastRTC", {})])
        other = min((f[metric.key] for f in public if metric.key in f), default=None)
        if metric.more:
            other = max((f[metric.key] for f in public if metric.key in f), default=None)
        passed = {True: "pass", False: "**fail**", None: "-"}[verdict.passed] if verdict.bar else ""
        rows.append(
            [
                _label(metric),
                _number(figures[name].get(metric.key), metric),
                _number(other, metric),
                _ratio(verdict.ratio),
                verdict.bar,
                passed,
                _ratio(fastrtc.ratio),
            ]
        )
    return rows


def _codec(rounds: Sequence[Result]) -> str:
    return next((outcome["codec"].removeprefix("video/") for outcome in rounds if outcome["codec"]), "-")


def _cell(
    metric: Metric, figures: Mapping[str, float], rounds: Sequence[Result], notes: list[str], name: str
) -> str:
    if metric.key in figures:
        return _number(figures[metric.key], metric)
    reasons = [outcome["reasons"].get(metric.key) or outcome["error"] for outcome in rounds]
    reason = next((reason for reason in reasons if reason), "")
    if not reason:
        return "-"
    note = f"{name}: {reason}."
    if note not in notes:
        notes.append(note)
    return f"- ({notes.index(note) + 1})"


def _label(metric: Metric) -> str:
    return f"{metric.label}, {metric.unit}" if metric.unit else metric.label


def _number(value: float | None, metric: Metric) -> str:
    return "-" if value is None else f"{value:.{metric.digits}f}"


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return "-"
    return f"1/{1 / ratio:.1f}" if 0 < ratio < 0.95 else f"{ratio:.2f}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _versions(result: Result) -> str:
    lines = [
        f"* {name}: `{contender['distribution']}` {contender['version']}"
        for name, contender in result["contenders"].items()
    ]
    return ELSEWHERE + "## What was installed\n\n" + "\n".join(lines)
