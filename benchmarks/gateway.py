"""What the gateway adds to a request: ``PYTHONPATH=. .venv-test/bin/python benchmarks/gateway.py [PAIRS]``.

One client asks for the state of its session, of the worker itself and through the gateway, in turns,
each over a connection of its own that stays. Printed are medians, and what each process spent of
the processor on it.
"""

from __future__ import annotations

import http.client
import re
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.fleet import serving

BLOCK = 25
"""Requests on one way before it is the other's turn."""
WARM = 10
"""Blocks that do not count."""


@dataclass
class Way:
    host: str
    port: int
    path: str
    headers: dict[str, str]
    took: list[float] = field(default_factory=list)
    spent: dict[int, int] = field(default_factory=dict)
    """Nanoseconds of the processor, by process."""

    def __post_init__(self) -> None:
        self._http = http.client.HTTPConnection(self.host, self.port)

    def block(self, pids: list[int]) -> None:
        before = {pid: spent(pid) for pid in pids}
        for _ in range(BLOCK):
            began = time.perf_counter()
            self._http.request("GET", self.path, headers=self.headers)
            answer = self._http.getresponse()
            answer.read()
            self.took.append(time.perf_counter() - began)
            assert answer.status == 200, answer.status
        for pid in pids:
            self.spent[pid] = self.spent.get(pid, 0) + spent(pid) - before[pid]

    def forget(self) -> None:
        self.took.clear()
        self.spent.clear()

    def line(self, name: str, gateway: int, worker: int) -> str:
        each = [self.spent[pid] / len(self.took) / 1e6 for pid in (gateway, worker)]
        low, middle = statistics.quantiles(self.took, n=10)[0] * 1e3, statistics.median(self.took) * 1e3
        return f"{name:<8} {low:8.2f} {middle:8.2f} {each[0]:9.2f} {each[1]:8.2f}"


def spent(pid: int) -> int:
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks)


def main(pairs: int) -> None:
    with serving.serving("--workers", "1", "--offers-per-minute", "0") as fleet:
        claimed = fleet.claim(fleet.ticket())
        worker, gateway = next(iter(fleet.workers().values()))["pid"], fleet.gateway_pid()
        variables = Path(f"/proc/{worker}/environ").read_bytes().decode()
        secret = re.findall(r"REACTOR_TOKEN=([^\0]+)", variables)[0]
        port = int(re.findall(r"\[w1\].* on http://127.0.0.1:(\d+)", fleet.log)[0])
        through = httpx.URL(claimed["base_url"])
        ways = (
            Way("127.0.0.1", port, "/session", {"Authorization": f"Bearer {secret}"}),
            Way(through.host, through.port or 80, f"{through.path}/session", {}),
        )
        for number in range(WARM + pairs // BLOCK):
            if number == WARM:
                for way in ways:
                    way.forget()
            for way in ways:
                way.block([gateway, worker])
        print("           p10 ms   median   gateway   worker (ms of the processor)")
        for name, way in zip(("direct", "through"), ways, strict=True):
            print(way.line(name, gateway, worker))
        added = statistics.median(ways[1].took) - statistics.median(ways[0].took)
        print(f"The gateway adds {added * 1e3:.2f} ms (median of {len(ways[0].took)})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
