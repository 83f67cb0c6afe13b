"""WebRTC signalling: the routes of every generation of clients, told apart by their paths.

* v16: `/sdp_params` and `/ice_servers` at the root, the answer in the same response.
* v17: one connection per client, `…/sdp_params`, the answer is polled.
* v2: a connection is a resource, `…/connections/{id}/…`; candidates may come before the offer.

What the generations are is in docs/glossary.md.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from reactor_runtime.clients.connection import Connection
from reactor_runtime.clients.ice import wire_form
from reactor_runtime.clients.negotiation import Offer, TrackMapping, read_offer
from reactor_runtime.clients.pending import LAST_ID
from reactor_runtime.clients.reach import REACHED, reached, told_by_gateway
from reactor_runtime.clock import timeout
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.media.encoders import EncoderChoice, codecs
from reactor_runtime.protocol.message_format import JsonFormat, MessageFormat, V16Format
from reactor_runtime.runtimes.access.rights import visit
from reactor_runtime.session.session import Session
from reactor_runtime.transports.candidates import is_loopback
from reactor_runtime.transports.connecting import Connecting, Outcome, Step
from reactor_runtime.transports.port import IceCandidate
from reactor_runtime.worker.worker import Worker

from .body import Body
from .callers import address_of
from .sessions import IN_SCOPE, TheWorker

router = APIRouter(prefix="/sessions/{session_id}/transport/webrtc", tags=["webrtc"], dependencies=[IN_SCOPE])
v16_router = APIRouter(tags=["webrtc"], dependencies=[IN_SCOPE])

ANSWER_WAIT_S = 1.0
"""How long a poll for the answer is held before it says "not yet"."""
GATHERING_S = 1.0
"""How long the answer waits for our own candidates; without STUN they take milliseconds."""
RELAY_GATHERING_S = 4.0
"""The same with TURN: clients give up when the answer is not there after 6.2 s."""
V16_ANSWER_WAIT_S = 5.0
"""How long clients that do not poll wait for the answer."""
DEFAULT_TURN_S = 0.5
"""How long an offer without a connection id waits until the answer before it has been fetched."""
CANDIDATES_LIMIT = 64
CHROMIUM = "Chrome/"
"""In the `User-Agent` of Chromium, which drops pictures that it would have to turn (seen: 156)."""
PAGE = "page"
"""How our own page calls itself in `client_info`; it draws the time from a command to its frame."""


async def _counted(request: Request) -> AsyncIterator[None]:
    try:
        yield
    except RefusedError:
        counts: Connecting = request.app.state.connecting
        counts.add(Step.OFFER, Outcome.REFUSED)
        raise


OFFER = [Depends(_counted)]
"""Among the `dependencies` of a route that takes offers: the refused ones are counted."""
NOT_YET: dict[int | str, dict[str, Any]] = {202: {"description": "There is no answer yet; ask again."}}

SessionId = Annotated[str, Path(max_length=128)]
ConnectionId = Annotated[int, Path(ge=1, le=LAST_ID)]


class MappingEntry(Body):
    """Which section of the offer carries which track; the direction is the client's."""

    mid: str = Field(max_length=64)
    name: str = Field(max_length=128)
    kind: Literal["video", "audio"]
    direction: Literal["recvonly", "sendonly", "sendrecv"]


class OfferBody(Body):
    sdp_offer: str
    client_info: dict[str, Any] = Field(default_factory=dict)
    track_mapping: list[MappingEntry] = Field(default_factory=list, max_length=64)


class FlatOfferBody(Body):
    """The offer of clients of 1.6 and before."""

    sdp: str
    type: Literal["offer"] = "offer"


class CandidateEntry(Body):
    """`RTCIceCandidateInit`."""

    candidate: str = Field(max_length=2048)
    sdp_mid: str | None = Field(default=None, max_length=64)
    sdp_mline_index: int | None = Field(default=None, ge=0, le=1024)


class CandidatesBody(Body):
    candidates: list[CandidateEntry] = Field(max_length=CANDIDATES_LIMIT)
    is_final: bool = False
    client_info: dict[str, Any] = Field(default_factory=dict)


@router.get("/ice_servers")
async def ice_servers(session_id: SessionId, worker: TheWorker) -> dict[str, Any]:
    """The STUN and TURN servers that the operator configured; none by default."""
    worker.check_session_id(session_id)
    return _ice_servers(worker)


@router.post("/sdp_params", status_code=202, dependencies=OFFER)
async def offer(session_id: SessionId, body: OfferBody, worker: TheWorker, request: Request) -> JSONResponse:
    """Take an offer. Beside a client that is connected, the new one is a further client."""
    worker.check_session_id(session_id)
    await _connect_default(worker, request, body)
    return JSONResponse(None, 202)


@router.put("/sdp_params", status_code=202, dependencies=OFFER)
async def offer_again(
    session_id: SessionId, body: OfferBody, worker: TheWorker, request: Request
) -> JSONResponse:
    """Take the offer of a client that reconnects. Beside a client that is live it waits up to 3 s for that
    one to go, whose place it takes; then it is a further client."""
    worker.check_session_id(session_id)
    await _connect_default(worker, request, body, again=True)
    return JSONResponse(None, 202)


