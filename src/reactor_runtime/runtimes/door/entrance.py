"""What is made plain before anybody judges a request: who asks, which host, HEAD as GET. Pure ASGI."""

from __future__ import annotations

import re
from urllib.parse import unquote

from .addresses import Proxies
from .asgi import App, Message, Receive, Scope, Send, refuse
from .connections import SLOT, Slot

_ABSOLUTE = re.compile(rb"https?://([^/]*)(.*)", re.IGNORECASE | re.DOTALL)


class Entrance:
    """Wraps the guard: it and everything behind it see one form of each request."""

    def __init__(self, app: App, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A copy: the server below still has to know that this was HEAD.
        scope = {**scope, "headers": list(scope["headers"])}
        self._take_from_proxy(scope)
        _take_from_target(scope)
        slot: Slot | None = (scope.get("state") or {}).get(SLOT)
        if slot is not None and scope["client"] and not slot.belongs_to(scope["client"][0]):
            await refuse(send, 503, "too_many_connections", _CROWDED, [(b"retry-after", b"1")])
            return
        if scope["method"] == "HEAD":
            scope["method"] = "GET"
            send = _without_body(send)
        await self._app(scope, receive, send)

    def _take_from_proxy(self, scope: Scope) -> None:
        client = scope.get("client")
        if client is None:
            return
        headers = scope["headers"]
        forwarded = _values(headers, b"x-forwarded-for")
        address = self._proxies.client(client[0], ",".join(forwarded))
        scope["client"] = (address, client[1] if address == client[0] else 0)
        scheme = ",".join(_values(headers, b"x-forwarded-proto")).partition(",")[0].strip().lower()
        if scheme in ("http", "https") and self._proxies.trust(client[0]):
            scope["scheme"] = scheme


_CROWDED = "Too many connections of this address are busy; try again."


def _values(headers: list[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name.lower() == wanted]


def _take_from_target(scope: Scope) -> None:
    """``GET http://host/path``: the target's host counts, not the header's (RFC 9112, section 3.2.2)."""
    found = _ABSOLUTE.fullmatch(scope.get("raw_path") or b"")
    if found is None:
        return
    host, path = found.groups()
    others = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
    scope["headers"] = [(b"host", host), *others]
    scope["raw_path"] = path or b"/"
    scope["path"] = unquote(scope["raw_path"].decode("latin-1"))


def _without_body(send: Send) -> Send:
    """The headers of the answer alone. A stream ends there: for its source the client has gone."""
    ended = False

    async def bodyless(message: Message) -> None:
        nonlocal ended
        if message["type"] == "http.response.start":
            await send(message)
        elif not ended:
            ended = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return bodyless
