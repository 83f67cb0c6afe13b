"""WebRTC signalling of the 1.7 generation: one connection per session, offer in, answer polled."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from reactor_runtime.errors import RequestError
from reactor_runtime.protocol.descriptor import LOCAL_SESSION_ID
from reactor_runtime.transports.port import IceCandidate

from .negotiation import TrackMapping, read_offer
from .runtime import IMPLICIT_CONNECTION, Runtime
from .sessions import Worker

router = APIRouter(prefix="/sessions/{session_id}/transport/webrtc", tags=["webrtc"])

ANSWER_WAIT_S = 1.0
"""How long a poll for the answer is held before it says "not yet"."""
GATHERING_S = 1.0
"""How long the answer waits for our own candidates; without STUN they take milliseconds."""
CANDIDATES_LIMIT = 64

SessionId = Annotated[str, Path(max_length=128)]


class MappingEntry(BaseModel):
    """Which section of the offer carries which track; the direction is the client's."""

    mid: str = Field(max_length=64)
    name: str = Field(max_length=128)
    kind: Literal["video", "audio"]
    direction: Literal["recvonly", "sendonly", "sendrecv"]


class OfferBody(BaseModel):
    sdp_offer: str
    client_info: dict[str, Any] = Field(default_factory=dict)
    track_mapping: list[MappingEntry] = Field(default_factory=list, max_length=64)


class CandidateEntry(BaseModel):
    """`RTCIceCandidateInit`."""

    candidate: str = Field(max_length=2048)
    sdp_mid: str | None = Field(default=None, max_length=64)
    sdp_mline_index: int | None = Field(default=None, ge=0, le=1024)


class CandidatesBody(BaseModel):
    candidates: list[CandidateEntry] = Field(max_length=CANDIDATES_LIMIT)
    is_final: bool = False
    client_info: dict[str, Any] = Field(default_factory=dict)


@router.get("/ice_servers")
async def ice_servers(session_id: SessionId, runtime: Worker) -> dict[str, Any]:
    """The STUN and TURN servers that the operator configured; none by default."""
    _check(session_id)
    return {"ice_servers": []}


@router.post("/sdp_params", status_code=202)
@router.put("/sdp_params", status_code=202)
async def offer(session_id: SessionId, body: OfferBody, runtime: Worker) -> JSONResponse:
    """Take an offer. PUT is a reconnect; both forget the answer that was there before."""
    _check(session_id)
    runtime.require_session()
    mapping = [TrackMapping(m.mid, m.name, m.kind, m.direction) for m in body.track_mapping]
    await connect(runtime, body.sdp_offer, mapping, IMPLICIT_CONNECTION)
    return JSONResponse(None, 202)


@router.get("/sdp_params")
async def answer(session_id: SessionId, runtime: Worker) -> JSONResponse:
    """200 with the answer, or 202 when it is not there yet."""
    _check(session_id)
    runtime.require_session()
    connection = runtime.connections.get(IMPLICIT_CONNECTION)
    if connection is None or connection.answer is None:
        raise RequestError(404, "no_offer", "No pending SDP offer; POST one first.")
    try:
        sdp = await asyncio.wait_for(asyncio.shield(connection.answer), ANSWER_WAIT_S)
    except TimeoutError:
        return JSONResponse(None, 202)
    except asyncio.CancelledError:
        if connection.closed:
            raise RequestError(409, "connection_closed", "This connection was closed; offer again.") from None
        raise
    return JSONResponse({"sdp_answer": sdp})


@router.post("/ice_candidates", status_code=202)
async def candidates(session_id: SessionId, body: CandidatesBody, runtime: Worker) -> JSONResponse:
    """Take the client's candidates as it finds them."""
    _check(session_id)
    runtime.require_session()
    connection = runtime.connections.get(IMPLICIT_CONNECTION)
    if connection is None or connection.peer is None:
        raise RequestError(404, "no_offer", "No pending SDP offer; POST one first.")
    for entry in body.candidates:
        await connection.peer.add_candidate(
            IceCandidate(entry.candidate, entry.sdp_mid, entry.sdp_mline_index)
        )
    return JSONResponse(None, 202)


async def connect(runtime: Runtime, sdp: str, mapping: list[TrackMapping], connection_id: int) -> None:
    """Negotiate, and prepare the answer with our candidates in it."""
    connection = await runtime.connect(read_offer(sdp, mapping, runtime.tracks), connection_id)
    if connection.peer is None:
        raise RuntimeError("a negotiated connection has a peer")
    connection.answer = asyncio.ensure_future(connection.peer.gathered(GATHERING_S))


def _check(session_id: str) -> None:
    if session_id != LOCAL_SESSION_ID:
        raise RequestError(404, "unknown_session", "Session not found.")
