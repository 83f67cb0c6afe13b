"""One connection that speaks HTTP: uvicorn's own protocol, with bounds for heads and a typed refusal."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import Any

import h11
import uvicorn
from h11._receivebuffer import ReceiveBuffer
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from .connections import SLOT, Slot

HEAD_LIMIT = 16 * 1024
"""Bytes of a request's head: its line and all headers."""
HEADERS_LIMIT = 100
"""Headers of a request."""
READ_LIMIT = 64 * 1024
"""Bytes of one reading from a socket."""

_BLANK_LINE = re.compile(rb"\n\r?\n")
_WORDS = {
    400: ("malformed_request", "This is no HTTP request."),
    408: ("head_too_slow", "The head of the request did not arrive in time."),
    431: (
        "headers_too_large",
        f"The head of a request may have {HEAD_LIMIT // 1024} KiB and {HEADERS_LIMIT} headers at most.",
    ),
}


class BoundedLines(ReceiveBuffer):
    """Counts the headers of a head, and of what may follow a body, before they are looked at one by one."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        lines = super().maybe_extract_lines()
        if lines is not None and len(lines) > HEADERS_LIMIT + 1:
            raise h11.RemoteProtocolError("There are too many headers.", error_status_hint=431)
        return lines


class BoundedConnection(h11.Connection):
    """Looks at the size of a head before it is parsed; h11 does so only where it is incomplete."""

    refusal = 400
    """The status for what was wrong last."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, HEAD_LIMIT)
        self._receive_buffer = BoundedLines()

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            if self.their_state is h11.IDLE:
                self._check(self.trailing_data[0])
            return super().next_event()
        except h11.RemoteProtocolError as error:
            self.refusal = error.error_status_hint if error.error_status_hint in _WORDS else 400
            raise

    def _check(self, waiting: bytes) -> None:
        if len(waiting) > HEAD_LIMIT and _BLANK_LINE.search(waiting, 0, HEAD_LIMIT) is None:
            raise h11.RemoteProtocolError("The head is too large.", error_status_hint=431)


class HttpConnection(H11Protocol):
    """Tells its slot when it is idle, and ends when its time is over."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None,
        slot: Slot,
    ) -> None:
        super().__init__(config, server_state, {**app_state, SLOT: slot}, _loop)
        self._bounded = BoundedConnection()
        self.conn = self._bounded
        # Strangers write what uvicorn warns of, a line for each request; it is counted instead.
        self.logger = logging.getLogger("uvicorn.error.requests")
        self.logger.setLevel(logging.ERROR)
        self._slot = slot

    def connection_made(self, transport: Any) -> None:
        self._slot.holder = self  # inside TLS, only now
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._slot.leave()

    def handle_events(self) -> None:
        super().handle_events()
        self._note_idle()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._note_idle()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._slot.note_stalled(True)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._slot.note_stalled(False)

    def expire(self) -> None:
        """A head that began is told; a body that nobody waits for any more is not."""
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._refuse(408)
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """uvicorn's word for whatever it could not parse."""
        self._slot.count("malformed")
        self._refuse(self._bounded.refusal)
        self.transport.close()

    def _refuse(self, status: int) -> None:
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            # An answer is on its way already, or has left: nothing can follow it.
            return
        code, detail = _WORDS[status]
        body = json.dumps({"detail": detail, "code": code}).encode()
        headers = [
            ("content-type", "application/json"),
            ("x-content-type-options", "nosniff"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (h11.Response(status_code=status, headers=headers), h11.Data(body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")

    def _note_idle(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._slot.idle_since = None
        elif self._slot.idle_since is None:
            self._slot.note_idle()
