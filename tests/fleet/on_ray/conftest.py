"""Clusters of Ray, driven by a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIMIT_S = 220


@pytest.fixture(scope="session")
def came_of() -> dict[str, str]:
    """By case, how it failed; "" for one that did not."""
    pytest.importorskip("ray", reason="Ray is not installed (dev group)")
    python_path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    driver = subprocess.Popen(
        [sys.executable, "-m", "tests.fleet.on_ray.driver"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": python_path, "RAY_USAGE_STATS_ENABLED": "0"},
    )
    try:
        said, log = driver.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        driver.kill()
        said, log = driver.communicate()
    told = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    print(*(f"{one['took']:6} s {one['case']}" for one in told), sep="\n")
    found = {one["case"]: one["failed"] and one["failed"] + log for one in told}
    if driver.returncode != 0:
        found["the driver"] = f"ended with status {driver.returncode}\n{log}"
    return found
