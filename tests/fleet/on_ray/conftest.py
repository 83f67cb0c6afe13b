"""Clusters of Ray, each driven by a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
LEAVES_S = 30


class Driver:
    """`cases` are those that it can run."""

    def __init__(self, which: str) -> None:
        python_path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fleet.on_ray.driver", which],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": python_path, "RAY_USAGE_STATS_ENABLED": "0"},
        )
        self._log = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.cases: list[str] = []

    def begin(self) -> None:
        """Returns when the cluster stands."""
        self.cases = self._answer()

    def run(self, case: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(case + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        assert "failed" not in answer, answer["failed"] + self._log
        return answer["said"]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(LEAVES_S)
        finally:
            self._process.kill()
            self._reader.join(5)
            for stream in (self._process.stdout, self._process.stderr):
                assert stream is not None
                stream.close()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(("[", "{")):
                return json.loads(line)
        raise AssertionError(f"the driver ended\n{self._log}")

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log += line


@contextmanager
def driving(which: str) -> Iterator[Driver]:
    pytest.importorskip("ray", reason="Ray is not installed (dev group)")
    driver = Driver(which)
    try:
        driver.begin()
        yield driver
    finally:
        driver.close()


@pytest.fixture(scope="session")
def one() -> Iterator[Driver]:
    """A cluster of this machine: two CPUs, four pretended GPUs."""
    with driving("one") as driver:
        yield driver


@pytest.fixture(scope="module")
def two() -> Iterator[Driver]:
    """A cluster of several nodes."""
    with driving("two") as driver:
        yield driver
