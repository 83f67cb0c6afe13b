"""What holds for `RayEngine` beyond the suite of every engine. They run in `driver.py`'s process."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import ray
from ray.util.placement_group import placement_group, remove_placement_group
from tests.fleet.serving import serving

from reactor_runtime.fleet.engine import Failing, Lost, NoRoom
from reactor_runtime.fleet.on_ray.engine import PLACED_S
from reactor_runtime.fleet.records import Lease
from reactor_runtime.testing.engines import SEEN, Told

if TYPE_CHECKING:
    from tests.fleet.on_ray.driver import RayRig

DOCUMENT = Path(__file__).parents[3] / "docs" / "fleet.md"


@asynccontextmanager
async def running(*options: str, placed_within: float = PLACED_S):  # type: ignore[no-untyped-def]  # as `listening`
    """An engine of one slot for a case alone."""
    from tests.fleet.on_ray.driver import RayRig

    rig = RayRig(1, options, placed_within)
    await rig.engine.open()
    try:
        async with listening(rig) as told:
            yield rig, told
    finally:
        await rig.engine.close()


@asynccontextmanager
async def listening(rig: RayRig):  # type: ignore[no-untyped-def]  # what it tells
    told = Told(rig.engine)
    try:
        yield told
    finally:
        await told.close()


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


def actor_of(rig: RayRig, worker: str) -> Any:
    """It has the name of the worker's slot."""
    return ray.get_actor(worker.partition("-")[0], namespace=rig.cluster.namespace)


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


async def each_worker_has_its_gpu_and_its_name(rig: RayRig) -> None:
    async with listening(rig) as told:
        first, second = [await told.idle(rig.engine) for _ in range(2)]
        of = [environment_of(rig.pids[w.worker]) for w in (first, second)]
        gpus = [each["CUDA_VISIBLE_DEVICES"] for each in of]
        assert len(set(gpus)) == 2, gpus
        assert set(gpus) <= {"0", "1", "2", "3"}, gpus
        assert "OMP_NUM_THREADS" not in of[0], "Ray's 1 would slow a model down"
        assert first.endpoint.host == "127.0.0.1"
        ours = {first.worker, second.worker}
        await until(lambda: ours <= {name for name, _ in rig.lines}, f"no lines: {rig.lines}")
        named = ray.util.list_named_actors(all_namespaces=True)
        actors = sorted(each["name"] for each in named if each["namespace"] == rig.cluster.namespace)
        assert actors == ["w1", "w2"], named


async def a_killed_actor_takes_its_worker_along_and_another_comes(rig: RayRig) -> None:
    async with listening(rig) as told:
        worker = await told.idle(rig.engine)
        rig.engine.grant(Lease(worker.worker, worker.epoch + SEEN, "ticket"))
        child, actor = rig.pids[worker.worker], actor_of(rig, worker.worker)
        os.kill(await actor.pid.remote(), signal.SIGKILL)
        lost = await told.next(Lost)
        assert lost.worker == worker.worker
        await until(lambda: not alive(child), "its process is left")
        assert (await told.worker(rig.engine)).worker != worker.worker


async def a_frozen_actor_is_ended_and_gives_its_place_back(rig: RayRig) -> None:
    async with listening(rig) as told:
        worker = await told.idle(rig.engine)
        child, actor = rig.pids[worker.worker], actor_of(rig, worker.worker)
        os.kill(await actor.pid.remote(), signal.SIGSTOP)
        rig.engine.stop(worker.worker, at_once=True)
        assert (await told.next(Lost)).worker == worker.worker
        await until(lambda: not alive(child), "its process is left")
        again = (await told.worker(rig.engine)).worker
        assert again.partition("-")[0] == worker.worker.partition("-")[0], "another place"


async def an_engine_that_closed_leaves_no_gpu_taken() -> None:
    await until(lambda: ray.available_resources().get("GPU") == 4.0, "GPUs stay taken")


