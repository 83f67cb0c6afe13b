"""`/tickets`: the waiting room. The id of a ticket is the capability; the cookie only finds it again."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, StreamingResponse

from reactor_runtime.clock import WALL
from reactor_runtime.errors import FleetError, Refusal, RefusedError
from reactor_runtime.fleet import upstream
from reactor_runtime.fleet.fleet import Fleet, Serving
from reactor_runtime.fleet.records import Place, TicketState
from reactor_runtime.runtimes.access.carriers import cookies
from reactor_runtime.runtimes.access.credentials import Keys, TokenRole
from reactor_runtime.runtimes.access.rights import CONTROL
from reactor_runtime.runtimes.http.callers import address_of
from reactor_runtime.runtimes.http.seeding import seed_in

TICKET_BYTES = 16
"""128 bits, so that nobody guesses a ticket."""
STREAMS_PER_TICKET = 4
HEARTBEAT_S = 15.0
"""Silence after which a comment is sent, so that proxies keep the stream."""
COOKIE = "reactor_user"
UNCAPPED_S = 7 * 86400.0
"""How long the token of a session without a cap lasts; it is worth nothing once the session is over."""
AFTER_S = 3600.0
"""How much longer than its session a token lasts: a clock that is set meanwhile ends nobody's session."""
KINDS = {
    "unknown_ticket": Refusal.NOT_FOUND,
    "not_offered": Refusal.CONFLICT,
    "queue_full": Refusal.BUSY,
    "draining": Refusal.UNAVAILABLE,
    "too_many_tickets": Refusal.RATE_LIMITED,
    "worker_lost": Refusal.UNAVAILABLE,
    "unknown_worker": Refusal.NOT_FOUND,
    "no_session": Refusal.CONFLICT,
    "scale": Refusal.INVALID,
}
RETRY_S = {"queue_full": 10, "draining": 30, "too_many_tickets": 10, "worker_lost": 1}
ENDED = (TicketState.EXPIRED, TicketState.CANCELLED)

TicketId = Annotated[str, Path(max_length=128)]


def refusal(error: FleetError) -> RefusedError:
    """What the broker refuses, as the gateway says it."""
    return RefusedError(
        KINDS.get(error.code, Refusal.UNAVAILABLE),
        error.code,
        error.message,
        retry_after=RETRY_S.get(error.code),
    )


def place_body(place: Place) -> dict[str, Any]:
    return {
        "state": place.state.value,
        "position": place.position,
        "eta_s": place.eta_s,
        "reason": place.reason,
        "claim_in_s": None if place.claim_in_s is None else round(place.claim_in_s, 1),
    }


def router(fleet: Fleet, keys: Keys) -> APIRouter:
    routes = APIRouter(prefix="/tickets", tags=["tickets"])
    _waiting(routes, fleet)
    _taking(routes, fleet, keys)
    return routes


def _waiting(routes: APIRouter, fleet: Fleet) -> None:
    @routes.post("", status_code=201, dependencies=[CONTROL])
    async def join(request: Request) -> JSONResponse:
        """A place in the line; the one that this browser has already, when it has one."""
        user, is_new = _user(request)
        ticket_id = new_ticket()
        try:
            ticket = fleet.join(ticket_id, user, address_of(request))
        except FleetError as error:
            fleet.figures.refused(error.code)
            raise refusal(error) from error
        body = {"ticket": ticket.id, "existing": ticket.id != ticket_id, **place_body(fleet.place(ticket.id))}
        response = JSONResponse(body, 201)
        if is_new:
            secure = request.url.scheme == "https"
            response.set_cookie(_cookie(request), user, httponly=True, samesite="lax", secure=secure)
        return response

    @routes.get("/{ticket}")
    async def read(ticket: TicketId) -> dict[str, Any]:
        """Where it stands. Asking keeps it: one that nobody asks about for 30 s is given up."""
        try:
            return place_body(fleet.place(ticket))
        except FleetError as error:
            raise refusal(error) from error

    @routes.get("/{ticket}/events")
    async def stream(ticket: TicketId) -> StreamingResponse:
        """The same as server-sent events `place`, whenever it changes. An open stream keeps the ticket."""
        known = fleet.broker.tickets.get(ticket)
        if known is None:
            raise refusal(FleetError("unknown_ticket", "This ticket is not known; ask for a new one."))
        if known.watchers >= STREAMS_PER_TICKET:
            raise RefusedError(
                Refusal.BUSY, "too_many_streams", "This ticket has streams enough.", retry_after=10
            )
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_events(fleet, ticket), media_type="text/event-stream", headers=headers)


