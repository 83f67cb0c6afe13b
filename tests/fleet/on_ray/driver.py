"""A process that is a driver of Ray: a driver changes signal handlers, loggers and threads of its process.

It runs every case and writes a line of JSON for each, as soon as it is over: its name, and how it failed. One
cluster is this machine, one has two nodes. Workers and actors that begin are what costs time: so the suite of
every engine has one engine, whose workers stay from case to case.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import ray
from tests.fleet.pids import Pids

from reactor_runtime.fleet.on_ray.cluster import Cluster
from reactor_runtime.fleet.on_ray.engine import PLACED_S, RayEngine
from reactor_runtime.testing import ENGINE_CASES, check_case

TOY = Path(__file__).parents[1] / "toy"
COMMAND = ["python", "-m", "reactor_runtime", "run", "-p", str(TOY), "--port", "0", "--allow-host", "*"]
LOOPBACK = "127.0.0.1"
STORE = 80 * 2**20
CASE_S = 80.0
QUICK: dict[str, Any] = {"health_check_period_ms": 500, "health_check_failure_threshold": 3}
"""How soon Ray finds a node dead, for a test: 15 s are its own."""


class RayRig:
    def __init__(
        self, slots: int = 2, options: tuple[str, ...] = (), placed_within: float = PLACED_S
    ) -> None:
        self.lines: list[tuple[str, str]] = []
        self.cluster = Cluster("auto")
        self.engine = RayEngine(
            [*COMMAND, *options],
            slots,
            self.cluster,
            on_line=lambda name, line: self.lines.append((name, line)),
            placed_within=placed_within,
        )
        self.pids = Pids(self.engine)

    def crash(self, worker: str) -> None:
        os.kill(self.pids[worker], signal.SIGKILL)


async def shared(cases: dict[str, Callable[[RayRig], Coroutine[Any, Any, Any]]]) -> None:
    """One engine for all of them, in their order; a new one after a case that failed."""
    rig: RayRig | None = None
    for name, case in cases.items():
        if rig is None:
            rig = RayRig()
            await rig.engine.open()
        if not await tell(name, case(rig)):
            await rig.engine.close()
            rig = None
    if rig is not None:
        await rig.engine.close()


async def each(cases: dict[str, Callable[[], Coroutine[Any, Any, Any]]]) -> None:
    for name, case in cases.items():
        await tell(name, case())


async def tell(name: str, case: Coroutine[Any, Any, Any]) -> bool:
    """Say what came of a case; returns whether it is well."""
    failed, began = "", time.monotonic()
    try:
        async with asyncio.timeout(CASE_S):
            await case
    except BaseException:
        failed = traceback.format_exc()
    took = time.monotonic() - began
    print(json.dumps({"case": name, "failed": failed, "took": round(took, 1)}), flush=True)
    return not failed


def one() -> None:
    """A cluster of this machine: two CPUs, four pretended GPUs."""
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
    suite = {case.__name__: lambda rig, case=case: check_case(case, rig) for case in ENGINE_CASES}
    asyncio.run(shared({**suite, **cases.SHARED}))
    asyncio.run(each(cases.ALONE))
    ray.shutdown()


def two() -> None:
    from ray.cluster_utils import Cluster as Nodes
    from tests.fleet.on_ray import cases

    options = {"node_ip_address": LOOPBACK, "include_dashboard": False, "object_store_memory": STORE}
    head = {"num_cpus": 2, "num_gpus": 1, "_system_config": QUICK, **options}
    nodes = Nodes(initialize_head=True, head_node_args=head)
    ray.init(address=nodes.address, log_to_driver=False)
    asyncio.run(each({name: lambda case=case: case(nodes, options) for name, case in cases.NODES.items()}))
    ray.shutdown()
    nodes.shutdown()


if __name__ == "__main__":
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    one()
    two()
