"""Routes that begin, end and describe the session."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.runtimes.access.rights import Asking, check_may_stop, check_scope
from reactor_runtime.worker import audited, told
from reactor_runtime.worker.worker import Worker

from .callers import address_of
from .seeding import seed_in

router = APIRouter(tags=["session"])


async def worker(request: Request) -> Worker:
    """The worker of this process, which the application keeps.

    Dependencies are coroutines here: FastAPI takes a thread for each other one, at each request; and
    `dependency_overrides` would have it read every signature again at each request.
    """
    found: Worker = request.app.state.worker()
    return found


TheWorker = Annotated[Worker, Depends(worker)]


async def in_scope(worker: TheWorker, asking: Asking) -> None:
    check_scope(asking.grant, worker.session)


IN_SCOPE = Depends(in_scope)
"""Among the `dependencies` of a route: a token for one session opens no other."""


@router.post("/start_session", dependencies=[IN_SCOPE])
async def start_session(worker: TheWorker, request: Request, asking: Asking) -> dict[str, Any]:
    """Begin a session. Of the body only `seed` is read: clients of different ages send different ones.

    Who may only watch, or holds a token for the session that runs, gets the descriptor of that one: SDKs know
    no other way to take part.
    """
    if not asking.grant.may_control or asking.grant.session is not None:
        return _running(worker)
    descriptor = await worker.start_session(address_of(request), await seed_in(request))
    if worker.session is not None:
        worker.session.owner = asking.grant.subject
    return descriptor


def _running(worker: Worker) -> dict[str, Any]:
    try:
        worker.require_session()
    except RefusedError:
        raise RefusedError(
            Refusal.CONFLICT,
            "nothing_to_watch",
            "No session is running, and this token starts none; wait for one.",
        ) from None
    return worker.descriptor()


@router.post("/stop_session", dependencies=[IN_SCOPE])
async def stop_session(worker: TheWorker, asking: Asking) -> dict[str, Any]:
    """End the session. 200 also when there is none; the state says whether the slot is free."""
    check_may_stop(asking.grant, worker.session)
    return {"state": (await worker.stop_session()).value}


@router.get("/session", dependencies=[IN_SCOPE])
async def session(
    worker: TheWorker, asking: Asking, request: Request, connection: int | None = None
) -> dict[str, Any]:
    """The descriptor, the state, who is there, what was lost so far, and how the last session ended.

    Who names its own `connection` is marked among the clients with `you`.
    With admin rights also the configuration; values from the environment are masked.
    """
    await worker.clients.look()
    check_scope(asking.grant, worker.session)  # which may be the next one by now
    worker.clients.count_losses()
    # Nothing is awaited from here on: the state, what runs and how the last one ended belong together.
    end = worker.standing.last_end
    running = worker.session
    if connection is not None and running is not None:
        # An id is its client's secret: here too nobody finds one by trying.
        worker.signalling.holds(running, connection, address_of(request))
    return {
        **worker.descriptor(),
        "frames": 0 if running is None else running.next_frame(),
        "lost": {} if running is None else running.losses(),
        "clients": worker.clients.describe(connection),
        "free_in": worker.life.free_in(worker.clock.time()),
        "notices": {} if running is None else running.media.plane.notices(),
        "audit": audited.describe(worker),
        "reset_failed": told.reset_failed(worker.executor.causes),
        **({"config": worker.configuration()} if asking.grant.rules and not worker.options.in_fleet else {}),
        "last_end": None
        if end is None
        else {"session": end.number, "reason": end.reason.value, "message": end.message},
    }