async def a_worker_for_whom_no_gpu_is_free_finds_no_room_until_one_is() -> None:
    others = placement_group([{"GPU": 4}])
    await others.ready()
    async with running(placed_within=1.0) as (rig, told):
        rig.engine.start()
        assert "no room" in (await told.next(NoRoom)).reason
        remove_placement_group(others)
        await ray.get_actor(
            "w1", rig.cluster.namespace
        ).pid.remote()  # Ray has gone on looking, and it is there
        await told.worker(rig.engine)


async def a_server_that_is_told_the_address_of_a_cluster_serves() -> None:
    await asyncio.to_thread(play_at, ray.get_runtime_context().gcs_address)


def play_at(address: str) -> None:
    """As docs/fleet.md has it: `reactor serve --ray ADDRESS`."""
    with serving("--workers", "1", "--ray", address) as fleet:
        (namespace,) = re.findall(r"namespace (reactor-[0-9a-f]+)", fleet.log)
        named = ray.util.list_named_actors(all_namespaces=True)
        assert {"name": "w1", "namespace": namespace} in named, named
        claim = fleet.claim(fleet.ticket())
        worker = fleet.worker_of(claim["session_id"])
        assert (worker["id"], worker["state"]) == ("w1", "busy")
        running = httpx.get(f"{claim['base_url']}/session").json()
        assert running["session_id"] == claim["session_id"]
        assert httpx.post(f"{claim['base_url']}/stop_session").json()["state"] == "READY"
        fleet.until(lambda: re.search(r"^\[w1\] .*ended", fleet.log, re.M), "the worker's log has no name")


async def the_commands_of_the_document_are_those_of_ray() -> None:
    from ray.scripts.scripts import cli

    text = DOCUMENT.read_text()
    lines = [*re.findall(r"^ray .+", text, re.M), *re.findall(r"`(ray [^`\n]+)`", text)]
    assert len(lines) > 2, lines
    for line in lines:
        _, name, *arguments = shlex.split(line)
        command = cli.commands[name]
        command.make_context(name, [argument.replace("HEAD", "127.0.0.1") for argument in arguments])


async def a_slot_whose_worker_ends_three_times_is_failing() -> None:
    async with running("--no-such-option") as (rig, told):
        for _ in range(3):
            rig.engine.start()
            await told.next(Lost)
        failing = await told.next(Failing)
        assert failing.slot == "w1"
        assert "--no-such-option" in "".join(failing.lines), "what it said last is lost"
        rig.engine.start()
        assert "failing" in (await told.next(NoRoom)).reason


async def who_loses_a_node_goes_on_at_another(nodes: Any, options: dict[str, Any]) -> None:
    heads = placement_group([{"GPU": 1}])
    await heads.ready()
    other = nodes.add_node(num_cpus=1, num_gpus=1, **options)
    async with running() as (rig, told):
        worker = await told.worker(rig.engine)
        child = rig.pids[worker.worker]
        remove_placement_group(heads)
        nodes.remove_node(other, allow_graceful=False)
        assert (await told.next(Lost)).worker == worker.worker
        await until(lambda: not alive(child), "its process is left")
        again = await told.worker(rig.engine)
        rig.engine.grant(Lease(again.worker, 2, "ticket"))


SHARED = {
    case.__name__: case
    for case in (
        each_worker_has_its_gpu_and_its_name,
        a_killed_actor_takes_its_worker_along_and_another_comes,
        a_frozen_actor_is_ended_and_gives_its_place_back,
    )
}
"""They take the engine that the suite has left."""
ALONE = {
    case.__name__: case
    for case in (
        an_engine_that_closed_leaves_no_gpu_taken,
        a_server_that_is_told_the_address_of_a_cluster_serves,
        the_commands_of_the_document_are_those_of_ray,
        a_worker_for_whom_no_gpu_is_free_finds_no_room_until_one_is,
        a_slot_whose_worker_ends_three_times_is_failing,
    )
}
NODES = {who_loses_a_node_goes_on_at_another.__name__: who_loses_a_node_goes_on_at_another}
"""They need a cluster of several nodes."""
