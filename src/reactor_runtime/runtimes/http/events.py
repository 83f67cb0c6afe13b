"""`/events`: what happens, as server-sent events (HTML Living Standard, section 9.2)."""

from __future__ import annotations

import contextlib
import json
import operator
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from reactor_runtime.runtimes.access.rights import ADMIN
from reactor_runtime.runtimes.door.addresses import is_loopback
from reactor_runtime.worker.journal import Journal, JournalEvent

from .callers import address_of
from .sessions import TheWorker

router = APIRouter(tags=["events"])

HEARTBEAT_S = 15.0
"""Silence after which a comment is sent, so that proxies keep the stream."""


class EventStream(StreamingResponse):
    """Has its place before the first byte leaves, and until the last one has."""

    def __init__(self, journal: Journal, hello: dict[str, Any], asked: int | None, address: str) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_stream(journal, hello, asked), media_type="text/event-stream", headers=headers)
        self._journal = journal
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._journal.place(self._address):
            await super().__call__(scope, receive, send)


@router.get(
    "/events",
    dependencies=[ADMIN],
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "A stream that does not end."}},
)
async def events(
    request: Request,
    worker: TheWorker,
    since: Annotated[int | None, Query(ge=0, le=2**53, description="Resume after this number")] = None,
    last_event_id: Annotated[str | None, Header(max_length=32)] = None,
) -> StreamingResponse:
    """Transitions, connections, commands and errors, numbered. Without a place to resume, from now on.

    The first event, `hello`, has no number: it says which numbers are kept and when this server started.
    Numbers that are gone are told as an event `gap`; one from before a restart resumes at the oldest kept.
    """
    journal = worker.journal
    asked = since
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdecimal():
        asked = int(last_event_id)
    hello = {"oldest": journal.oldest, "last": journal.last, "started_at": worker.standing.started_at}
    here = request.client is not None and is_loopback(request.client.host)
    return EventStream(journal, hello, asked, "" if here else address_of(request))


async def _stream(journal: Journal, hello: dict[str, Any], asked: int | None) -> AsyncIterator[str]:
    yield f"retry: 1000\n\n{_block('hello', hello)}"
    seq = journal.last if asked is None else asked
    if seq > journal.last:
        # The number of a server that ran here before.
        seq = journal.oldest - 1
    async with contextlib.aclosing(journal.follow(seq, HEARTBEAT_S)) as following:
        async for events in following:
            if not events:
                yield ": heartbeat\n\n"
                continue
            first = events[0].seq
            lost = _block("gap", {"from": seq + 1, "to": first - 1}) if first > seq + 1 else ""
            seq = events[-1].seq
            yield lost + _TEXTS.of(events)


class _Texts:
    """The last batch and its text: the streams are mostly at the same place, and are given the same."""

    def __init__(self) -> None:
        self._events: list[JournalEvent] = []
        self._text = ""

    def of(self, events: list[JournalEvent]) -> str:
        if len(events) != len(self._events) or any(map(operator.is_not, events, self._events)):
            self._events, self._text = events, "".join(map(_format, events))
        return self._text


_TEXTS = _Texts()


def _format(event: JournalEvent) -> str:
    data = {"ts": round(event.at, 3), **event.data}
    return f"id: {event.seq}\n{_block(event.kind, data)}"


def _block(kind: str, data: dict[str, Any]) -> str:
    text = json.dumps({"type": kind, **data}, separators=(",", ":"))
    return f"event: {kind}\ndata: {text}\n\n"
