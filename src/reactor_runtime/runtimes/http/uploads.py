"""Files for commands: announced, sent, and then named in a command by their id.

HTTP does not tell which client asks. Whoever may use the session may send a file to it; only a command of the
one that controls can make the model see it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.requests import ClientDisconnect

from reactor_runtime.clock import Clock
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.runtimes.access.rights import CONTROL, Asking
from reactor_runtime.session.uploads import Incoming

from .body import Body
from .sessions import IN_SCOPE, TheWorker
from .signalling import SessionId

router = APIRouter(tags=["uploads"])
log = logging.getLogger(__name__)

BLOCK = 2**18
"""Bytes that are collected before they are written."""
STALLED_S = 30.0
"""A body of which nothing comes for so long is given up."""

ENDED_S = 1.0
"""How long a body may take to learn that its session has ended."""

UploadId = Annotated[str, Path(max_length=128)]
RAW: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class UploadBody(Body):
    """A file that will be sent. `size` is in bytes, and must be true."""

    name: str = Field(default="upload", max_length=1024)
    size: int = Field(gt=0, le=2**53, strict=True)
    mime_type: str = Field(default="application/octet-stream", max_length=255)


@router.post("/sessions/{session_id}/uploads", status_code=201, dependencies=[CONTROL, IN_SCOPE])
async def announce(
    session_id: SessionId, body: UploadBody, worker: TheWorker, asking: Asking, request: Request
) -> JSONResponse:
    """Make room for a file, and say where it is to be sent."""
    worker.check_session_id(session_id)
    upload = worker.require_session().uploads.announce(body.name, body.size, body.mime_type)
    # Under the host name by which the client reaches us: the guard has checked it. The query stands for a
    # token, which SDKs do not send there.
    url = request.url_for("take_file", upload_id=upload.id)
    signed = url if asking.uploads is None else url.replace(query=asking.uploads.query(upload.id))
    return JSONResponse({"presigned_id": upload.id, "presigned_url": str(signed), "path": url.path}, 201)


@router.put("/uploads/{upload_id}", name="take_file", openapi_extra=RAW, dependencies=[CONTROL])
async def take_file(upload_id: UploadId, worker: TheWorker, request: Request) -> dict[str, Any]:
    """Take the bytes of a file that was announced: as many as that, once."""
    session = worker.session
    if session is None:
        raise RefusedError(
            Refusal.NOT_FOUND, "unknown_upload", "No file of this id was announced in this session."
        )
    try:
        incoming = await asyncio.to_thread(session.uploads.open, upload_id)
        try:
            await _receive(request, incoming, worker.clock)
        except BaseException as error:
            incoming.abort()
            if isinstance(error, RefusedError):
                # What is still to come of the body would keep the connection for as long as it drips in.
                error.ends_connection = True
            raise
    except OSError as error:
        log.exception("A file of a client could not be kept")
        raise RefusedError(
            Refusal.UNAVAILABLE, "upload_not_kept", "The server could not keep the file."
        ) from error
    log.info("Session %d: a file of %d bytes has arrived", session.number, incoming.upload.size)
    return {"upload_id": upload_id, "size": incoming.upload.size}


async def _receive(request: Request, incoming: Incoming, clock: Clock) -> None:
    block = bytearray()
    async for chunk in _chunks(request, incoming, clock):
        block += chunk
        if len(block) >= BLOCK:
            await asyncio.to_thread(incoming.write, bytes(block))
            block.clear()
    await asyncio.to_thread(incoming.write, bytes(block))
    await asyncio.to_thread(incoming.finish)


async def _chunks(request: Request, incoming: Incoming, clock: Clock) -> AsyncIterator[bytes]:
    """Raises `RefusedError` when the body ends early or stalls, or the session has ended."""
    stream = aiter(request.stream())
    while True:
        next_chunk = asyncio.ensure_future(anext(stream))
        try:
            await _arrived(next_chunk, incoming, clock)
            chunk = next_chunk.result()
        except StopAsyncIteration:
            return
        except ClientDisconnect:
            raise RefusedError(
                Refusal.INVALID, "wrong_length", "The body ended before the file did."
            ) from None
        finally:
            next_chunk.cancel()
        yield chunk


async def _arrived(next_chunk: asyncio.Future[bytes], incoming: Incoming, clock: Clock) -> None:
    """Wait for bytes. Raises `RefusedError`."""
    deadline = clock.time() + STALLED_S
    while True:
        incoming.check()
        if next_chunk.done():
            return
        left = deadline - clock.time()
        if left <= 0:
            raise RefusedError(Refusal.TIMED_OUT, "upload_stalled", f"Nothing came for {STALLED_S:g} s.")
        await asyncio.wait({next_chunk}, timeout=min(left, ENDED_S))
