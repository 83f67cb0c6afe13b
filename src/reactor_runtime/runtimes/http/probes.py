"""`/livez` and `/readyz`, for whatever watches processes. They need no token, and say nothing but a word."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from reactor_runtime.session.states import State

from .sessions import TheWorker

router = APIRouter(tags=["info"])


@router.get("/livez")
async def livez() -> dict[str, str]:
    """200 as long as the process answers."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(worker: TheWorker) -> JSONResponse:
    """200 when this worker can take a session or serves one; 503 while it loads and after it failed."""
    ready = worker.life.state not in (State.CREATED, State.TERMINATED)
    return JSONResponse({"status": "ready" if ready else "not_ready"}, 200 if ready else 503)
