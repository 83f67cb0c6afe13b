"""Routes that say how the worker is and what its model can do."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from reactor_runtime.protocol.openapi import model_schema
from reactor_runtime.runtimes.access.rights import ADMIN, Asking, hears_why
from reactor_runtime.session.life import REBUILDING
from reactor_runtime.session.states import State
from reactor_runtime.worker import told
from reactor_runtime.worker.worker import Worker

from .sessions import TheWorker

router = APIRouter(tags=["info"])

LOAD_FAILED = "The model could not be loaded; the server's log says why."


@router.get("/health")
async def health(
    worker: TheWorker,
    asking: Asking,
    request: Request,
    why: Annotated[bool, Query(description="Say the error's own words, to who sits at the machine")] = False,
) -> JSONResponse:
    """200 when sessions can be served; 503 while the model loads, with its `progress` (0 to 1, or null) and
    `progress_message`, when it could not load, and while it is built again because its reset raised."""
    body: dict[str, Any] = {"model": worker.model.name, "state": worker.life.state.value}
    if (
        worker.life.broken
        and worker.life.state is not State.TERMINATED
        and worker.standing.load_error is None
    ):
        body |= {"code": "model_failing", "detail": REBUILDING, "errors_in_a_row": worker.standing.crashes}
        return JSONResponse({"status": "failing", **body}, 503, {"Retry-After": "1"})
    if worker.life.state is State.CREATED:
        now = worker.executor.progress.now
        detail = "The model is loading."
        body |= {"code": "loading", "detail": detail, "progress": now.share, "progress_message": now.message}
        return JSONResponse({"status": "loading", **body}, 503, {"Retry-After": "1"})
    if worker.standing.load_error is not None:
        detail = worker.standing.load_error if why and hears_why(asking.grant, request) else LOAD_FAILED
        return JSONResponse({"status": "failed", **body, "code": "model_load_failed", "detail": detail}, 503)
    if worker.life.state is State.TERMINATED:
        detail = "This worker has ended; start it again."
        return JSONResponse({"status": "terminated", **body, "code": "terminated", "detail": detail}, 503)
    body |= told.hung(worker.life, worker.clock.time())
    return JSONResponse({"status": _status(worker), **body, "errors_in_a_row": worker.standing.crashes})


@router.get("/errors/{reference}")
async def error(
    reference: Annotated[str, Path(pattern="^[0-9a-f]{8}$")],
    worker: TheWorker,
    asking: Asking,
    request: Request,
) -> dict[str, str]:
    """Why author code failed: the exception and the author's own line, to who sits at the machine."""
    if not hears_why(asking.grant, request):
        raise told.CauseElsewhereError
    cause = worker.executor.causes.find(reference)
    if cause is None:
        raise told.NoCauseError
    return cause.to_json()


@router.get("/schema")
async def schema(worker: TheWorker) -> dict[str, Any]:
    """The model's commands and tracks as OpenAPI 3.1."""
    return model_schema(worker.model)


@router.get("/metrics", response_class=Response, dependencies=[ADMIN])
async def metrics(worker: TheWorker) -> Response:
    """Counters in the text format of Prometheus."""
    await worker.clients.look()
    return Response(worker.metrics.render(worker), media_type=CONTENT_TYPE_LATEST)


def _status(worker: Worker) -> str:
    return "failing" if worker.standing.failing else "healthy"
