"""What holds for `RayEngine` beyond the suite of every engine. They run in `driver.py`'s process."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import ray
from ray.util.placement_group import placement_group, remove_placement_group

from reactor_runtime.fleet.engine import Failing, Lost, NoRoom
from reactor_runtime.fleet.records import Lease
from reactor_runtime.testing.engines import Told

NODES: list[Any] = []
"""The cluster, where there is one of several nodes."""
OPTIONS: dict[str, Any] = {}


@asynccontextmanager
async def running(slots: int = 2, *options: str):  # type: ignore[no-untyped-def]  # a rig and what it tells
    from tests.fleet.on_ray.driver import RayRig

    rig = RayRig(slots, options)
    await rig.engine.open()
    told = Told(rig.engine)
    try:
        yield rig, told
    finally:
        await told.close()
        await rig.engine.close()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(condition: Callable[[], Any], otherwise: str, within: float = 30.0) -> None:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within, otherwise
        await asyncio.sleep(0.05)


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


async def each_worker_has_its_gpu_and_its_name_and_leaves_none_taken() -> None:
    async with running() as (rig, told):
        first, second = [await told.worker(rig.engine) for _ in range(2)]
        of = [environment_of(rig.pids[w.worker]) for w in (first, second)]
        gpus = [each["CUDA_VISIBLE_DEVICES"] for each in of]
        assert len(set(gpus)) == 2, gpus
        assert set(gpus) <= {"0", "1", "2", "3"}, gpus
        assert "OMP_NUM_THREADS" not in of[0], "Ray's 1 would slow a model down"
        assert first.endpoint.host == "127.0.0.1"
        await until(lambda: {"w1", "w2"} == {name for name, _ in rig.lines}, f"no lines: {rig.lines}")
        named = ray.util.list_named_actors(all_namespaces=True)
        ours = sorted(each["name"] for each in named if each["namespace"] == rig.cluster.namespace)
        assert ours == ["w1", "w2"], named
    await until(lambda: ray.available_resources().get("GPU") == 4.0, "GPUs stay taken")


async def a_killed_actor_takes_its_worker_along_and_another_comes() -> None:
    async with running() as (rig, told):
        worker = await told.worker(rig.engine)
        rig.engine.grant(Lease(worker.worker, 1, "ticket"))
        child, actor = rig.pids[worker.worker], ray.get_actor("w1", namespace=rig.cluster.namespace)
        os.kill(await actor.pid.remote(), signal.SIGKILL)
        lost = await told.next(Lost)
        assert lost.worker == worker.worker
        await until(lambda: not alive(child), "its process is left")
        assert (await told.worker(rig.engine)).worker != worker.worker


async def a_frozen_actor_is_ended_and_gives_its_place_back() -> None:
    async with running(1) as (rig, told):
        worker = await told.worker(rig.engine)
        child, actor = rig.pids[worker.worker], ray.get_actor("w1", namespace=rig.cluster.namespace)
        os.kill(await actor.pid.remote(), signal.SIGSTOP)
        rig.engine.stop(worker.worker, at_once=True)
        assert (await told.next(Lost)).worker == worker.worker
        await until(lambda: not alive(child), "its process is left")
        assert (await told.worker(rig.engine)).worker == "w1-2"


async def a_worker_for_whom_no_gpu_is_free_finds_no_room_until_one_is() -> None:
    from reactor_runtime.fleet.on_ray import engine

    others = placement_group([{"GPU": 4}])
    await others.ready()
    async with running() as (rig, told):
        asked, engine.PLACED_S = engine.PLACED_S, 1.0
        try:
            rig.engine.start()
            assert "no room" in (await told.next(NoRoom)).reason
        finally:
            engine.PLACED_S = asked
        remove_placement_group(others)
        await told.worker(rig.engine)


async def a_slot_whose_worker_ends_three_times_is_failing() -> None:
    async with running(1, "--no-such-option") as (rig, told):
        for _ in range(3):
            rig.engine.start()
            await told.next(Lost)
        failing = await told.next(Failing)
        assert failing.slot == "w1"
        assert "--no-such-option" in "".join(failing.lines), "what it said last is lost"
        rig.engine.start()
        assert "failing" in (await told.next(NoRoom)).reason


async def who_loses_a_node_goes_on_at_another() -> None:
    nodes = NODES[0]
    first = nodes.add_node(num_cpus=1, num_gpus=1, **OPTIONS)
    async with running(1) as (rig, told):
        worker = await told.worker(rig.engine)
        child = rig.pids[worker.worker]
        nodes.add_node(num_cpus=1, num_gpus=1, **OPTIONS)
        nodes.remove_node(first, allow_graceful=False)
        assert (await told.next(Lost)).worker == worker.worker
        await until(lambda: not alive(child), "its process is left")
        again = await told.worker(rig.engine)
        rig.engine.grant(Lease(again.worker, 2, "ticket"))


ONE = {
    case.__name__: case
    for case in (
        each_worker_has_its_gpu_and_its_name_and_leaves_none_taken,
        a_killed_actor_takes_its_worker_along_and_another_comes,
        a_frozen_actor_is_ended_and_gives_its_place_back,
        a_worker_for_whom_no_gpu_is_free_finds_no_room_until_one_is,
        a_slot_whose_worker_ends_three_times_is_failing,
    )
}
TWO = {who_loses_a_node_goes_on_at_another.__name__: who_loses_a_node_goes_on_at_another}
