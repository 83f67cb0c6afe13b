"""Costs of our own parts, each beside its yardstick in the same run."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from side_by_side.__main__ import RESULTS
from side_by_side.servers import CONTENDERS, STUDIO, Contender

from .settings import VIEWERS
from .wire import model_speed, viewers_and_idle

HERE = Path(__file__).parent
Row = tuple[str, str, str, str]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run-micro", description=__doc__)
    parser.add_argument("--ours", type=Path, help="measure the checkout in this folder in place of this one")
    parser.add_argument("--no-wire", action="store_true", help="leave out what needs Chromium")
    return parser.parse_args()


def inside(python: Path, path: str) -> dict[str, Any]:
    environ = {**os.environ, "PYTHONPATH": path}
    output = subprocess.run(
        [str(python), str(HERE / "inside.py")], env=environ, stdout=subprocess.PIPE, check=True
    )
    result: dict[str, Any] = json.loads(output.stdout)
    return result


def inside_rows(found: dict[str, Any]) -> list[Row]:
    rows = []
    for size, cost in found["conversion"].items():
        yardstick = f"copy {cost['copy_ms']:.2f} ms, PyAV {cost['pyav_ms']:.2f} ms"
        share = f"1/{cost['pyav_ms'] / cost['ours_ms']:.1f} of PyAV"
        rows.append((f"RGB → I420, {size}, ms of CPU", f"{cost['ours_ms']:.2f}", yardstick, share))
    for size, cost in found["emit"].items():
        bar = _pass(cost["held_ms"] <= 0.6) + " (≤ 0.6 ms)" if size == "1280x720" else ""
        rows.append((f"emit holds the model, {size}, ms", f"{cost['held_ms']:.2f}", "", bar))
    planes = found["planes"]
    for dtype in ("uint8", "float32"):
        cost = planes[f"{dtype}_ms"]
        strided = f"a strided copy of uint8 {planes['copy_ms']:.2f} ms"
        rows.append((f"planes of {dtype} → RGB, 1280x720, ms of CPU", f"{cost:.2f}", strided, ""))
    gil = found["gil"]
    beside = f"beside hashing {gil['hash']:.2f}"
    kept = gil["conversion"] >= 0.9 * gil["hash"]
    said = f"{_pass(kept)} (GIL released)"
    rows.append(("a Python loop beside conversion without pause", f"{gil['conversion']:.2f}", beside, said))
    section = found["section"]
    empty = f"an empty context manager {section['empty_us']:.1f}"
    rows.append(("a profiler's section, µs of CPU", f"{section['section_us']:.1f}", empty, ""))
    return rows


def wire_rows(cost: dict[str, float], speed: float) -> list[Row]:
    bars = (
        ("one_viewer", "one viewer, 832x480 at 30 fps", 25.0),
        ("further_viewer", f"each further viewer, of {VIEWERS}", 4.0),
        ("idle_connection", "each further connection, model silent", 0.5),
        ("silent_session", "a session with a silent model", 1.0),
    )
    rows = [
        (f"{what}, % of a core", f"{cost[key] * 100:.1f}", "", f"{_pass(cost[key] * 100 <= bar)} (≤ {bar:g})")
        for key, what, bar in bars
    ]
    verdict = f"{_pass(speed >= 0.9)} (≥ 0.90)"
    rows.append(("a pure-Python model beside its stream", f"{speed:.2f}", "the same, not emitting", verdict))
    return rows


def _pass(holds: bool) -> str:
    return "pass" if holds else "**fail**"


def contender(checkout: Path | None) -> Contender:
    if checkout is None:
        return CONTENDERS[0]
    path = f"{checkout.resolve() / 'src'}:{STUDIO}"
    return dataclasses.replace(CONTENDERS[0], environ=(("PYTHONPATH", path),))


def main() -> None:
    arguments = parse()
    ours = contender(arguments.ours)
    RESULTS.mkdir(exist_ok=True)
    rows = inside_rows(inside(ours.python, dict(ours.environ).get("PYTHONPATH", "")))
    if not arguments.no_wire:
        log = RESULTS / "micro.log"
        rows += wire_rows(viewers_and_idle(ours, log), model_speed(ours, log))
    lines = [("", "ours", "beside", ""), ("---", "---:", "---", "---"), *rows]
    text = "\n".join(f"| {' | '.join(row)} |" for row in lines)
    (RESULTS / f"micro-{time.strftime('%Y%m%d-%H%M%S')}.md").write_text(f"{text}\n")
    print(text)


if __name__ == "__main__":
    main()
