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
