"""What who waits may see meanwhile, where the operator allows it: a session that runs, to look on.

Each looks on as a viewer of that session's worker, so `--viewers` bounds them.
"""

from __future__ import annotations

import zlib
from typing import Any

from fastapi import APIRouter, Request

from reactor_runtime.errors import FleetError, Refusal, RefusedError
from reactor_runtime.fleet.fleet import Fleet, Serving
from reactor_runtime.fleet.records import TicketState
from reactor_runtime.runtimes.access.credentials import Keys, TokenRole

from .tickets import TicketId, refusal, subject_of

PREVIEW_S = 3600.0
"""How long the token of one lasts; who still waits asks again."""
WAITS = (TicketState.WAITING, TicketState.OFFERED)


def router(fleet: Fleet, keys: Keys) -> APIRouter:
    routes = APIRouter(prefix="/tickets", tags=["tickets"])

    @routes.get("/{ticket}/preview")
    async def preview(ticket: TicketId, request: Request) -> dict[str, Any]:
        """Where a session can be watched by who waits."""
        try:
            place = fleet.place(ticket)
        except FleetError as error:
            raise refusal(error) from error
        shown = _shown(fleet, ticket) if place.state in WAITS else None
        if shown is None:
            raise RefusedError(Refusal.CONFLICT, "nothing_to_watch", "There is no session to watch now.")
        token = keys.mint(TokenRole.VIEW, PREVIEW_S, subject_of(ticket), shown.session)
        return {"base_url": f"{request.base_url}t/{token}"}

    return routes


def _shown(fleet: Fleet, ticket: str) -> Serving | None:
    """The same ticket sees the same session while no other begins or ends; tickets are spread over all."""
    sessions = list(fleet.serving.values())
    return sessions[zlib.crc32(ticket.encode()) % len(sessions)] if sessions else None
