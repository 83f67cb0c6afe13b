"""A process that is a driver of Ray: a driver changes signal handlers, loggers and threads of its process.

``driver.py one`` has a cluster of this machine, ``driver.py two`` one of two nodes besides its head. It reads
the name of a case from each line of stdin, and answers with a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import ray
from tests.fleet.pids import Pids

from reactor_runtime.fleet.on_ray.cluster import Cluster
from reactor_runtime.fleet.on_ray.engine import RayEngine
from reactor_runtime.testing import ENGINE_CASES, check_engine

TOY = Path(__file__).parents[1] / "toy"
COMMAND = ["python", "-m", "reactor_runtime", "run", "-p", str(TOY), "--port", "0", "--allow-host", "*"]
LOOPBACK = "127.0.0.1"
STORE = 80 * 2**20

Case = Callable[[], Coroutine[Any, Any, Any]]


class RayRig:
    """What ran last is kept for cases that look at it."""

    def __init__(self, slots: int = 2, options: tuple[str, ...] = ()) -> None:
        self.lines: list[tuple[str, str]] = []
        self.cluster = Cluster("auto")
        self.engine = RayEngine(
            [*COMMAND, *options],
            slots,
            self.cluster,
            on_line=lambda name, line: self.lines.append((name, line)),
        )
        self.pids = Pids(self.engine)

    def crash(self, worker: str) -> None:
        os.kill(self.pids[worker], signal.SIGKILL)


def serve(cases: dict[str, Case]) -> None:
    """One case after the other, until nobody asks for more."""
    print(json.dumps(sorted(cases)), flush=True)
    for line in sys.stdin:
        try:
            answer = {"said": asyncio.run(_in_time(cases[line.strip()]))}
        except BaseException:
            answer = {"failed": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


async def _in_time(case: Case) -> Any:
    async with asyncio.timeout(80):
        return await case()


def one() -> None:
    from tests.fleet.on_ray import cases

    ray.init(
        address="local",  # a cluster of its own, whatever else runs on this machine
        num_cpus=2,
        num_gpus=4,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=STORE,
        _node_ip_address=LOOPBACK,
    )
    found: dict[str, Case] = {}
    for case in ENGINE_CASES:
        found[case.__name__] = lambda case=case: check_engine(case, RayRig)  # type: ignore[arg-type]  # two slots
    serve(found | cases.ONE)
    ray.shutdown()


def two() -> None:
    from ray.cluster_utils import Cluster as Nodes
    from tests.fleet.on_ray import cases

    options = {"node_ip_address": LOOPBACK, "include_dashboard": False, "object_store_memory": STORE}
    nodes = Nodes(initialize_head=True, head_node_args={"num_cpus": 2, "num_gpus": 0, **options})
    cases.NODES.append(nodes)
    cases.OPTIONS.update(options)
    ray.init(address=nodes.address, log_to_driver=False)
    serve(cases.TWO)
    ray.shutdown()
    nodes.shutdown()


if __name__ == "__main__":
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    {"one": one, "two": two}[sys.argv[1]]()