def _taking(routes: APIRouter, fleet: Fleet, keys: Keys) -> None:
    @routes.post("/{ticket}/claim")
    async def claim(ticket: TicketId, request: Request) -> dict[str, Any]:
        """Take the slot that is offered. Twice gives the same session. Of the body only `seed` is read."""
        seed = await seed_in(request)
        try:
            serving = await fleet.claim(ticket, seed)
        except FleetError as error:
            raise refusal(error) from error
        return await _claimed(fleet, keys, serving, request)

    @routes.delete("/{ticket}")
    async def leave(ticket: TicketId) -> dict[str, Any]:
        """Give the place up; the session ends, when it has one."""
        try:
            fleet.cancel(ticket)
            return place_body(fleet.place(ticket))
        except FleetError as error:
            raise refusal(error) from error


def subject_of(ticket: str) -> str:
    """Who a token is for, without what would let anybody take the ticket."""
    return f"ticket {ticket[:8]}"


def new_ticket() -> str:
    return secrets.token_urlsafe(TICKET_BYTES)


async def _claimed(fleet: Fleet, keys: Keys, serving: Serving, request: Request) -> dict[str, Any]:
    left = None if serving.ends_at is None else max(0.0, serving.ends_at - fleet.clock())
    lifetime = UNCAPPED_S if left is None else left + AFTER_S
    token = keys.mint(TokenRole.CONTROL, lifetime, subject_of(serving.ticket), serving.session)
    return {
        "session_id": serving.session,
        "token": token,
        "base_url": f"{request.base_url}t/{token}",
        "ice_servers": await _ice_servers(serving),
        "expires_at": None if left is None else round(WALL.unix() + left, 3),
    }


async def _ice_servers(serving: Serving) -> list[Any]:
    path = f"/sessions/{serving.session}/transport/webrtc/ice_servers"
    try:
        status, answer = await upstream.call(serving.endpoint, path)
    except upstream.UpstreamError:
        status, answer = 0, {}
    return list(answer.get("ice_servers", [])) if status == 200 else []


async def _events(fleet: Fleet, ticket: str) -> AsyncGenerator[str]:
    yield "retry: 1000\n\n"
    told: dict[str, Any] | None = None
    said_at = fleet.clock()
    try:
        async with aclosing(fleet.changes(ticket)) as changes:
            async for place in changes:
                body = place_body(place)
                # The time that is left runs by itself.
                news = {**body, "claim_in_s": None}
                if news != told:
                    told, said_at = news, fleet.clock()
                    yield f"event: place\ndata: {json.dumps(body, separators=(',', ':'))}\n\n"
                elif fleet.clock() - said_at >= HEARTBEAT_S:
                    said_at = fleet.clock()
                    yield ": heartbeat\n\n"
                if place.state in ENDED:
                    return
    except FleetError:
        return


def _user(request: Request) -> tuple[str, bool]:
    """Who asks, as far as a cookie knows; and whether it is new."""
    known = cookies(request.headers.get("cookie", ""), _cookie(request))
    if known and 16 <= len(known[0]) <= 64:
        return known[0], False
    return secrets.token_urlsafe(16), True


def _cookie(request: Request) -> str:
    """Browsers keep one jar for all ports of a host."""
    server = request.scope.get("server")
    return f"{COOKIE}_{server[1]}" if server else COOKIE
