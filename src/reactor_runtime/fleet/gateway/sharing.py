"""`POST /share`: a link to the session that the asker plays, for who watches or for a telephone."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request

from reactor_runtime.clock import WALL
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.fleet.fleet import Fleet
from reactor_runtime.runtimes.access.credentials import Keys, TokenRole
from reactor_runtime.runtimes.access.rights import ViewOnlyError
from reactor_runtime.runtimes.access.sharing import LASTS_S, links_limit
from reactor_runtime.runtimes.http.callers import address_of
from reactor_runtime.runtimes.http.share import ShareBody, drawn

from .tickets import subject_of
from .which import Which, watches

_OF_A_SESSION = re.compile(r"(/t/[^/]+)?/?$")
"""How the address of a page ends: below it stands the one of a session, as the link says it."""


def router(fleet: Fleet, which: Which, keys: Keys) -> APIRouter:
    routes = APIRouter(tags=["session"])
    limit = links_limit()

    @routes.post("/share")
    async def share(body: ShareBody, request: Request) -> dict[str, Any]:
        """A link that opens while this session runs, for 12 hours at most, and its QR code as SVG."""
        if watches(request.scope):
            raise ViewOnlyError
        session = which.of_token(request.scope)
        serving = None if session is None else fleet.serving.get(session)
        if serving is None:
            raise RefusedError(Refusal.NOT_FOUND, "no_session", "You play no session that could be shared.")
        limit(address_of(request), WALL.time())
        lasts = LASTS_S
        if serving.ends_at is not None:
            lasts = max(1.0, min(lasts, serving.ends_at - fleet.clock()))
        role = TokenRole(body.role)
        subject = "" if role is TokenRole.VIEW else subject_of(serving.ticket)
        token = keys.mint(role, lasts, subject, serving.session)
        link = _OF_A_SESSION.sub(f"/t/{token}/", body.address, count=1)
        link += f"#{body.values}" if body.values else ""
        return {"link": link, "expires_at": WALL.unix() + lasts, "session": True, "qr": await drawn(link)}

    return routes
