"""A gateway in memory: its engine's workers are pretended, and nobody listens where they are said to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import httpx

from reactor_runtime.fleet.fleet import Fleet, Serving
from reactor_runtime.fleet.gateway.app import create_gateway
from reactor_runtime.fleet.gateway.options import GatewayOptions
from reactor_runtime.fleet.limits import FleetLimits
from reactor_runtime.fleet.records import TicketState
from reactor_runtime.fleet.stores import MemoryStore
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.testing import FakeEngine


async def offered(fleet: Fleet, ticket: str) -> None:
    """Wait until it is this ticket's turn."""
    async with asyncio.timeout(20), aclosing(fleet.changes(ticket)) as changes:
        async for place in changes:
            if place.state is TicketState.OFFERED:
                return


@dataclass
class Gateway:
    http: httpx.AsyncClient
    fleet: Fleet

    async def session(self, user: str) -> Serving:
        """Somebody plays."""
        self.fleet.join(user, user, user)
        await offered(self.fleet, user)
        return await self.fleet.claim(user)


@asynccontextmanager
async def gateway(slots: int = 1, token: str = "", *, preview: bool = False) -> AsyncIterator[Gateway]:
    """`token` is the operator's secret; without one everybody is admin."""
    engine = FakeEngine(slots=slots)
    await engine.open()
    limits = FleetLimits(workers_min=slots, workers_max=slots)
    fleet = Fleet(engine, MemoryStore(), limits)
    await fleet.open()
    http = HttpOptions(host="127.0.0.1", port=8080, token=token)
    options = GatewayOptions(limits, slots, http, preview=preview, signing="s" * 32)
    app, _ = create_gateway(fleet, options)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # an application, with names of our own
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            yield Gateway(client, fleet)
    finally:
        await fleet.close()
        await engine.close()
