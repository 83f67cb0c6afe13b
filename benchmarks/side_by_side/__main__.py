"""The side-by-side run: every contender in turn, round after round. `benchmarks/run` starts it.

Ctrl-C ends it early; the report is made of what was measured until then.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import turns, versions
from .browser import files
from .chart import draw
from .environments import CHECKOUT, HERE
from .report import markdown
from .scenario import Outcome, Plan, play
from .servers import CONTENDERS, STUDIO, Contender, version

RESULTS = HERE.parent / "results"
PORTS = itertools.count(18_100)
DOCS = CHECKOUT / "docs"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--sizes", default="832x480,1280x720", help="the first gets every part, the others the steady one"
    )
    parser.add_argument("--only", default="", help="names of contenders as in the table, separated by |")
    parser.add_argument("--seconds", type=float, default=6.0, help="of the steady part")
    parser.add_argument("--ours", type=Path, help="measure the checkout in this folder in place of this one")
    parser.add_argument("--beside", type=Path, help="measure the checkout in this folder beside this one")
    parser.add_argument(
        "--before",
        type=Path,
        help="this checkout, twice, and the one in this folder: is any figure worse?",
    )
    parser.add_argument("--note", default="", help="a sentence on the machine for the report")
    parser.add_argument("--publish", action="store_true", help="write docs/benchmarks.md and its chart too")
    return parser.parse_args(arguments)


def contenders(arguments: argparse.Namespace) -> list[Contender]:
    chosen = [_at(each, arguments.ours) if each.ours and arguments.ours else each for each in CONTENDERS]
    if arguments.beside:
        chosen[1:1] = [dataclasses.replace(_at(CONTENDERS[0], arguments.beside), name="ours, beside")]
    if arguments.before:
        ours = chosen[0]
        before = dataclasses.replace(_at(ours, arguments.before), name=versions.BEFORE)
        chosen = [ours, before, dataclasses.replace(ours, name=versions.AGAIN)]
    wanted = {name.strip() for name in arguments.only.split("|")} - {""}
    unknown = wanted - {each.name for each in chosen}
    if unknown:
        raise SystemExit(
            f"no contender {', '.join(sorted(unknown))}; there are: {', '.join(c.name for c in chosen)}"
        )
    return [each for each in chosen if (not wanted or each.name in wanted) and _installed(each)]


def _at(contender: Contender, checkout: Path) -> Contender:
    """The same dependencies, the sources of another checkout."""
    path = f"{checkout.resolve() / 'src'}:{STUDIO}"
    return dataclasses.replace(contender, environ=(*contender.environ, ("PYTHONPATH", path)))


def _installed(contender: Contender) -> bool:
    if contender.python.exists():
        return True
    print(f"{contender.name}: left out, its environment is not there", file=sys.stderr)
    return False


def picture_cost() -> float:
    """Milliseconds of processor time that drawing one picture of the first size takes."""
    script = (
        "import time\nfrom studio import Studio\ns = Studio((832, 480))\ns.draw()\nb = time.thread_time()\n"
        "for _ in range(200): s.draw()\nprint((time.thread_time() - b) * 5)"
    )
    environ = {**os.environ, "PYTHONPATH": str(STUDIO)}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    return float(run.stdout)


def machine() -> str:
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores of {model}, Linux {platform.release().split('-')[0]}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    chosen = contenders(arguments)
    sizes = [size.strip() for size in arguments.sizes.split(",")]
    outcomes: dict[str, dict[str, list[Outcome]]] = {s: {c.name: [] for c in chosen} for s in sizes}
    RESULTS.mkdir(exist_ok=True)
    loads = [os.getloadavg()[0]]
    plans = [(size, Plan(arguments.seconds, everything=not n)) for n, size in enumerate(sizes)]
    measured = _in_rounds if arguments.before else _one_by_one
    with contextlib.suppress(KeyboardInterrupt), files() as origin:
        for number, (size, plan) in itertools.product(range(arguments.rounds), plans):
            # Who comes first is not favoured, nor who stands in the middle.
            for name, outcome in measured(turns.rotated(chosen, number), origin, size, plan):
                outcomes[size][name].append(outcome)
                _say(number, size, name, outcome)
                loads.append(os.getloadavg()[0])
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "noise": arguments.note or f"Its load average was {min(loads):.1f} to {max(loads):.1f} meanwhile.",
        "picture_ms": picture_cost(),
        "rounds": max(len(rounds) for rounds in outcomes[sizes[0]].values()),
        "contenders": {each.name: _described(each) for each in chosen},
        "sizes": {
            size: {name: [dataclasses.asdict(each) for each in rounds] for name, rounds in by_name.items()}
            for size, by_name in outcomes.items()
        },
    }


def _one_by_one(order: list[Contender], origin: str, size: str, plan: Plan) -> Iterator[tuple[str, Outcome]]:
    """Each contender alone on the machine."""
    for contender in order:
        yield contender.name, play(contender, origin, next(PORTS), _parsed(size), plan, _log(contender))


def _in_rounds(order: list[Contender], origin: str, size: str, plan: Plan) -> Iterator[tuple[str, Outcome]]:
    """Versions of ours, in small turns."""
    yield from turns.Round(origin, PORTS, _parsed(size), plan, _log).outcomes(order).items()


def _parsed(size: str) -> tuple[int, int]:
    width, height = size.split("x")
    return int(width), int(height)


def _log(contender: Contender) -> Path:
    return RESULTS / f"{contender.name.replace(', ', '-').replace(' ', '-')}.log"


def _described(contender: Contender) -> dict[str, Any]:
    return {
        "distribution": contender.distribution,
        "version": version(contender),
        "ours": contender.ours,
        "public": contender.name.startswith("public"),
    }


def _say(number: int, size: str, name: str, outcome: Outcome) -> None:
    f = outcome.figures
    said = outcome.error or (
        f"p50 {f['latency_p50_ms']:.1f} ms, p99 {f['latency_p99_ms']:.1f} ms, {f['fps']:.1f} fps, "
        f"{f['cpu_ms_per_frame']:.1f} ms of CPU a frame"
    )
    print(f"{time.strftime('%H:%M:%S')} round {number + 1}, {size}, {name}: {said}", flush=True)


def main() -> None:
    arguments = parse()
    result = run(arguments)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    (RESULTS / f"{stamp}.json").write_text(json.dumps(result, indent=1) + "\n")
    if arguments.before:
        (RESULTS / f"{stamp}.md").write_text(versions.table(result) + "\n")
        print(f"\n{versions.table(result)}\nIn {RESULTS / stamp}.md and .json")
        return
    (RESULTS / f"{stamp}.md").write_text(markdown(result))
    draw(result, RESULTS / f"{stamp}.svg")
    if arguments.publish:
        (DOCS / "images").mkdir(exist_ok=True)
        draw(result, DOCS / "images" / "benchmarks.svg")
        (DOCS / "benchmarks.md").write_text(markdown(result, "images/benchmarks.svg"))
    print(f"\n{markdown(result)}\nIn {RESULTS / stamp}.md, .json and .svg")


if __name__ == "__main__":
    main()
