"""The HTTP surface as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from reactor_runtime._version import __version__
from reactor_runtime.clock import WALL, Clock
from reactor_runtime.errors import RefusedError
from reactor_runtime.runtimes.access.access import Access
from reactor_runtime.runtimes.door.addresses import Proxies
from reactor_runtime.runtimes.door.asgi import App, Message
from reactor_runtime.runtimes.door.bodies import Bodies, is_json
from reactor_runtime.runtimes.door.entrance import Entrance
from reactor_runtime.runtimes.door.prefix import Prefix
from reactor_runtime.transports.connecting import Connecting
from reactor_runtime.worker.leases import Leases
from reactor_runtime.worker.worker import Worker

from . import cloud, control, events, info, page, probes, sessions, share, signalling, uploads
from .guard import Guard
from .options import HttpOptions
from .refusals import STATUSES
from .refused_lines import RefusedLines

_NO_JSON = (
    "The body must be JSON, and the request must say so: send the header Content-Type: application/json."
)
_CODES = {404: "not_found", 405: "method_not_allowed", 400: "invalid_request"}


class Problem(BaseModel):
    """The body of every refusal. Some carry more: the `state` of the worker, the `field` that is wrong."""

    model_config = ConfigDict(extra="allow")
    detail: str
    """One or more sentences for a person."""
    code: str
    """A stable word for a program."""


_REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "Refused; `code` says why."},
    503: {"model": Problem, "description": "Not now: loading, failed or full."},
}


def create_app(
    worker: Callable[[], Worker],
    options: HttpOptions,
    leases: Callable[[], Leases] | None = None,
    clock: Clock = WALL,
    connecting: Connecting | None = None,
) -> App:
    """`worker` gives the worker behind the routes; it exists as soon as the event loop runs.

    `leases` are those of a worker in a fleet. `connecting` counts the offers that are refused.
    """
    api = create_api(worker)
    api.state.connecting = connecting or Connecting()
    if leases is not None:
        api.include_router(control.router(leases))
    guard = Guard(
        Bodies(api, options.max_upload * 2**20, clock),
        host=options.host,
        allow_hosts=options.allow_hosts,
        allow_origins=options.allow_origins,
        access=Access(options.secrets),
        public=page.public_paths() | probes.PATHS,
        door=page.locked(),
    )
    proxies = Proxies(options.trusted_proxies)
    return Prefix(Entrance(RefusedLines(guard), proxies), options.root_path, proxies)


async def rehearse(app: App) -> None:
    """One request to nobody: FastAPI makes its routes when the first one comes, and that one would wait."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Message) -> None:
        pass

    path = f"/{page.EMBEDDED}"
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    await app({**scope, "headers": [(b"host", b"localhost")], "http_version": "1.1"}, receive, send)


def create_api(worker: Callable[[], Worker]) -> FastAPI:
    """The routes alone, without the guard in front of them."""
    app = FastAPI(title="Reactor Runtime", version=__version__, docs_url=None, redoc_url=None)
    app.state.worker = worker
    routers = (info, probes, events, sessions, signalling, uploads, share, cloud)
    for router in (*(module.router for module in routers), signalling.v16_router):
        app.include_router(router, responses=_REFUSALS)
    page.mount(app, loads=lambda address: worker().page_loads(address))
    add_handlers(app)
    return app


def add_handlers(app: FastAPI) -> None:
    """Make an answer of everything that a route raises."""
    for kind, handler in _HANDLERS:
        app.add_exception_handler(kind, handler)


def problem(status: int, code: str, detail: str, **more: object) -> JSONResponse:
    """The body of every refusal."""
    return JSONResponse({"detail": detail, "code": code, **more}, status_code=status)


async def _request_error(_: Request, error: RefusedError) -> JSONResponse:
    return refused(error)


def refused(error: RefusedError) -> JSONResponse:
    """What a client is told of a refusal."""
    state = getattr(error, "state", None)
    response = problem(
        STATUSES[error.kind], error.code, error.message, **({"state": str(state)} if state else {})
    )
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if error.ends_connection:
        response.headers["Connection"] = "close"
    return response


async def _validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
    if error.body and not is_json(request.headers.get("content-type", "")):
        return problem(415, "unsupported_media_type", _NO_JSON)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    return problem(
        422, "invalid_request", f"The request is malformed at {place}: {first['msg']}.", field=place
    )


async def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    response = problem(error.status_code, _CODES.get(error.status_code, "http_error"), str(error.detail))
    if allowed := (error.headers or {}).get("Allow"):
        response.headers["Allow"] = allowed.replace("GET", "GET, HEAD")
    return response


async def _internal_error(_: Request, error: Exception) -> JSONResponse:
    return problem(500, "internal_error", "The server failed; its log says why.")


# Starlette's type asks for handlers of any Exception; each of these gets only its own kind.
_HANDLERS: tuple[tuple[type[Exception], Any], ...] = (
    (RefusedError, _request_error),
    (RequestValidationError, _validation_error),
    (HTTPException, _http_error),
    (Exception, _internal_error),
)
