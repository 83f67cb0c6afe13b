"""The gateway as one ASGI application: a worker's guard, the waiting room, and the way to the workers."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import Response

from reactor_runtime._version import __version__
from reactor_runtime.errors import RefusedError
from reactor_runtime.fleet.fleet import Fleet
from reactor_runtime.runtimes.access.access import Access
from reactor_runtime.runtimes.access.credentials import Keys
from reactor_runtime.runtimes.door.addresses import Proxies
from reactor_runtime.runtimes.door.asgi import App, Receive, Scope, Send
from reactor_runtime.runtimes.door.bodies import Bodies
from reactor_runtime.runtimes.door.entrance import Entrance
from reactor_runtime.runtimes.http import cloud, page
from reactor_runtime.runtimes.http.guard import OPEN_PROBES, Guard
from reactor_runtime.runtimes.http.problems import add_handlers, refused

from . import admin, idle, preview, sharing, starting, tickets
from .media import Users
from .options import GatewayOptions
from .proxy import Proxy
from .which import SessionTokens, Which

FLEET = '  <meta name="reactor-fleet" content="{}">'
"""Says to the page that there is a waiting room in front of it, and whether it shows a `preview`."""
ABOUT_THE_MODEL = ("/schema", "/openapi.json")
"""The same on every worker: any of them is asked."""
OWN = frozenset(
    {"", "tickets", "fleet", "metrics", "livez", "readyz", "health", "web", page.EMBEDDED, "tokens"}
    | {"start_session", "share", *(path.removeprefix("/") for path in ABOUT_THE_MODEL)}
)
"""First segments of the paths that the gateway answers itself."""


def create_gateway(fleet: Fleet, options: GatewayOptions) -> tuple[App, Users]:
    """The application, and who takes media over TCP."""
    which = Which(fleet)
    proxy = Proxy(fleet, which, options.http)
    keys = Keys(options.secrets)
    http = options.http
    guard = Guard(
        Bodies(_Dispatch(fleet, options, keys, which, proxy), http.max_upload * 2**20),
        host=http.host,
        allow_hosts=http.allow_hosts,
        allow_origins=http.allow_origins,
        access=Access(http.secrets),
        public=page.public_paths() | OPEN_PROBES,
        door=page.locked(),
    )
    return Entrance(SessionTokens(guard, keys, which.runs), Proxies(http.trusted_proxies)), proxy.users


class _Dispatch:
    """What is about a session goes to its worker at once; FastAPI looks at the rest."""

    def __init__(self, fleet: Fleet, options: GatewayOptions, keys: Keys, which: Which, proxy: Proxy) -> None:
        self._fleet = fleet
        self._proxy = proxy
        self._api = _create_api(fleet, options, keys, which, self._proxy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["path"].removeprefix("/").partition("/")[0] in OWN
            or scope["path"] == "/sessions"
        ):
            await self._api(scope, receive, send)
            return
        try:
            try:
                await self._proxy(scope, receive, send)
            except RefusedError as error:
                if not await idle.answer(self._fleet, self._proxy, error, scope, receive, send):
                    raise
        except RefusedError as error:
            await refused(error)(scope, receive, send)


def _create_api(fleet: Fleet, options: GatewayOptions, keys: Keys, which: Which, proxy: Proxy) -> FastAPI:
    app = FastAPI(title="Reactor fleet", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    begin = starting.Starting(fleet, which, options.queue_wait)
    for router in (
        tickets.router(fleet, keys),
        admin.router(fleet, options),
        starting.router(begin, which, proxy),
        sharing.router(fleet, which, keys),
        cloud.router,
    ):
        app.include_router(router)
    if options.preview:
        app.include_router(preview.router(fleet, keys))
    mark = FLEET.format("preview" if options.preview else "")
    page.mount(app, mark, lambda request: not which.is_for_one(request.scope))
    for path in ABOUT_THE_MODEL:
        app.add_api_route(path, _AboutTheModel(fleet, proxy), include_in_schema=False)
    add_handlers(app)
    return app


class _AboutTheModel:
    def __init__(self, fleet: Fleet, proxy: Proxy) -> None:
        self._fleet = fleet
        self._proxy = proxy

    async def __call__(self, request: Request) -> Response:
        endpoint = idle.any_worker(self._fleet)

        class Answer(Response):
            async def __call__(_self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: N805  # a closure
                await self._proxy.forward(endpoint, scope, receive, send)

        return Answer()
