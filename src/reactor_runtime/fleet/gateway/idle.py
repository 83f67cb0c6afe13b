"""What a client without a session is answered, where a worker that nobody plays on would answer it."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.fleet import upstream
from reactor_runtime.fleet.engine import Endpoint
from reactor_runtime.fleet.fleet import Fleet
from reactor_runtime.runtimes.door.asgi import Receive, Scope, Send

from .proxy import Proxy
from .which import address_in

OF_THE_MODEL = frozenset(
    {"cluster", "model", "server_info", "selected_transport", "capabilities", "started_at", "number", "audit"}
)
"""What every worker says to everybody, `number` (how many sessions it has had) among it. All else that it
says may be of somebody else's session."""
OF_NO_SESSION: dict[str, Any] = {
    "session_id": "",
    "state": "READY",
    "frames": 0,
    "lost": {},
    "clients": [],
    "free_in": None,
    "notices": {},
}


async def answer(
    fleet: Fleet, proxy: Proxy, refusal: RefusedError, scope: Scope, receive: Receive, send: Send
) -> bool:
    """Says whether it was answered here; `refusal` is why the request belongs to no session."""
    if refusal.code != "no_session":
        return False
    match scope["method"], scope["path"]:
        case "POST", "/stop_session":
            response: Response = JSONResponse({"state": "READY"})
        case "GET", "/session":
            response = JSONResponse(await _descriptor(any_worker(fleet), fleet.ended.get(address_in(scope))))
        case "GET", "/ice_servers":
            # Old SDKs ask before they begin; it is the same for all.
            await proxy.forward(any_worker(fleet), scope, receive, send)
            return True
        case _:
            return False
    await response(scope, receive, send)
    return True


def any_worker(fleet: Fleet) -> Endpoint:
    """Raises `RefusedError` while none has loaded."""
    endpoints = list(fleet.endpoints.values())
    if not endpoints:
        raise RefusedError(
            Refusal.UNAVAILABLE, "loading", "The workers are loading; try again in a moment.", retry_after=1
        )
    return endpoints[0]


async def _descriptor(endpoint: Endpoint, end: dict[str, str] | None) -> dict[str, Any]:
    """`end` is how the last session of who asks ended."""
    try:
        status, found = await upstream.call(endpoint, "/session")
    except upstream.UpstreamError:
        status, found = 0, {}
    if status != 200:
        raise RefusedError(
            Refusal.UNAVAILABLE, "worker_lost", "The worker that was asked failed; try again.", retry_after=1
        )
    kept = {name: value for name, value in found.items() if name in OF_THE_MODEL}
    return {**kept, **OF_NO_SESSION, "last_end": None if end is None else {"session": 0, **end}}
