"""A line of the log for each request that is refused. Pure ASGI."""

from __future__ import annotations

import json
import logging
import re

from reactor_runtime import loglines
from reactor_runtime.runtimes.door.asgi import App, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

BODY_READ = 4 * 1024
"""Bytes of an answer that the code is looked for in."""
PATH_SHOWN = 120
"""Characters of a path that a line repeats."""
_SECRET = re.compile(r"(?<=/t/)[^/]+|(?<=/connections/)[^/]+|(?<=/sessions/)[^/]+|(?<=/uploads/)[^/]+")
"""What opens something, or names somebody: tokens, and the ids that are their holders' secrets."""
_EXPECTED = frozenset({"loading", "queued", "session_running", "session_closing"})
"""Clients ask again and again until it is not so any more; they are told, and the log knows it already."""


class RefusedLines:
    """Wraps everything that refuses."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, body = 0, b""

        async def watched(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status >= 400 and len(body) < BODY_READ:
                body += message.get("body", b"")[:BODY_READ]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            if status >= 400:
                _tell(scope, status, body)


def _tell(scope: Scope, status: int, body: bytes) -> None:
    code = _code(body)
    if code in _EXPECTED:
        return
    address = str((scope.get("client") or ("?",))[0])
    token = loglines.client.set(address)  # bounded for each address, as other lines are for each client
    try:
        log.info("Refused %s %s: %d %s", scope["method"], shown(scope["path"]), status, code)
    finally:
        loglines.client.reset(token)


def shown(path: str) -> str:
    """A path without what opens something."""
    plain = _SECRET.sub("*", path)
    return plain if len(plain) <= PATH_SHOWN else f"{plain[: PATH_SHOWN - 1]}…"


def _code(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return ""  # a page in words, for a browser
    code = answer.get("code") if isinstance(answer, dict) else None
    return code if isinstance(code, str) else ""
