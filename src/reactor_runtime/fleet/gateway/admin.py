"""`/fleet`, the probes and the figures: what operators see and do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from reactor_runtime.clock import WALL
from reactor_runtime.errors import FleetError
from reactor_runtime.fleet.effects import Effect
from reactor_runtime.fleet.fleet import Fleet
from reactor_runtime.fleet.records import Worker, WorkerState
from reactor_runtime.runtimes.access.rights import ADMIN
from reactor_runtime.runtimes.http.body import Body

from .options import GatewayOptions
from .tickets import refusal

SERVES = frozenset({WorkerState.READY, WorkerState.OFFERED, WorkerState.LEASED, WorkerState.BUSY})


class DrainBody(Body):
    worker: str | None = Field(default=None, max_length=128)
    """All of them when not given."""
    limit: float | None = Field(default=None, ge=0, le=1e6)
    """Seconds until the session that still runs is ended; 0 lets it finish."""


class KickBody(Body):
    worker: str = Field(max_length=128)


class ScaleBody(Body):
    min: int = Field(ge=0, le=4096)
    max: int = Field(ge=1, le=4096)


def router(fleet: Fleet, options: GatewayOptions) -> APIRouter:
    routes = APIRouter(tags=["fleet"])
    _steering(routes, fleet, options)
    _probes(routes, fleet)
    return routes


def _steering(routes: APIRouter, fleet: Fleet, options: GatewayOptions) -> None:
    broker = fleet.broker

    def act(action: Callable[[], list[Effect]]) -> dict[str, Any]:
        try:
            fleet.carry_out(action())
        except FleetError as error:
            raise refusal(error) from error
        return status(fleet)

    @routes.get("/fleet", dependencies=[ADMIN])
    async def read() -> dict[str, Any]:
        """The workers and the line."""
        return status(fleet)

    @routes.post("/fleet/drain", dependencies=[ADMIN])
    async def drain(body: DrainBody) -> dict[str, Any]:
        """Give a worker no further session; without `worker`, take nobody new anywhere."""
        limit = options.drain_limit if body.limit is None else body.limit
        worker, now = body.worker, fleet.clock()
        if worker is None:
            return act(lambda: broker.drain_all(now, limit))
        return act(lambda: broker.drain(worker, now, limit))

    @routes.post("/fleet/kick", dependencies=[ADMIN])
    async def kick(body: KickBody) -> dict[str, Any]:
        """End the session of a worker now."""
        return act(lambda: broker.kick(body.worker, "kicked"))

    @routes.post("/fleet/scale", dependencies=[ADMIN])
    async def scale(body: ScaleBody) -> dict[str, Any]:
        """How many workers there may be."""
        if body.min > body.max or body.max > options.slots:
            problem = f"From {body.min} to {body.max} workers cannot be: there are {options.slots} slots."
            raise refusal(FleetError("scale", problem))
        return act(lambda: broker.scale(body.min, body.max, fleet.clock()))


def _probes(routes: APIRouter, fleet: Fleet) -> None:
    @routes.get("/metrics", response_class=Response, dependencies=[ADMIN])
    async def metrics() -> Response:
        return Response(fleet.figures.render(), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        """200 when at least one worker can take a session or serves one."""
        ready = serving(fleet)
        return JSONResponse({"status": "ready" if ready else "not_ready"}, 200 if ready else 503)

    @routes.get("/health")
    async def health() -> JSONResponse:
        """As a worker says it: 200 when sessions can be served, and why not."""
        return _health(fleet)


def _health(fleet: Fleet) -> JSONResponse:
    body: dict[str, Any] = {"model": fleet.model, "state": "READY", "queue": len(fleet.broker.line)}
    if serving(fleet):
        return JSONResponse({"status": "healthy", **body, "errors_in_a_row": 0})
    if fleet.failing:
        detail = "The model could not be loaded on any worker; the server's log says why."
        code = {"code": "model_load_failed", "detail": detail}
        return JSONResponse({"status": "failed", **body, "state": "TERMINATED", **code}, 503)
    words = {"code": "loading", "detail": "The workers are loading.", "progress": None}
    return JSONResponse({"status": "loading", **body, "state": "CREATED", **words}, 503, {"Retry-After": "1"})


def serving(fleet: Fleet) -> bool:
    return any(worker.state in SERVES for worker in fleet.broker.workers.values())


def status(fleet: Fleet) -> dict[str, Any]:
    """Of `GET /fleet`."""
    now, wall, broker = fleet.clock(), WALL.unix(), fleet.broker
    workers = [_worker(fleet, worker, wall - now) for worker in broker.workers.values()]
    for slot, lines in fleet.failing.items():
        if not any(worker["id"].partition("-")[0] == slot for worker in workers):
            dead: dict[str, Any] = {"id": slot, "pid": None, "state": "dead", "session": None, "since": None}
            workers.append({**dead, "reason": "failing", "last_lines": list(lines)})
    head = broker.tickets.get(broker.line.head or "")
    return {
        "workers": workers,
        "queue": {
            "length": len(broker.line),
            "limit": broker.limits.queue,
            "head_waits_s": None if head is None else round(now - head.joined, 1),
        },
        "scale": {"min": broker.limits.workers_min, "max": broker.limits.workers_max},
        "mean_session_s": round(broker.lengths.mean_s, 1) or None,
    }


def _worker(fleet: Fleet, worker: Worker, offset: float) -> dict[str, Any]:
    return {
        "id": worker.id,
        "pid": fleet.pids.get(worker.id) or None,
        "state": "draining" if worker.draining else worker.state.value,
        "session": worker.session or None,
        "since": round(worker.since + offset, 3),
    }
