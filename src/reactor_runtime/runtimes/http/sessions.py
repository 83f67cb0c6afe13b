"""Routes that begin, end and describe the session."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from . import audited
from .runtime import Runtime

router = APIRouter(tags=["session"])


def worker() -> Runtime:
    """Overridden by the application with the worker of this process."""
    raise NotImplementedError


Worker = Annotated[Runtime, Depends(worker)]


@router.post("/start_session")
async def start_session(runtime: Worker) -> dict[str, Any]:
    """Begin a session. The body is ignored: clients of different ages send different ones."""
    return await runtime.start_session()


@router.post("/stop_session")
async def stop_session(runtime: Worker) -> dict[str, Any]:
    """End the session. 200 also when there is none; the state says whether the slot is free."""
    return {"state": (await runtime.stop_session()).value}


@router.get("/session")
async def session(runtime: Worker) -> dict[str, Any]:
    """The descriptor, the state, who is there, what was lost so far, and how the last session ended."""
    end = runtime.last_end
    running = runtime.session
    runtime.clients.count_losses()
    return {
        **runtime.descriptor(),
        "frames": 0 if running is None else running.next_frame(),
        "lost": {} if running is None else running.losses(),
        "clients": runtime.clients.describe(),
        "audit": audited.describe(runtime),
        "last_end": None
        if end is None
        else {"session": end.number, "reason": end.reason.value, "message": end.message},
    }
