"""`/events`: what happens, as server-sent events (HTML Living Standard, section 9.2)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from .journal import Journal, JournalEvent
from .sessions import Worker

router = APIRouter(tags=["events"])

HEARTBEAT_S = 15.0
"""Silence after which a comment is sent, so that proxies keep the stream."""


@router.get("/events", response_class=StreamingResponse)
async def events(
    runtime: Worker,
    since: Annotated[int | None, Query(ge=0, description="Resume after this sequence number")] = None,
    last_event_id: Annotated[str | None, Header(max_length=32)] = None,
) -> StreamingResponse:
    """Transitions, connections, commands and errors, numbered. Without a place to resume, from now on."""
    start = runtime.journal.last if since is None else since
    if last_event_id is not None and last_event_id.isdecimal():
        start = int(last_event_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(runtime.journal, start), media_type="text/event-stream", headers=headers)


async def _stream(journal: Journal, start: int) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    async for event in journal.follow(start, HEARTBEAT_S):
        yield ": heartbeat\n\n" if event is None else _format(event)


def _format(event: JournalEvent) -> str:
    data = json.dumps({"type": event.kind, "ts": round(event.at, 3), **event.data}, separators=(",", ":"))
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {data}\n\n"
