"""How soon a killed worker is missed and replaced: ``PYTHONPATH=. $P benchmarks/replacement.py [COUNT]``.

A worker that somebody plays on is killed. Printed are the times until its client is told, until the process
of the next worker exists, and until that one is ready: what is not the model's own loading is ours.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import time
from pathlib import Path

from tests.fleet.serving import Fleet, Stream, serving

TICKS = os.sysconf("SC_CLK_TCK")


def began(pid: int) -> float:
    """When a process began, on the monotonic clock, to a hundredth of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / TICKS


def once(fleet: Fleet) -> tuple[float, float, float]:
    fleet.wait_ready(1)
    ticket = fleet.ticket()
    worker = fleet.worker_of(fleet.claim(ticket)["session_id"])
    stream = Stream(fleet, ticket)
    fleet.until(lambda: stream.last().get("state") == "claimed", "no stream")
    killed = time.monotonic()
    os.kill(worker["pid"], signal.SIGKILL)
    fleet.until(lambda: stream.last()["reason"] == "worker_lost", "its client was not told")
    told = next(at for at, place in stream.places if place["reason"] == "worker_lost") - killed
    fleet.until(lambda: fleet.place(ticket)["state"] == "offered", "no other worker came")
    ready = next(at for at, place in stream.places if at > killed and place["state"] == "offered") - killed
    fleet.http.delete(f"/tickets/{ticket}")
    [pid] = [each["pid"] for each in fleet.workers().values()]
    return told, began(pid) - killed, ready


def main(count: int) -> None:
    with serving("--workers", "1", "--offers-per-minute", "0") as fleet:
        found = [once(fleet) for _ in range(count)]
    print("            told   begun   ready (s after the kill, medians of", f"{count})")
    told, begun, ready = (statistics.median(values) for values in zip(*found, strict=True))
    print(f"         {told:7.2f} {begun:7.2f} {ready:7.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