@router.get("/sdp_params", responses=NOT_YET)
async def answer(session_id: SessionId, worker: TheWorker, request: Request) -> JSONResponse:
    """200 with the answer, or 202 when it is not there yet."""
    worker.check_session_id(session_id)
    asked = worker.signalling.default_connection
    sdp = await _answer(worker, request, asked, ANSWER_WAIT_S)
    if sdp is None:
        return JSONResponse(None, 202)
    worker.signalling.default_read.set()
    return JSONResponse({"sdp_answer": sdp, **_notice(worker, asked)})


@router.post("/ice_candidates", status_code=202)
async def candidates(
    session_id: SessionId, body: CandidatesBody, worker: TheWorker, request: Request
) -> JSONResponse:
    """Take the client's candidates as it finds them."""
    worker.check_session_id(session_id)
    await _add_candidates(worker, worker.signalling.default_connection, body, address_of(request))
    return JSONResponse(None, 202)


@router.post("/connections", status_code=201)
async def announce(session_id: SessionId, worker: TheWorker, request: Request) -> JSONResponse:
    """A new connection id, which is the connection's secret. Nothing is sent to it before its offer."""
    worker.check_session_id(session_id)
    connection_id = worker.signalling.announce(worker.require_session(), address_of(request))
    return JSONResponse({"connection_id": connection_id, "track_map": {}}, 201)


@router.post("/connections/{connection_id}/sdp_params", status_code=202, dependencies=OFFER)
async def offer_on(
    session_id: SessionId, connection_id: ConnectionId, body: OfferBody, worker: TheWorker, request: Request
) -> JSONResponse:
    """Take the offer of an announced connection."""
    worker.check_session_id(session_id)
    _require_known(worker, connection_id, request)
    await _connect(worker, _read(worker, request, body), connection_id, None, address_of(request))
    return JSONResponse({"connection_id": connection_id}, 202)


@router.put("/connections/{connection_id}/sdp_params", status_code=202, dependencies=OFFER)
async def offer_again_on(
    session_id: SessionId, connection_id: ConnectionId, body: OfferBody, worker: TheWorker, request: Request
) -> JSONResponse:
    """Take the offer of a client that reconnects under the same id, or restarts ICE."""
    return await offer_on(session_id, connection_id, body, worker, request)


@router.get("/connections/{connection_id}/sdp_params", responses=NOT_YET)
async def answer_on(
    session_id: SessionId, connection_id: ConnectionId, worker: TheWorker, request: Request
) -> JSONResponse:
    """200 with the answer, or 202 when it is not there yet. A `notice` says what the client lacks."""
    worker.check_session_id(session_id)
    _require_known(worker, connection_id, request)
    sdp = await _answer(worker, request, connection_id, ANSWER_WAIT_S)
    if sdp is None:
        return JSONResponse({"connection_id": connection_id}, 202)
    return JSONResponse({"sdp_answer": sdp, "connection_id": connection_id, **_notice(worker, connection_id)})


@router.post("/connections/{connection_id}/ice_candidates", status_code=202)
async def candidates_on(
    session_id: SessionId,
    connection_id: ConnectionId,
    body: CandidatesBody,
    worker: TheWorker,
    request: Request,
) -> JSONResponse:
    """Take candidates, also before the offer: they are kept for it."""
    worker.check_session_id(session_id)
    _require_known(worker, connection_id, request)
    await _add_candidates(worker, connection_id, body, address_of(request))
    return JSONResponse(None, 202)


@router.post("/connections/{connection_id}/farewell", status_code=202)
async def farewell(
    session_id: SessionId, connection_id: ConnectionId, worker: TheWorker, request: Request
) -> JSONResponse:
    """Leave at once, as a page that is closed. The one who controlled keeps the session for 3 s more; an
    offer under the same id within them goes on."""
    worker.check_session_id(session_id)
    _require_known(worker, connection_id, request)
    await worker.farewell(connection_id)
    return JSONResponse(None, 202)


@v16_router.get("/ice_servers")
async def flat_ice_servers(worker: TheWorker) -> dict[str, Any]:
    """As above, for clients of 1.6 and before."""
    return _ice_servers(worker)


@v16_router.post("/sdp_params", dependencies=OFFER)
async def flat_offer(body: FlatOfferBody, worker: TheWorker, request: Request) -> dict[str, str]:
    """Offer in, answer out, with all candidates: clients of 1.6 and before do not trickle."""
    connection_id = await _connect_default(
        worker, request, OfferBody(sdp_offer=body.sdp), again=True, message_format=V16Format()
    )
    sdp = await _answer(worker, request, connection_id, V16_ANSWER_WAIT_S)
    worker.signalling.default_read.set()
    if sdp is None:
        raise RefusedError(Refusal.CONFLICT, "superseded", "Another offer took this one's place.")
    return {"sdp": sdp, "type": "answer"}


