"""The path below which a proxy serves us: taken off what comes, and put before what we name. Pure ASGI.

The page needs none of this, since each of its addresses is relative. Whole addresses need it, as those of
uploads, and the path of the cookie.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from reactor_runtime.runtimes.door.addresses import Proxies
from reactor_runtime.runtimes.door.asgi import App, Receive, Scope, Send, respond

PREFIX = "reactor.prefix"
"""Where in the ASGI scope the prefix is found: "" or as in ``/user/ada/proxy/8080``."""
HEADER = b"x-forwarded-prefix"
LIMIT = 256
_WHOLE = re.compile(r"(?:/[A-Za-z0-9._~@:+%-]+)+")


def clean(text: str) -> str | None:
    """A prefix as it is used here, without a slash at its end; None for what is none."""
    text = text.strip().rstrip("/")
    dots = any(part in (".", "..") for part in text.split("/"))
    if text == "":
        return ""
    return text if len(text) <= LIMIT and _WHOLE.fullmatch(text) and not dots else None


class Prefix:
    """Wraps everything else. `root_path` is the operator's word; a trusted proxy's own goes before it."""

    def __init__(self, app: App, root_path: str, proxies: Proxies) -> None:
        self._app = app
        self._root_path = root_path
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix = self._prefix(scope) if scope["type"] == "http" else ""
        if not prefix:
            await self._app(scope, receive, send)
            return
        path, raw = scope["path"], scope.get("raw_path") or quote(scope["path"]).encode()
        if path == prefix:
            # Without its slash, every relative address would lead beside us.
            await respond(send, 307, b"", [(b"location", _with_slash(prefix, scope))])
            return
        if path.startswith(f"{prefix}/") and raw.startswith(f"{prefix}/".encode()):
            path, raw = path[len(prefix) :], raw[len(prefix) :]
        await self._app(
            {**scope, "path": path, "raw_path": raw, "root_path": prefix, PREFIX: prefix}, receive, send
        )

    def _prefix(self, scope: Scope) -> str:
        client = scope.get("client")
        told = [value for name, value in scope["headers"] if name.lower() == HEADER]
        if len(told) == 1 and client is not None and self._proxies.trust(client[0]):
            found = clean(told[0].decode("latin-1"))
            if found:
                return found
        return self._root_path


def _with_slash(prefix: str, scope: Scope) -> bytes:
    query: bytes = scope.get("query_string", b"")
    # Relative, because another proxy may stand before the one that told us.
    last = prefix.rpartition("/")[2].encode()
    return b"./" + last + b"/" + (b"?" + query if query else b"")
