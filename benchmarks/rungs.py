"""Media over TCP beside UDP: ``P=.venv-test/bin/python; $P tests/netns.py $P benchmarks/rungs.py``.

The model and the receiver of `benchmarks/run`, at 832 × 480 and 30 frames a second: over UDP, over TCP on the
HTTP port, and over TCP through the forwarder of the tests with 30 ms each way. What it prints is Markdown.
"""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from side_by_side.browser import chromium, files, receiver
from side_by_side.scenario import Outcome, Plan, Play
from side_by_side.servers import CONTENDERS, Server, running

REPOSITORY = Path(__file__).resolve().parents[1]
FORWARDER = REPOSITORY / "tests" / "wire" / "tunnel.py"
SIZE = (832, 480)
STEADY_S = 10.0
DELAY_S = 0.03
WAYS = (
    ("UDP", "udp", 0.0),
    ("TCP on the HTTP port", "tcp", 0.0),
    ("TCP through 30 ms each way", "tcp", DELAY_S),
)
FIGURES = (
    ("offer → first frame, fresh process, ms", "first_frame_fresh_ms", 0),
    ("emit → decoded, p50, ms", "latency_p50_ms", 1),
    ("emit → decoded, p99, ms", "latency_p99_ms", 1),
    ("frames a second, of 30", "fps", 1),
    ("frames delivered, share", "delivered", 3),
)


@contextmanager
def forwarded(port: int, delay_s: float, folder: Path) -> Iterator[int]:
    """A port that leads to the other one, `delay_s` away."""
    if not delay_s:
        yield port
        return
    near = free_port()
    ends = [
        subprocess.Popen([sys.executable, str(FORWARDER), *words], stdout=subprocess.PIPE, text=True)
        for words in (
            ("far", str(folder / "stream"), str(port), "127.0.0.1", str(delay_s), "0"),
            ("near", str(folder / "stream"), str(near), "127.0.0.1"),
        )
    ]
    try:
        for end in ends:
            assert end.stdout is not None
            assert end.stdout.readline() == "open\n"
        yield near
    finally:
        for end in ends:
            end.terminate()
            end.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measured(wire: str, delay_s: float, origin: str, folder: Path) -> Outcome:
    [ours] = [each for each in CONTENDERS if each.name == "ours"]
    contender = dataclasses.replace(
        ours, environment=str(REPOSITORY / ".venv-test"), command=(*ours.command, "--wire", wire)
    )
    outcome = Outcome()
    with (
        chromium() as browser,
        running(contender, free_port(), SIZE, folder / "log") as server,
        forwarded(int(server.base.rpartition(":")[2]), delay_s, folder) as port,
        receiver(browser, origin) as page,
    ):
        there = Server(server.process, f"http://127.0.0.1:{port}")
        Play(contender, there, page, SIZE, Plan(STEADY_S, everything=False), outcome).everything()
    return outcome


def main() -> None:
    before = os.getloadavg()[0]
    found = []
    with files() as origin:
        for _, wire, delay_s in WAYS:
            with tempfile.TemporaryDirectory() as folder:
                found.append(measured(wire, delay_s, origin, Path(folder)).figures)
    print("|  |", " | ".join(name for name, _, _ in WAYS), "|")
    print("| --- |", " | ".join("---:" for _ in WAYS), "|")
    for name, key, digits in FIGURES:
        print(f"| {name} |", " | ".join(f"{figures[key]:.{digits}f}" for figures in found), "|")
    print(f"\nLoad average before and after: {before:.1f}, {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
