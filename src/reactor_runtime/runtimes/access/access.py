"""From the credentials of a request to what it may do: every carrier in turn, and any valid one opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.runtimes.door.prefix import PREFIX

from .carriers import PathToken, Scope, bearer, cookies, parameters, query_without
from .cookie_sessions import CookieSessions
from .credentials import EVERYBODY, Grant, Keys, TokenRole
from .sharing import Shared, Sharing
from .upload_urls import UploadUrls

VISIT = "reactor.visit"
"""Where in the ASGI scope the routes find who asks."""
STAYS = "reactor.stays"
"""Where in the ASGI scope who stands in front says that the address, its token with it, is to stay."""
QUERY = "token"
COOKIE = "reactor_session"
"""The page's cookie; the port follows, because browsers keep one jar for all ports of a host."""
SENDS_A_FILE = Grant(TokenRole.CONTROL, "upload")
"""Of a request whose address is signed: it reaches the one route that the address names."""
NOBODY = Grant(TokenRole.VIEW, "nobody")
"""Of requests that need no token, because they are told nothing."""
_PROXYS = (b"x-forwarded-", b"x-proxycontextpath", b"forwarded", b"via")
"""How the headers of proxies begin."""
TOLD_NOTHING = frozenset({("POST", "/sessions"), ("POST", "/tokens")})
"""What SDKs ask of a cloud; the answer is the same sentence for everybody."""

TOKEN_REQUIRED = RefusedError(
    Refusal.UNAUTHENTICATED,
    "token_required",
    "This server asks for a token: open the address it printed when it started, or send "
    "the header Authorization: Bearer TOKEN.",
)


@dataclass(frozen=True)
class Visit:
    """One request: what it may do, and who signs addresses for it."""

    grant: Grant
    uploads: UploadUrls | None = None
    """None where addresses need no signature."""
    sharing: Sharing | None = None

    def share(self, role: TokenRole, address: str) -> Shared:
        """What a link of this visitor's carries. Raises `RefusedError`, also when it asks too often."""
        if self.sharing is None:
            return Shared()
        self.sharing.limit(address)
        return self.sharing.token(self.grant, role)


@dataclass(frozen=True)
class Entry:
    """What the door makes of a request: a `visit`, or the `refusal`."""

    visit: Visit | None
    refusal: RefusedError = TOKEN_REQUIRED
    cookies: list[tuple[bytes, bytes]] = field(default_factory=list)
    location: str | None = None
    """Where a browser goes next, so that the token leaves its address bar."""


class Access:
    """Event loop only."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = Keys(secrets)
        self._cookies = CookieSessions()
        self._uploads = UploadUrls()
        self._sharing = Sharing(self._keys)

    def enter(self, scope: Scope, headers: dict[bytes, str], path_token: PathToken | None) -> Entry:
        """`scope` is the one below the token."""
        in_address = [*([path_token.credential] if path_token else []), *parameters(scope, QUERY)]
        kept = self._kept(scope, headers)
        grant, refusal = self._first_valid(scope, bearer(headers.get(b"authorization", "")), in_address, kept)
        if grant is None:
            if (scope["method"], scope["path"]) not in TOLD_NOTHING:
                return Entry(None, refusal)
            grant = NOBODY
        visit = Visit(grant, None if self._keys.open else self._uploads, self._sharing)
        if scope.get(STAYS):
            return Entry(visit, refusal)
        given = self._give_cookie(scope, in_address, kept, path_token)
        location = None
        if in_address and is_page(scope, headers):
            location = (path_token.above if path_token else "./") + query_without(scope, QUERY)
        return Entry(visit, refusal, given, location)

    def _first_valid(
        self, scope: Scope, header: bytes, in_address: list[bytes], kept: Grant | None
    ) -> tuple[Grant | None, RefusedError]:
        """What the client says itself comes before what its browser adds; a wrong one hides no right one."""
        refusal = TOKEN_REQUIRED
        try:
            if self._uploads.opens(scope):
                return SENDS_A_FILE, refusal
        except RefusedError as error:
            refusal = error
        if self._keys.open:
            return EVERYBODY, refusal
        for credential in (header, *in_address):
            try:
                grant = self._keys.read(credential)
            except RefusedError as error:
                refusal = error
                continue
            if grant is not None:
                return grant, refusal
        return kept, refusal

    def _kept(self, scope: Scope, headers: dict[bytes, str]) -> Grant | None:
        """What the page's cookie allows."""
        values = cookies(headers.get(b"cookie", ""), cookie_name(scope))
        return next((grant for value in values if (grant := self._cookies.read(value)) is not None), None)

    def _give_cookie(
        self, scope: Scope, in_address: list[bytes], kept: Grant | None, path_token: PathToken | None
    ) -> list[tuple[bytes, bytes]]:
        """For who shows a token in the address, and has no cookie of it yet."""
        if self._keys.open:
            return []
        grant = next(self._valid(in_address), None)
        if grant is None or grant == kept:
            return []
        return [_cookie(scope, self._cookies.open(grant), path_token)]

    def _valid(self, credentials: list[bytes]) -> Iterator[Grant]:
        for credential in credentials:
            try:
                grant = self._keys.read(credential)
            except RefusedError:
                continue
            if grant is not None:
                yield grant


def is_page(scope: Scope, headers: dict[bytes, str]) -> bool:
    """Whether a browser opens the page."""
    asked = (scope["method"], scope["path"]) == ("GET", "/")
    return asked and "text/html" in headers.get(b"accept", "")


def cookie_name(scope: Scope) -> str:
    server = scope.get("server")
    return f"{COOKIE}_{server[1]}" if server else COOKIE


def _cookie(scope: Scope, session: str, path_token: PathToken | None) -> tuple[bytes, bytes]:
    """Lax, not Strict: who follows a link with a token from another site is led on to the page, and a Strict
    cookie would stay behind on that way. What changes anything is no GET, and is asked for its origin.

    Other servers below the same name do not get it: its path is our prefix. Where no proxy tells it
    and the page itself is asked for, the browser knows it: without a path, a cookie belongs below its page.
    """
    prefix = scope.get(PREFIX, "")
    untold = not prefix and path_token is None and scope["path"] == "/" and _proxied(scope)
    path = "" if untold else f"; Path={prefix}/"
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return b"set-cookie", f"{cookie_name(scope)}={session}{path}; HttpOnly; SameSite=Lax{secure}".encode()


def _proxied(scope: Scope) -> bool:
    return any(name.lower().startswith(_PROXYS) for name, _ in scope["headers"])