def _read(worker: Worker, request: Request, body: OfferBody) -> Offer:
    """Check an offer against the model, and how often its address may offer."""
    worker.require_session()
    address = address_of(request)
    worker.signalling.limit_offers(address)
    mapping = [TrackMapping(m.mid, m.name, m.kind, m.direction) for m in body.track_mapping]
    from_page = body.client_info.get("sdk_type") == PAGE
    encodes = codecs(EncoderChoice(worker.options.encoder))
    offer = read_offer(
        body.sdp_offer,
        mapping,
        worker.model.tracks,
        encodes,
        from_page=from_page,
        from_loopback=is_loopback(address),
        sender_turns=CHROMIUM not in request.headers.get("user-agent", ""),
    )
    return replace(offer, may_control=visit(request).grant.may_control)


async def _connect_default(
    worker: Worker,
    request: Request,
    body: OfferBody,
    *,
    again: bool = False,
    message_format: MessageFormat | None = None,
) -> int:
    """Take an offer that names no connection; returns the id of the one it is for."""
    offer = _read(worker, request, body)
    session, signalling, address = worker.require_session(), worker.signalling, address_of(request)
    v16 = isinstance(message_format, V16Format)
    if again:
        # Outside the turn: others need not wait for it.
        await signalling.seats.wait(offer, address, v16=v16)
    async with signalling.default_turn:
        _check_still(worker, session)
        target = signalling.default_connection_for(session, offer, address, again=again, v16=v16)
        if target != signalling.default_connection:
            # Polls name no connection either: the answer before this one must be fetched first.
            with contextlib.suppress(TimeoutError):
                async with timeout(worker.clock, DEFAULT_TURN_S):
                    await signalling.default_read.wait()
            _check_still(worker, session)
            target = signalling.default_connection_for(session, offer, address, again=again, v16=v16)
        signalling.use_default_connection(target)
    beside = target not in worker.clients.connections
    try:
        connection = await _connect(worker, offer, target, message_format or JsonFormat(), address)
    except BaseException:
        signalling.default_read.set()
        raise
    if again and beside:
        signalling.seats.expect(connection)
    return target


def _check_still(worker: Worker, session: Session) -> None:
    """After each wait: an offer joins the session that it was made in, or none. Raises `RefusedError`."""
    if worker.require_session() is not session:
        raise RefusedError(
            Refusal.CONFLICT, "session_ended", "The session ended while the offer waited for its turn."
        )


async def _connect(
    worker: Worker, offer: Offer, connection_id: int, message_format: MessageFormat | None, address: str
) -> Connection:
    """Negotiate, and prepare the answer with our candidates in it."""
    connection = await worker.connect(offer, connection_id, message_format, address)
    within = RELAY_GATHERING_S if worker.options.turn_servers else GATHERING_S
    # The former answer is forgotten before the request is answered: a poll must never see it.
    connection.link.gather(within)
    return connection


async def _answer(worker: Worker, request: Request, connection_id: int, within: float) -> str | None:
    worker.require_session()
    connection = worker.clients.connections.get(connection_id)
    pending = None if connection is None else connection.link.answer
    if connection is None or pending is None:
        raise RefusedError(Refusal.NOT_FOUND, "no_offer", "No pending SDP offer; POST one first.")
    try:
        async with timeout(worker.clock, within):
            answer = await asyncio.shield(pending)
    except TimeoutError:
        return None
    except asyncio.CancelledError:
        if connection.presence.closed:
            raise RefusedError(
                Refusal.CONFLICT, "connection_closed", "This connection was closed; offer again."
            ) from None
        raise
    return worker.signalling.address_answer(answer, _reached(worker, request))


def _reached(worker: Worker, request: Request) -> tuple[str, int] | None:
    if worker.options.in_fleet:
        return told_by_gateway(request.headers.get(REACHED.decode(), ""))
    local = request.scope.get("server")
    names = [name for name, _ in request.scope["headers"]]
    return reached(request.headers.get("host", ""), request.url.scheme, names, local, worker.options)


async def _add_candidates(worker: Worker, connection_id: int, body: CandidatesBody, address: str) -> None:
    session = worker.require_session()
    for entry in body.candidates:
        candidate = IceCandidate(entry.candidate, entry.sdp_mid, entry.sdp_mline_index)
        await worker.signalling.add_candidate(session, connection_id, candidate, address)


def _require_known(worker: Worker, connection_id: int, request: Request) -> None:
    worker.signalling.require(worker.require_session(), connection_id, address_of(request))


def _notice(worker: Worker, connection_id: int) -> dict[str, Any]:
    """What a client lacks that cannot be told over its channel."""
    connection = worker.clients.connections.get(connection_id)
    if connection is None or connection.conversation.notice is None:
        return {}
    return {"notice": connection.conversation.notice.to_json()}


def _ice_servers(worker: Worker) -> dict[str, Any]:
    return {"ice_servers": wire_form(worker.signalling.ice.servers(worker.clock.unix()))}
