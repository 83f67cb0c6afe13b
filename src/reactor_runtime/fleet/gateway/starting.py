"""`POST /start_session` of clients that know no line: a session, or their place in words."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from reactor_runtime.errors import FleetError, Refusal, RefusedError
from reactor_runtime.fleet import upstream
from reactor_runtime.fleet.fleet import Fleet, Serving
from reactor_runtime.fleet.records import Place, TicketState
from reactor_runtime.runtimes.access.rights import ViewOnlyError
from reactor_runtime.runtimes.http.callers import address_of
from reactor_runtime.runtimes.http.seeding import seed_in

from .proxy import Proxy
from .tickets import new_ticket, refusal
from .which import Which, watches

RETRY_LEAST_S, RETRY_MOST_S = 2, 10
"""Who is told to come back later is heard of before a silent ticket is given up."""


class Starting:
    """Event loop only. Such a client has no ticket of its own: its address finds it again."""

    def __init__(self, fleet: Fleet, which: Which, queue_wait: float) -> None:
        self._fleet = fleet
        self._which = which
        self._queue_wait = queue_wait
        self._waiting: dict[str, str] = {}
        """By address, the ticket of a client that was told to come back."""

    async def session(self, address: str, seed: int | None) -> Serving:
        """Raises `RefusedError` with the place in line."""
        fleet = self._fleet
        # Taken while this request lasts: another client of the same address stands in line for itself.
        ticket = self._known(address) or new_ticket()
        try:
            fleet.join(ticket, f"start {ticket}", address)
            place = await self._wait(ticket)
            if place.state is TicketState.OFFERED:
                return await fleet.claim(ticket, seed)
        except FleetError as error:
            fleet.figures.refused(error.code)
            raise refusal(error) from error
        self._waiting[address] = ticket
        raise _not_yet(place)

    def _known(self, address: str) -> str | None:
        ticket = self._fleet.broker.tickets.get(self._waiting.pop(address, ""))
        waits = ticket is not None and ticket.state in (TicketState.WAITING, TicketState.OFFERED)
        return ticket.id if ticket is not None and waits else None

    async def _wait(self, ticket: str) -> Place:
        """Until it is this ticket's turn, or for as long as the operator lets clients wait."""
        place = self._fleet.place(ticket)
        if place.state is TicketState.OFFERED or not self._queue_wait:
            return place
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._queue_wait), aclosing(self._fleet.changes(ticket)) as changes:
                async for place in changes:
                    if place.state is not TicketState.WAITING:
                        return place
        return self._fleet.place(ticket)


def router(starting: Starting, which: Which, proxy: Proxy) -> APIRouter:
    routes = APIRouter(tags=["session"])

    @routes.post("/start_session")
    async def start_session(request: Request) -> Any:
        """A session of the next free worker; 503 with the place in line and `Retry-After` when none is free.

        With the token of a session, the descriptor of that one.
        """
        if (session := which.of_token(request.scope)) is not None:
            if not which.runs(session):
                raise RefusedError(Refusal.CONFLICT, "session_over", "The session of this link is over.")
            return _Forwarded(proxy)
        if watches(request.scope):
            raise ViewOnlyError
        serving = await starting.session(address_of(request), await seed_in(request))
        try:
            status, descriptor = await upstream.call(serving.endpoint, "/session")
        except upstream.UpstreamError as error:
            raise RefusedError(
                Refusal.UNAVAILABLE, "worker_lost", "The worker failed; try again.", retry_after=1
            ) from error
        if status != 200:
            raise RefusedError(
                Refusal.UNAVAILABLE, "worker_lost", "The worker failed; try again.", retry_after=1
            )
        descriptor.pop("config", None)  # that is for admins, which the engine is, and not every client
        return descriptor

    return routes


class _Forwarded(Response):
    """An answer that the worker gives."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self._proxy = proxy

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # FastAPI has read the body, and nobody needs it.
        of_body = (b"content-length", b"content-type")
        headers = [(n, v) for n, v in scope["headers"] if n.lower() not in of_body]
        await self._proxy({**scope, "headers": headers}, _Empty(receive), send)


class _Empty:
    def __init__(self, receive: Any) -> None:
        self._receive = receive
        self._told = False

    async def __call__(self) -> Any:
        if not self._told:
            self._told = True
            return {"type": "http.request", "body": b"", "more_body": False}
        while (message := await self._receive())["type"] != "http.disconnect":
            pass
        return message


def _not_yet(place: Place) -> RefusedError:
    if place.state is not TicketState.WAITING:
        return RefusedError(
            Refusal.BUSY, "queued", "Your place was given up; ask again.", retry_after=RETRY_LEAST_S
        )
    about = "" if place.eta_s is None else f", about {in_words(place.eta_s)}"
    wait = place.eta_s or RETRY_MOST_S
    return RefusedError(
        Refusal.BUSY,
        "queued",
        f"Every worker is in use. You are {ordinal(place.position)} in line{about}; ask again, and your "
        "place is kept.",
        retry_after=round(min(RETRY_MOST_S, max(RETRY_LEAST_S, wait / 2))),
    )


def ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{round(seconds / 60)} minutes"
