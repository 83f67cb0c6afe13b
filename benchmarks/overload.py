"""A frame's price when the processor is short.

``P=.venv-test/bin/python; $P tests/netns.py $P benchmarks/overload.py``: a server sends 1080p VP8 to one
client without a page (aiortc). In turn the server has the machine, and is held to half a core (a cgroup of
the kernel's; needs root on Linux); the client is no part of it unless `--together` says so. Printed as
Markdown: frames delivered, what was skipped, and processor time of the server for each delivered frame.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiortc.mediastreams import MediaStreamError
from side_by_side.servers import STUDIO
from side_by_side.servers import Server as RunningServer

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.wire.client import Client
from tests.wire.server import Server

REPOSITORY = Path(__file__).resolve().parents[1]
PERIOD_US = 10_000
"""Short, so that a share of the processor is a slow processor rather than one with holes."""
SETTLE_S = 4.0
CGROUPS = Path("/sys/fs/cgroup")


class Viewer(Client):
    """Decodes every frame and only counts them."""

    delivered = 0

    async def _receive(self, name: str, track: Any) -> None:
        with suppress(MediaStreamError):
            while True:
                await track.recv()
                self.delivered += 1


class Share:
    """A group of processes that gets so much of the processor; v1 and v2 of cgroups."""

    def __init__(self, folder: Path, version: int) -> None:
        self._folder, self._version = folder, version

    def set(self, cores: float | None) -> None:
        quota = None if cores is None else int(cores * PERIOD_US)
        if self._version == 2:
            (self._folder / "cpu.max").write_text(f"{quota or 'max'} {PERIOD_US}")
        else:
            (self._folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self._folder / "cpu.cfs_quota_us").write_text(str(quota or -1))

    def take(self, process: int) -> None:
        (self._folder / "cgroup.procs").write_text(str(process))


@contextmanager
def share() -> Iterator[Share]:
    v1 = CGROUPS / "cpu"
    parent, version = (v1, 1) if v1.is_dir() else (CGROUPS, 2)
    folder = parent / f"reactor-overload-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        sys.exit(f"No cgroup can be made in {parent} ({error.strerror}); this needs root on Linux.")
    try:
        yield Share(folder, version)
    finally:
        for process in (folder / "cgroup.procs").read_text().split():
            (parent / "cgroup.procs").write_text(process)
        folder.rmdir()


@dataclass
class Sample:
    """Totals at one moment."""

    at: float
    delivered: int
    cpu: float
    """Of the server, in seconds."""
    model: float
    """Of the model's own thread."""
    counts: dict[str, float]
    """Of `/metrics`."""


@dataclass
class Window:
    """Between two samples."""

    fps: float
    price_ms: float
    """Of a delivered frame: the server without the model's own thread."""
    whole_ms: float
    skipped: float
    encoded: float
    sent: float
    keyframes: float
    waits: float


async def sample(server: Server, client: Viewer) -> Sample:
    text = (await client.http.get("/metrics")).text
    counts = {
        name + labels: float(number)
        for name, labels, number in re.findall(r"^(reactor_\w+)(\S*) (\S+)$", text, re.M)
    }
    spent = (await client.ask("spent"))["data"]
    cpu = RunningServer(server.process, server.url).cpu()
    return Sample(asyncio.get_running_loop().time(), client.delivered, cpu, _seconds(spent), counts)


def _seconds(answer: Any) -> float:
    """Wherever the message holds them."""
    match = re.search(r"'seconds': ([\d.e-]+)", str(answer))
    assert match is not None, answer
    return float(match[1])


def between(before: Sample, after: Sample) -> Window:
    def grown(part: str) -> float:
        return sum(
            number - before.counts.get(name, 0) for name, number in after.counts.items() if part in name
        )

    frames = max(1, after.delivered - before.delivered)
    cpu, model = after.cpu - before.cpu, after.model - before.model
    return Window(
        (after.delivered - before.delivered) / (after.at - before.at),
        (cpu - model) / frames * 1000,
        cpu / frames * 1000,
        grown('place="encoder"'),
        grown('what="frames_encoded"'),
        grown("reactor_sent_frames"),
        grown('what="keyframes"'),
        grown("keyframe_waits_total"),
    )


async def measured(server: Server, group: Share, arguments: argparse.Namespace) -> dict[str, list[Window]]:
    client = Viewer(server.url, codec=arguments.codec)
    await client.connect(await client.start())
    found: dict[str, list[Window]] = {"quiet": [], "short": []}
    for _ in range(arguments.rounds):
        for name, cores in (("quiet", None), ("short", arguments.cores)):
            group.set(cores)
            await asyncio.sleep(SETTLE_S)
            before = await sample(server, client)
            await asyncio.sleep(arguments.seconds)
            found[name].append(between(before, await sample(server, client)))
    group.set(None)
    await client.close()
    return found


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/overload.py")
    parser.add_argument("--cores", type=float, default=0.5, help="what the server has when it is short")
    parser.add_argument("--together", action="store_true", help="the client is held with it")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--codec", default="VP8")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


@contextmanager
def serving(size: str) -> Iterator[Server]:
    width, height = size.split("x")
    os.environ.update(PYTHONPATH=f"{REPOSITORY / 'src'}:{STUDIO}", BENCH_WIDTH=width, BENCH_HEIGHT=height)
    server = Server(REPOSITORY / "benchmarks" / "overloaded", "--host", "127.0.0.1")
    try:
        server.wait_ready()
        yield server
    finally:
        server.process.terminate()
        server.process.wait(20)


def main() -> None:
    arguments = parse()
    before = os.getloadavg()[0]
    with share() as group, serving(arguments.size) as server:
        if arguments.together:
            group.take(os.getpid())
        group.take(server.process.pid)
        found = asyncio.run(measured(server, group, arguments))
    middle = {
        name: {key: statistics.median(getattr(each, key) for each in windows) for key in vars(windows[0])}
        for name, windows in found.items()
    }
    quiet, short = middle["quiet"], middle["short"]
    size, cores, rounds = arguments.size, arguments.cores, arguments.rounds
    heads = (
        f"{size} {arguments.codec}, medians of {rounds}",
        "all of the machine",
        f"{cores:g} cores",
        "ratio",
    )
    print("|", " | ".join(heads), "|")
    print("| --- | ---: | ---: | ---: |")
    for label, key in (
        ("frames delivered a second, of 30", "fps"),
        ("processor time of the server for each, without the model's thread, ms", "price_ms"),
        ("the same with it, ms", "whole_ms"),
        (f"frames skipped in front of the encoder, in {arguments.seconds:g} s", "skipped"),
        ("frames encoded", "encoded"),
        ("frames given to the engine", "sent"),
        ("keyframes", "keyframes"),
        ("waits for one", "waits"),
    ):
        ratio = f"{short[key] / quiet[key]:.2f}" if quiet[key] else ""
        print(f"| {label} | {quiet[key]:.1f} | {short[key]:.1f} | {ratio} |")
    print(f"\nLoad average before and after: {before:.1f}, {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
