"""`/worker/…`: what a fleet's engine tells a worker, and hears from it. Only with the worker's secret."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import Field

from reactor_runtime.runtimes.access.rights import ADMIN
from reactor_runtime.session.seeds import SEED_LIMIT

from .body import Body

if TYPE_CHECKING:
    from reactor_runtime.worker.leases import Leases

PREFIX = "/worker"


class GrantBody(Body):
    epoch: int = Field(ge=1, le=2**53)
    ticket: str = Field(max_length=128)
    address: str = Field(default="", max_length=128)
    seconds: float = Field(default=0.0, ge=0, le=1e9)
    seed: int | None = Field(default=None, ge=0, lt=SEED_LIMIT)


class RevokeBody(Body):
    epoch: int = Field(ge=1, le=2**53)
    reason: str = Field(max_length=128)


def router(leases: Callable[[], Leases]) -> APIRouter:
    routes = APIRouter(prefix=PREFIX, dependencies=[ADMIN], include_in_schema=False)

    @routes.post("/grant")
    async def grant(body: GrantBody) -> dict[str, str]:
        session = await leases().grant(body.epoch, body.ticket, body.address, body.seconds, body.seed)
        return {"session_id": session}

    @routes.post("/revoke")
    async def revoke(body: RevokeBody) -> dict[str, Any]:
        leases().revoke(body.epoch, body.reason)
        return {}

    @routes.get("/reports")
    async def reports() -> StreamingResponse:
        return StreamingResponse(_lines(leases()), media_type="application/x-ndjson")

    return routes


async def _lines(leases: Leases) -> AsyncIterator[str]:
    async for report in leases.reports():
        yield json.dumps(report) + "\n"
