"""`/events`: what happens, as server-sent events (HTML Living Standard, section 9.2)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from reactor_runtime.errors import RequestError

from .journal import FOLLOWERS_LIMIT, Journal, JournalEvent
from .rights import ADMIN
from .sessions import Worker

router = APIRouter(tags=["events"])

HEARTBEAT_S = 15.0
"""Silence after which a comment is sent, so that proxies keep the stream."""


@router.get(
    "/events",
    dependencies=[ADMIN],
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "A stream that does not end."}},
)
async def events(
    runtime: Worker,
    since: Annotated[int | None, Query(ge=0, le=2**53, description="Resume after this number")] = None,
    last_event_id: Annotated[str | None, Header(max_length=32)] = None,
) -> StreamingResponse:
    """Transitions, connections, commands and errors, numbered. Without a place to resume, from now on.

    The first event, `hello`, has no number: it says which numbers are kept and when this server started.
    Numbers that are gone are told as an event `gap`; one from before a restart resumes at the oldest kept.
    """
    journal = runtime.journal
    if journal.followers >= FOLLOWERS_LIMIT:
        raise RequestError(
            503, "too_many_streams", f"{FOLLOWERS_LIMIT} streams are open already.", retry_after=10
        )
    asked = since
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdecimal():
        asked = int(last_event_id)
    hello = {"oldest": journal.oldest, "last": journal.last, "started_at": runtime.started_at}
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = _stream(journal, hello, asked)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(journal: Journal, hello: dict[str, Any], asked: int | None) -> AsyncIterator[str]:
    yield f"retry: 1000\n\n{_block('hello', hello)}"
    seq = journal.last if asked is None else asked
    if seq > journal.last:
        # The number of a server that ran here before.
        seq = journal.oldest - 1
    async with contextlib.aclosing(journal.follow(seq, HEARTBEAT_S)) as following:
        async for event in following:
            if event is None:
                yield ": heartbeat\n\n"
                continue
            lost = f"{_block('gap', {'from': seq + 1, 'to': event.seq - 1})}" if event.seq > seq + 1 else ""
            seq = event.seq
            yield lost + _format(event)


def _format(event: JournalEvent) -> str:
    data = {"ts": round(event.at, 3), **event.data}
    return f"id: {event.seq}\n{_block(event.kind, data)}"


def _block(kind: str, data: dict[str, Any]) -> str:
    text = json.dumps({"type": kind, **data}, separators=(",", ":"))
    return f"event: {kind}\ndata: {text}\n\n"
