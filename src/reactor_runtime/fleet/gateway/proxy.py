"""From a client to the worker that serves it, and back, streamed. The guard has looked at the request."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from contextlib import aclosing
from typing import Any

from reactor_runtime.clients.reach import REACHED
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.fleet.engine import Endpoint
from reactor_runtime.fleet.fleet import Fleet, Serving
from reactor_runtime.fleet.upstream import Headers, Pool, Upstream, UpstreamError
from reactor_runtime.runtimes.access.credentials import TokenRole
from reactor_runtime.runtimes.door.asgi import Message, Receive, Scope, Send
from reactor_runtime.runtimes.http.control import PREFIX
from reactor_runtime.runtimes.http.options import HttpOptions

from . import media
from .passes import Passes
from .which import Which, grant_of, watches

SMALL = 64 * 1024
"""Bytes of an answer that is looked at."""
_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding "
    b"upgrade".split()
)
"""About one connection (RFC 9110, section 7.6.1), and not about the message."""
_OURS = frozenset(
    b"authorization cookie origin host expect forwarded via x-forwarded-for x-forwarded-proto "
    b"x-forwarded-host sec-fetch-site sec-fetch-mode sec-fetch-dest sec-fetch-user".split()
) | {REACHED}
"""What the guard has judged, and what the gateway says itself."""
_NOT_BACK = _HOP | frozenset(b"set-cookie date server".split())
_UPLOADS = re.compile(r"/sessions/[^/]+/uploads")


class Proxy:
    """ASGI. Raises `RefusedError` before anything is answered; the application makes an answer of it."""

    def __init__(self, fleet: Fleet, which: Which, http: HttpOptions) -> None:
        self.users = media.Users(fleet)
        self._fleet = fleet
        self._which = which
        self._http = http
        self._pool = Pool()
        self._passes = Passes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(PREFIX):
            raise RefusedError(Refusal.NOT_FOUND, "not_found", "There is no such page.")
        serving = self._which.session(scope)
        await self.forward(serving.endpoint, scope, receive, send, serving)

    async def forward(
        self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send, serving: Serving | None = None
    ) -> None:
        """Without a session the worker is asked about its model only."""
        self._pool.forget(self._fleet.endpoints.values())
        try:
            upstream = await self._pool.take(endpoint)
        except UpstreamError as error:
            raise _worker_lost() from error
        answer = _Answer(send)
        headers = _headers(scope, self._credential(endpoint, scope, serving))
        if media.is_answer(scope["path"]) and (told := media.reached_at(scope, self._http)):
            headers.append((REACHED, told))
        lost: BaseException | None = None
        over = False
        try:
            async with asyncio.TaskGroup() as both:
                asking = both.create_task(_ask(upstream, scope, headers, receive))
                both.create_task(self._answer(upstream, scope, answer, serving, asking))
        except* UpstreamError as group:
            lost = group
        except* _OverError:
            over = True
        except* _ClientGoneError:
            pass
        finally:
            self._pool.give(endpoint, upstream)
        if over:
            raise RefusedError(Refusal.NOT_FOUND, "no_session", "This session has just ended.")
        if lost is not None and not answer.begun:
            raise _worker_lost() from lost
        if lost is not None:
            # Half an answer cannot be taken back: the connection is cut, so that nobody takes it for whole.
            raise lost

    def _credential(self, endpoint: Endpoint, scope: Scope, serving: Serving | None) -> str:
        """What the client may do, in the worker's terms: a token for this session, unless it is about all."""
        grant = grant_of(scope)
        if serving is None or (grant.rules and scope["path"] == "/events"):
            return endpoint.secret
        role = TokenRole.VIEW if watches(scope) else TokenRole.CONTROL
        return self._passes.token(endpoint.secret, role, serving)

    async def _answer(
        self, upstream: Upstream, scope: Scope, answer: _Answer, serving: Serving | None, asking: Any
    ) -> None:
        head = await upstream.head()
        headers = [(n, v) for n, v in head.headers if n not in _NOT_BACK]
        upload = serving is not None and scope["method"] == "POST" and _UPLOADS.fullmatch(scope["path"])
        signals = media.is_answer(scope["path"])
        kept = b""
        if head.status_code == 403 and serving is not None:
            kept = b"".join([part async for part in upstream.parts()])
            if b'"wrong_session"' in kept:
                # The token is ours and true: the worker was faster than its word that it is free.
                raise _OverError
            await answer.begin(head.status_code, headers)
            await answer.part(kept)
            await answer.end()
            asking.cancel()
            return
        await answer.begin(head.status_code, headers)
        async with aclosing(upstream.parts()) as parts:
            async for part in parts:
                if serving is not None and (upload or signals) and len(kept) < SMALL:
                    kept += part
                    # Before the client can read it, and send the file, or media over TCP.
                    if upload and (file := _presigned(kept)):
                        self._which.announced(file, serving.session)
                    if signals:
                        self.users.answered(kept, serving.session)
                await answer.part(part)
        await answer.end()
        asking.cancel()


class _ClientGoneError(Exception):
    pass


class _OverError(Exception):
    pass


class _Answer:
    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def begin(self, status: int, headers: Headers) -> None:
        self.begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def part(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def _ask(upstream: Upstream, scope: Scope, headers: Headers, receive: Receive) -> None:
    """Send the request, then watch whether the client goes: a stream would last for ever."""
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    await upstream.begin(scope["method"], target, headers)
    more = True
    while more:
        message: Message = await receive()
        if message["type"] != "http.request":
            raise _ClientGoneError
        more = message.get("more_body", False)
        with contextlib.suppress(UpstreamError):  # it may have answered without reading all: that is heard
            if message.get("body"):
                await upstream.send(message["body"])
            if not more:
                await upstream.send(b"")
    while (await receive())["type"] != "http.disconnect":
        pass
    raise _ClientGoneError


def _headers(scope: Scope, credential: str) -> Headers:
    kept = [(n.lower(), v) for n, v in scope["headers"] if n.lower() not in _HOP and n.lower() not in _OURS]
    named = {name for name, _ in kept}
    host = next((v for n, v in scope["headers"] if n.lower() == b"host"), b"localhost")
    client = scope.get("client")
    own = [
        (b"host", host),
        (b"x-forwarded-proto", scope.get("scheme", "http").encode()),
        (b"authorization", b"Bearer " + credential.encode()),
    ]
    if client:
        own.append((b"x-forwarded-for", str(client[0]).encode()))
    if b"content-length" not in named and scope["method"] not in ("GET", "HEAD"):
        own.append((b"transfer-encoding", b"chunked"))
    return [*own, *kept]


def _presigned(text: bytes) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return ""
    return str(found.get("presigned_id", "")) if isinstance(found, dict) else ""


def _worker_lost() -> RefusedError:
    return RefusedError(
        Refusal.UNAVAILABLE, "worker_lost", "The worker of this session does not answer.", retry_after=1
    )
