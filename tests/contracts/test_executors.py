"""The suite of every executor; a new one is one more line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from tests.executors.fake import FakeExecutor

from reactor_runtime.executors.port import Executor
from reactor_runtime.testing import EXECUTOR_CASES, check_executor

from .rigs import thread_executor


@pytest.mark.parametrize("case", EXECUTOR_CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("make", [thread_executor, FakeExecutor], ids=["thread", "fake"])
async def test_executor(case: Callable[..., Awaitable[None]], make: Callable[..., Executor]) -> None:
    await check_executor(case, make)
