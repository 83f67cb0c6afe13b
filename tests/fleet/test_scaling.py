"""Workers come while people wait and go when nobody needs them; `--queue-wait` holds who knows no line."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.fleet.serving import Fleet, serving

from reactor_runtime.fleet.limits import FleetLimits
from reactor_runtime.fleet.records import Ticket, Worker, WorkerState
from reactor_runtime.fleet.scaling import Lengths, Scaling

pytestmark = pytest.mark.timeout(240)


def told(fleet: Fleet, *arguments: str) -> Any:
    """What `reactor fleet … --json` prints."""
    command = [sys.executable, "-m", "reactor_runtime", "fleet", *arguments, "--json", "--url", fleet.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def stop(claim: dict[str, Any]) -> None:
    assert httpx.post(f"{claim['base_url']}/stop_session").status_code == 200


def test_workers_come_and_go_with_who_waits() -> None:
    options = ("--scale-after", "0.5", "--idle", "2", "--queue-wait", "25")
    with serving("--workers", "1:2", *options) as fleet, ThreadPoolExecutor(1) as pool:
        assert fleet.workers().keys() == {"w1"}
        first = fleet.claim(fleet.ticket())
        second = fleet.claim(fleet.ticket())
        assert fleet.worker_of(second["session_id"])["id"] == "w2", "another one was started"

        held = pool.submit(httpx.post, f"{fleet.url}/start_session", json={}, timeout=40)
        fleet.until(lambda: fleet.get("/fleet")["queue"]["length"] == 1, "it does not stand in line")
        assert not held.done()
        stop(first)
        answer = held.result()
        assert answer.status_code == 200, answer.text
        assert fleet.worker_of(answer.json()["session_id"])["id"] == "w1"

        fleet.http.post("/fleet/kick", json={"worker": "w1"})
        stop(second)
        fleet.until(lambda: len(fleet.workers()) == 1, "nobody needs the second one")

        assert told(fleet, "scale", "2:2")["scale"] == {"min": 2, "max": 2}
        fleet.wait_ready(2)
        told(fleet, "scale", "1")
        fleet.until(lambda: len(fleet.workers()) == 1, "there are more than there may be")


# --- the rules alone ---

HEAD = Ticket("t", "ada", "here", joined=100.0, order=1)


def workers(*states: WorkerState) -> list[Worker]:
    return [Worker(f"w{number}", state, 0.0) for number, state in enumerate(states)]


def test_what_is_missing_to_the_minimum_is_started_once() -> None:
    scaling, limits = Scaling(), FleetLimits(workers_min=3, workers_max=4)
    assert scaling.ask(limits, workers(WorkerState.BUSY), None, 0, 0.0) == (2, None)
    assert scaling.ask(limits, workers(WorkerState.BUSY), None, 0, 1.0) == (0, None)
    scaling.came()  # and failed: no worker stands for it
    assert scaling.ask(limits, workers(WorkerState.BUSY), None, 0, 2.0) == (1, None)
    assert scaling.ask(limits, workers(*[WorkerState.BUSY] * 5), None, 0, 3.0) == (0, None)


def test_starts_that_nobody_asked_for_leave_no_debt() -> None:
    scaling, limits = Scaling(), FleetLimits(workers_min=1)
    scaling.came()
    assert scaling.ask(limits, [], None, 0, 0.0) == (1, None)
    assert scaling.ask(limits, [], None, 0, 0.0) == (0, None)


def test_one_more_is_started_when_the_head_has_waited_and_not_before() -> None:
    limits = FleetLimits(workers_min=1, workers_max=2, scale_after=10.0)
    busy = workers(WorkerState.BUSY)
    assert Scaling().ask(limits, busy, HEAD, 1, 109.9) == (0, 110.0)
    assert Scaling().ask(limits, busy, HEAD, 1, 110.0) == (1, 120.0)
    assert Scaling().ask(limits, busy, None, 0, 110.0) == (0, None)
    assert Scaling().ask(limits, workers(*[WorkerState.BUSY] * 2), HEAD, 1, 110.0) == (0, None)
    assert Scaling().ask(limits, [], HEAD, 1, 110.0) == (1, None), "the minimum is no extra one"


def test_no_more_are_on_their_way_than_people_wait() -> None:
    limits = FleetLimits(workers_min=1, workers_max=9, scale_after=10.0)
    there = workers(WorkerState.BUSY, WorkerState.STARTING)
    assert Scaling().ask(limits, there, HEAD, 1, 110.0) == (0, None)
    scaling = Scaling()
    assert scaling.ask(limits, there, HEAD, 2, 110.0) == (1, 120.0)
    assert scaling.ask(limits, there, HEAD, 2, 120.0) == (0, None), "what was asked for counts as well"


def test_the_mean_length_follows_the_sessions() -> None:
    lengths = Lengths()
    for seconds, mean in ((100.0, 100.0), (50.0, 90.0), (90.0, 90.0)):
        lengths.learn(seconds)
        assert lengths.mean_s == pytest.approx(mean)


def test_a_wait_is_shared_by_those_that_serve() -> None:
    lengths = Lengths()
    serving_two = workers(WorkerState.BUSY, WorkerState.READY, WorkerState.STARTING)
    assert lengths.eta(1, serving_two, 0.0) is None, "nothing is known"
    assert lengths.eta(3, serving_two, 60.0) == 90.0, "the cap is all that is known"
    lengths.learn(20.0)
    assert lengths.eta(3, serving_two, 60.0) == 30.0
    assert lengths.eta(0, serving_two, 60.0) is None, "who does not wait has no wait"
    assert lengths.eta(1, workers(WorkerState.STARTING), 60.0) is None
    serving_two[0].draining = True
    assert lengths.eta(3, serving_two, 60.0) == 60.0
    assert lengths.eta(1, workers(*[WorkerState.BUSY] * 3), 60.0) == 6.7
