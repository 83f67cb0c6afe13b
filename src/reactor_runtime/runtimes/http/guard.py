"""Which requests a server on a laptop answers: Host, Origin and CORS. Pure ASGI.

A web page anywhere can make its visitor's browser call ``http://127.0.0.1:8080``. So the Host must be one of
ours (DNS rebinding), an Origin must be allowed or absent, what a browser fetches for another site without
naming an origin is refused, and answers name no origin but the one that asked.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from reactor_runtime.errors import RefusedError
from reactor_runtime.runtimes.access.access import VISIT, Access, Entry, is_page
from reactor_runtime.runtimes.access.carriers import below_token
from reactor_runtime.runtimes.door.addresses import is_loopback
from reactor_runtime.runtimes.door.asgi import App, Message, Receive, Scope, Send
from reactor_runtime.runtimes.door.asgi import refuse as _refuse
from reactor_runtime.runtimes.door.asgi import respond as _respond

from .refusals import STATUSES
from .refused import refuse_in_words

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
ALLOWED_METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
ALLOWED_HEADERS = (
    "content-type, authorization, last-event-id, reactor-api-version, reactor-api-accept-version, "
    "reactor-webrtc-version"
)
ANY_ADDRESS = "(address)"
"""Among the allowed hosts: every IP address. A rebound name is a name."""
PROBES = frozenset({"/health", "/metrics", "/livez", "/readyz"})
"""What HTTP/1.0 may ask for without a Host from this machine: proxies' health checks. Browsers name one."""
OPEN_PROBES = frozenset({"/livez", "/readyz"})
"""Those that need no token: they say nothing but a word."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?")


class Guard:
    """Wraps the application and refuses what does not belong here."""

    def __init__(
        self,
        app: App,
        *,
        host: str,
        allow_hosts: Iterable[str] = (),
        allow_origins: Iterable[str] = (),
        access: Access | None = None,
        public: Iterable[str] = (),
        door: App | None = None,
    ) -> None:
        """`public` are paths of files that hold nothing of anybody's: they need no token, and any site may
        name them in a `<script>`. `access` knows the tokens; `door` answers browsers that open the page
        without one.
        """
        self._app = app
        self._access = access or Access(())
        self._public = frozenset(public)
        self._door = door
        self._hosts = allowed_hosts(host, allow_hosts)
        self._origins = frozenset(origin.rstrip("/").lower() for origin in allow_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "There are no WebSockets here."})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope, path_token = below_token(scope)
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        send = _with_headers(send, _ALWAYS)
        if sum(name.lower() in (b"host", b"origin") for name, _ in scope["headers"]) > len(
            headers.keys() & {b"host", b"origin"}
        ):
            await _refuse(send, 400, "invalid_request", "A request names one Host and one Origin at most.")
            return
        host = headers.get(b"host", "")
        origin = headers.get(b"origin")
        if not self._host_allowed(host) and not (host == "" and _probe(scope)):
            await refuse_in_words(send, headers, 421, "wrong_host", _WRONG_HOST, _without_port(host))
            return
        if origin is not None and not self._origin_allowed(origin, host, scope.get("scheme", "http")):
            await refuse_in_words(send, headers, 403, "origin_not_allowed", _WRONG_ORIGIN, origin)
            return
        public = scope["method"] in ("GET", "HEAD") and scope["path"] in self._public
        if origin is None and _fetched_for_another_site(scope, headers) and not public:
            await refuse_in_words(send, headers, 403, "cross_site", _CROSS_SITE)
            return
        cors = _cors(origin)
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _respond(send, 204, b"", [*cors, *_PREFLIGHT, *_private_network(headers)])
            return
        entry = self._access.enter(scope, headers, path_token)
        await self._let_in(
            scope, receive, _with_headers(send, [*entry.cookies, *cors]), headers, entry, public
        )

    async def _let_in(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[bytes, str],
        entry: Entry,
        public: bool,
    ) -> None:
        """What the credentials of a request lead to: a refusal, another address, or the application."""
        if entry.visit is None and not public:
            await self._ask_for_token(scope, receive, _with_headers(send, _CHALLENGE), headers, entry.refusal)
        elif entry.location is not None:
            await _respond(send, 303, b"", [(b"location", entry.location.encode()), *_UNSEEN])
        else:
            await self._app({**scope, VISIT: entry.visit}, receive, send)

    async def _ask_for_token(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, str], refusal: RefusedError
    ) -> None:
        if self._door is not None and is_page(scope, headers):
            await self._door(scope, receive, send)
            return
        await _refuse(send, STATUSES[refusal.kind], refusal.code, refusal.message)

    def _host_allowed(self, host: str) -> bool:
        name = _without_port(host)
        if ANY_ADDRESS in self._hosts and _is_address(name):
            return True
        return bool(name) and (name in self._hosts or "*" in self._hosts)

    def _origin_allowed(self, origin: str, host: str, scheme: str) -> bool:
        origin = origin.rstrip("/").lower()
        if origin == f"{scheme}://{host}".lower() or origin in self._origins:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        # Local front-end development: any port of this machine.
        return parts.scheme in ("http", "https") and _without_port(parts.netloc) in LOOPBACK_NAMES


def allowed_hosts(host: str, more: Iterable[str] = ()) -> frozenset[str]:
    """Host names under which a server bound to `host` answers: never taken from a request."""
    names = set(LOOPBACK_NAMES)
    names.update(name.lower() for name in more)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        names.add(host.lower())
    else:
        if address.is_unspecified:
            # Bound to every address: which of them a client uses cannot be known.
            names.add(ANY_ADDRESS)
            names.update(own_names())
        names.add(f"[{host}]" if address.version == 6 else host)
    return frozenset(names)


def own_names() -> set[str]:
    """What this machine calls itself, without asking anybody."""
    name = socket.gethostname().lower()
    return {name, f"{name.partition('.')[0]}.local"} if name else set()


def _fetched_for_another_site(scope: Scope, headers: dict[bytes, str]) -> bool:
    """Whether a browser loads this into a page of another site, as an image or a script."""
    if headers.get(b"sec-fetch-site") != "cross-site":
        return False
    if scope["method"] not in ("GET", "HEAD"):
        return True
    return headers.get(b"sec-fetch-mode") != "navigate"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _private_network(headers: dict[bytes, str]) -> list[tuple[bytes, bytes]]:
    """A public page that may use this server must be told that it may reach into the private network."""
    if headers.get(b"access-control-request-private-network") != "true":
        return []
    return [(b"access-control-allow-private-network", b"true")]


def _probe(scope: Scope) -> bool:
    """Whether a health check of this machine asks."""
    client = scope.get("client")
    plain = scope.get("http_version") == "1.0" and scope["method"] in ("GET", "HEAD")
    return plain and scope["path"] in PROBES and client is not None and is_loopback(client[0])


def _without_port(host: str) -> str:
    """The name in ``name:port``; "" when it is anything else."""
    found = _HOST.fullmatch(host.lower())
    return found.group(1) if found else ""


def _cors(origin: str | None) -> list[tuple[bytes, bytes]]:
    if origin is None:
        return [(b"vary", b"Origin")]
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", b"Retry-After"),
        (b"vary", b"Origin"),
    ]


_WRONG_HOST = "This server does not answer under that host name; name it with --allow-host if it is yours."
_WRONG_ORIGIN = "Pages of this origin may not use this server; start it with --allow-origin to let them."
_CROSS_SITE = "Pages of other sites may not use this server."
_CHALLENGE = [(b"www-authenticate", b"Bearer")]
_UNSEEN = [(b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer")]
"""The address that led here holds a token: nobody keeps it or is told it."""
_ALWAYS = [(b"x-content-type-options", b"nosniff")]
_PREFLIGHT = [
    (b"access-control-allow-methods", ALLOWED_METHODS.encode()),
    (b"access-control-allow-headers", ALLOWED_HEADERS.encode()),
    (b"access-control-max-age", b"600"),
]


def _with_headers(send: Send, extra: list[tuple[bytes, bytes]]) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = list(message.get("headers", []))
            names = {name.lower() for name, _ in present}
            # One of a kind, except for those that add up.
            added = [each for each in extra if each[0] not in names or each[0] in (b"vary", b"set-cookie")]
            message = {**message, "headers": [*present, *added]}
        await send(message)

    return wrapped
