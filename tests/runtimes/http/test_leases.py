"""A worker takes what it is granted, once and in order, and says when it is free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
import pytest

from reactor_runtime import VideoModel, VideoOut, get_ctx, model
from reactor_runtime.errors import RefusedError
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.testing import serve
from reactor_runtime.worker.leases import Leases


@model(name="leased")
class Leased(VideoModel):
    main_video = VideoOut(rate=30)
    resets = 0
    broken = False

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            get_ctx().get_track().emit(np.zeros((48, 64, 3), np.uint8))

    def reset(self) -> None:
        Leased.resets += 1


async def until(reports: AsyncGenerator[dict[str, Any]], kind: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        async for report in reports:
            if report["type"] == kind:
                return report
    raise AssertionError(f"the reports ended before {kind!r}")


async def test_a_lease_from_grant_to_freed() -> None:
    async with serve(Leased) as server:
        leases = Leases(server.worker)
        reports = leases.reports()
        assert (await until(reports, "announced"))["session"] == ""
        session = await leases.grant(3, "ticket", "1.2.3.4", 0.0)
        assert await until(reports, "taken") == {"type": "taken", "epoch": 3, "session": session}
        assert leases.announcement()["ticket"] == "ticket"
        client = server.client()
        await client.connect()
        await client.wait_frames(1)
        before = Leased.resets
        leases.revoke(2, "an older lease")
        assert leases.announcement()["session"] == session
        leases.revoke(3, "kicked")
        freed = await until(reports, "freed")
        assert (freed["epoch"], freed["reason"]) == (3, "stopped")
        assert Leased.resets == before + 1, "freed is said after the reset"
        await reports.aclose()


@pytest.mark.parametrize("epoch", [1, 3])
async def test_a_grant_that_is_not_newer_is_refused(epoch: int) -> None:
    async with serve(Leased) as server:
        leases = Leases(server.worker)
        await leases.grant(3, "ticket", "here", 0.0)
        with pytest.raises(RefusedError) as refused:
            await leases.grant(epoch, "another", "there", 0.0)
        assert refused.value.code == "stale_grant"
        assert leases.announcement()["ticket"] == "ticket"


async def test_the_worker_keeps_the_deadline_itself() -> None:
    async with serve(Leased) as server:
        leases = Leases(server.worker)
        reports = leases.reports()
        await until(reports, "hello")
        following = asyncio.ensure_future(until(reports, "freed"))
        await leases.grant(1, "ticket", "here", 0.2)
        assert (await following)["epoch"] == 1
        assert server.worker.standing.last_end is not None
        assert server.worker.standing.last_end.reason.value == "time_cap"
        await reports.aclose()


async def test_a_plain_worker_has_no_such_routes() -> None:
    async with serve(Leased) as server:
        for path in ("/worker/grant", "/worker/revoke"):
            assert (await server.http.post(path, json={})).status_code == 404
        assert (await server.http.get("/worker/reports")).status_code == 404


async def test_probes_need_no_token_and_say_nothing() -> None:
    async with serve(Leased, options=HttpOptions(token="a secret of the operator")) as server:
        for path in ("/livez", "/readyz"):
            answer = await server.http.get(path)
            assert (answer.status_code, list(answer.json())) == (200, ["status"])
