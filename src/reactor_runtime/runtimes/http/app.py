"""The HTTP surface as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from reactor_runtime._version import __version__
from reactor_runtime.clock import WALL, Clock
from reactor_runtime.runtimes.access.access import Access
from reactor_runtime.runtimes.door.addresses import Proxies
from reactor_runtime.runtimes.door.asgi import App, Message
from reactor_runtime.runtimes.door.bodies import Bodies
from reactor_runtime.runtimes.door.entrance import Entrance
from reactor_runtime.runtimes.door.prefix import Prefix
from reactor_runtime.transports.connecting import Connecting
from reactor_runtime.worker.leases import Leases
from reactor_runtime.worker.worker import Worker

from . import cloud, control, events, info, page, probes, sessions, share, signalling, uploads
from .guard import OPEN_PROBES, Guard
from .options import HttpOptions
from .problems import Problem, add_handlers
from .refused_lines import RefusedLines

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
        public=page.public_paths() | OPEN_PROBES,
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
