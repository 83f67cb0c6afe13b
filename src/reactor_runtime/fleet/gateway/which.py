"""Which session a request is about: the one in its path, of its token, of its file, or of its address."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.fleet.fleet import Fleet, Serving
from reactor_runtime.protocol.descriptor import LOCAL_SESSION_ID
from reactor_runtime.runtimes.access.access import QUERY, STAYS, VISIT, Visit
from reactor_runtime.runtimes.access.carriers import bearer, below_token, parameters
from reactor_runtime.runtimes.access.credentials import EVERYBODY, Grant, Keys, TokenRole
from reactor_runtime.runtimes.door.asgi import App, Receive, Scope, Send

TOKENS = "reactor.session_tokens"
"""Where in the ASGI scope the routes find which session the request's token is for; "" for one that is
expired or none of ours, and nothing when there is none."""
WATCHES = "reactor.session_watches"
"""Where in the ASGI scope stands that this token is for watching; it says so also where nobody needs one."""
UPLOADS_LIMIT = 4096
"""Announced files whose session is remembered; the oldest is forgotten."""


class SessionTokens:
    """Wraps the guard, which takes the token out of the path. Pure ASGI."""

    def __init__(self, app: App, keys: Keys, runs: Callable[[str], bool] = lambda _: True) -> None:
        """`runs` says whether a session does: its address then stays in the browser's bar, as what it is."""
        self._app = app
        self._keys = keys
        self._runs = runs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, **self._found(scope)}
        await self._app(scope, receive, send)

    def _found(self, scope: Scope) -> dict[str, Any]:
        below, in_path = below_token(scope)
        header = next((v.decode("latin-1") for n, v in scope["headers"] if n.lower() == b"authorization"), "")
        in_address = [in_path.credential] if in_path is not None else []
        given = [*in_address, bearer(header), *parameters(below, QUERY)]
        for credential in given:
            try:
                grant = self._keys.read(credential) if credential else None
            except RefusedError:
                continue
            if grant is not None:
                stays = credential in in_address and grant.session is not None and self._runs(grant.session)
                watches = grant.session is not None and grant.role is TokenRole.VIEW
                return {TOKENS: grant.session, WATCHES: watches, STAYS: stays}
        return {TOKENS: "" if in_address else None}


class Which:
    """Event loop only."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._uploads: dict[str, str] = {}

    def announced(self, upload: str, session: str) -> None:
        """A session expects a file of this id: it comes to an address without a token."""
        self._uploads[upload] = session
        if len(self._uploads) > UPLOADS_LIMIT:
            del self._uploads[next(iter(self._uploads))]

    def session(self, scope: Scope) -> Serving:
        """Raises `RefusedError`."""
        named, token = _in_path(scope), self.of_token(scope)
        if named is not None:
            found = self._running(named)
            if token is not None and token != named:
                raise _wrong_session()
            return found
        if token is not None:
            return self._running(token)
        if (file := _file_in_path(scope)) in self._uploads:
            return self._running(self._uploads[file])
        return self._of_address(address_in(scope))

    def of_token(self, scope: Scope) -> str | None:
        """The session that the request's credential is for, or None. Raises `RefusedError`."""
        found: str | None = scope.get(TOKENS)
        if found == "":
            raise RefusedError(
                Refusal.UNAUTHENTICATED, "token_expired", "This address is that of a session that is over."
            )
        allowed = grant_of(scope).session
        if found and allowed not in (None, found):
            # Two tokens in one request: what one allows, it does not allow in the other's session.
            raise _wrong_session()
        return found or allowed

    def is_for_one(self, scope: Scope) -> bool:
        """Whether the credential is for a session that runs: its holder waits in no line."""
        try:
            session = self.of_token(scope)
        except RefusedError:
            return False
        return session is not None and self.runs(session)

    def runs(self, session: str) -> bool:
        return session in self._fleet.serving

    def of_address(self, address: str) -> list[Serving]:
        return [serving for serving in self._fleet.serving.values() if serving.address == address]

    def _running(self, session: str) -> Serving:
        found = self._fleet.serving.get(session)
        if found is None:
            raise RefusedError(Refusal.NOT_FOUND, "unknown_session", "Session not found; it may be over.")
        return found

    def _of_address(self, address: str) -> Serving:
        found = self.of_address(address)
        if len(found) > 1:
            raise RefusedError(
                Refusal.CONFLICT,
                "which_session",
                f"{len(found)} sessions of your address run; name one in the path, or use its base_url.",
            )
        if not found:
            raise RefusedError(
                Refusal.NOT_FOUND, "no_session", "No session of yours is running; POST /start_session first."
            )
        return found[0]


def _wrong_session() -> RefusedError:
    return RefusedError(Refusal.FORBIDDEN, "wrong_session", "This token is for another session.")


def watches(scope: Scope) -> bool:
    """Whether who asks may watch and no more."""
    return bool(scope.get(WATCHES)) or not grant_of(scope).may_control


def grant_of(scope: Scope) -> Grant:
    visit = scope.get(VISIT)
    return visit.grant if isinstance(visit, Visit) else EVERYBODY


def address_in(scope: Scope) -> str:
    """As `callers.address_of`, for those who have no `Request`."""
    client: Any = scope.get("client")
    host = str(client[0]) if client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _in_path(scope: Scope) -> str | None:
    parts = scope["path"].split("/")
    named = parts[2] if len(parts) > 3 and parts[1] == "sessions" else ""
    return named if named not in ("", LOCAL_SESSION_ID) else None


def _file_in_path(scope: Scope) -> str:
    parts = scope["path"].split("/")
    return parts[2] if len(parts) == 3 and parts[1] == "uploads" else ""
