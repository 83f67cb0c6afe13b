"""What the leak audit takes after a session. Run it with a Python that has this package, and torch if it may.

python benchmarks/audit.py --gib 2 --attributes 100000
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from reactor_runtime import VideoModel, model
from reactor_runtime.session.audit import Audit

BAR_MS = 50.0
ROUNDS = 9


class Part:
    """Something with attributes."""


@model("audited")
class Audited(VideoModel):
    def start_session(self) -> None: ...


def tensors(gib: float, count: int) -> list[Any]:
    size = int(gib * 2**30 / 4 / count)
    try:
        import torch
    except ImportError:
        return [np.ones(size, np.float32) for _ in range(count)]
    return [torch.ones(size) for _ in range(count)]


def parts(attributes: int, each: int) -> list[Part]:
    made = []
    for first in range(0, attributes, each):
        part = Part()
        for number in range(first, first + each):
            setattr(part, f"a{number - first}", float(number))
        made.append(part)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=2.0)
    parser.add_argument("--tensors", type=int, default=1000)
    parser.add_argument("--attributes", type=int, default=100_000)
    parser.add_argument("--each", type=int, default=100, help="attributes of one object")
    options = parser.parse_args()
    audited: Any = Audited()
    audited.weights = tensors(options.gib, options.tensors)
    audited.parts = parts(options.attributes, options.each)
    audit = Audit(Audited, Path("/nonexistent"))
    began = time.perf_counter()
    audit.begin(audited)
    print(f"before the first session  {(time.perf_counter() - began) * 1000:8.1f} ms, once")
    walls, processor = [], []
    for session in range(1, ROUNDS + 1):
        began, worked = time.perf_counter(), time.thread_time()
        report = audit.end(audited, session)
        walls.append((time.perf_counter() - began) * 1000)
        processor.append((time.thread_time() - worked) * 1000)
        assert report.clean
        assert not report.left_out
    middle = statistics.median(walls)
    print(f"after a session           {middle:8.1f} ms, {statistics.median(processor):.1f} ms of processor")
    print(f"objects visited           {report.visited:8d}")
    print(f"the bar                   {BAR_MS:8.1f} ms: {'held' if min(walls) <= BAR_MS else 'MISSED'}")


if __name__ == "__main__":
    main()
