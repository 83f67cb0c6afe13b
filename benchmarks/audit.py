"""What the leak audit takes after a session. Run it with a Python that has this package, and torch if it may.

python benchmarks/audit.py --gib 2 --attributes 100000
python benchmarks/audit.py --frames    # frames that come late with it, beside those without
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from reactor_runtime import VideoModel, VideoOut, get_ctx, model
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.session.audit import Audit
from reactor_runtime.testing import serve

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


FPS = 60
FRAMES = 240
LATE = 1.5
"""Periods after the frame before it from which on a frame is late."""
PAIRS = 6
gaps: list[float] = []


@model("framed", keep=["__main__.gaps"])
class Framed(VideoModel):
    """Emits at a rate that `emit` keeps, and says how far apart its frames were."""

    main_video = VideoOut(rate=FPS)

    def __init__(self, config: Any) -> None:
        self.weights = tensors(config.gib, 1000)
        self.parts = parts(100_000, 100)

    def start_session(self) -> None:
        frame = np.zeros((144, 256, 3), np.uint8)
        last = None
        for _ in range(FRAMES):
            get_ctx().get_track("main_video").emit(frame)
            now = time.perf_counter()
            if last is not None:
                gaps.append(now - last)
            last = now


async def late_share(server: Any) -> float:
    """Of the frames of one session, in per cent."""
    gaps.clear()
    client = await server.join()
    await client.wait_end(FRAMES / FPS + 20)
    return 100 * sum(gap > LATE / FPS for gap in gaps) / len(gaps)


async def frames(gib: float) -> None:
    async with (
        serve(Framed, {"gib": gib}, options=HttpOptions(audit="off")) as without,
        serve(Framed, {"gib": gib}, options=HttpOptions(audit="warn")) as audited,
    ):
        shares: dict[str, list[float]] = {"without": [], "with": []}
        for _ in range(PAIRS):
            shares["without"].append(await late_share(without))
            shares["with"].append(await late_share(audited))
    for name, found in shares.items():
        print(
            f"late frames {name:8} {statistics.median(found):6.2f} %   {[round(each, 2) for each in found]}"
        )
    more = statistics.median(shares["with"]) - statistics.median(shares["without"])
    print(f"the bar, 1 % more    {more:6.2f} %: {'held' if more <= 1 else 'MISSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=2.0)
    parser.add_argument("--tensors", type=int, default=1000)
    parser.add_argument("--attributes", type=int, default=100_000)
    parser.add_argument("--each", type=int, default=100, help="attributes of one object")
    parser.add_argument("--frames", action="store_true", help="frames that come late, with and without")
    options = parser.parse_args()
    if options.frames:
        asyncio.run(frames(options.gib))
        return
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
