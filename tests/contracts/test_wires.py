"""The suite of every wire; a new one is one more line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from reactor_runtime.testing import WIRE_CASES, WireRig, check_wire

from .rigs import MemoryRig, WebRtcRig


@pytest.mark.parametrize("case", WIRE_CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("make", [MemoryRig, WebRtcRig], ids=["memory", "webrtc"])
async def test_wire(case: Callable[..., Awaitable[None]], make: Callable[[], WireRig]) -> None:
    await check_wire(case, make)
