"""The suite of every engine, against one of memory and one of real processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fleet.pids import Pids

from reactor_runtime.fleet.local import LocalEngine
from reactor_runtime.testing import ENGINE_CASES, EngineRig, FakeEngine, check_engine

TOY = Path(__file__).parents[1] / "fleet" / "toy"
COMMAND = [sys.executable, "-m", "reactor_runtime", "run", "-p", str(TOY), "--port", "0"]


class FakeRig:
    def __init__(self) -> None:
        self.engine = FakeEngine(slots=2)

    def crash(self, worker: str) -> None:
        self.engine.crash(worker)


class LocalRig:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.engine = LocalEngine(
            COMMAND, slots=2, gpus=["0", "1"], on_line=lambda name, line: self.lines.append((name, line))
        )
        self._pids = Pids(self.engine)

    def crash(self, worker: str) -> None:
        os.kill(self._pids[worker], 9)


@pytest.mark.parametrize("case", ENGINE_CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("rig", [FakeRig, LocalRig], ids=["fake", "local"])
async def test_engine(case: Callable[..., object], rig: Callable[[], EngineRig]) -> None:
    await check_engine(case, rig)  # type: ignore[arg-type]  # a case is a coroutine function
