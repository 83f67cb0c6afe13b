"""How large a body may be, how long it may take, and what JSON may look like. Pure ASGI."""

from __future__ import annotations

import re

from reactor_runtime.clock import WALL, Clock, timeout

from .asgi import App, Message, Receive, Scope, Send, refuse
from .jsonshape import DEPTH_LIMIT, KEYS_LIMIT, VALUES_LIMIT, shape

JSON_LIMIT = 100 * 1024
"""Bytes of a request's body: an offer of 64 KiB with its tracks has room."""
BODY_LIMIT = 10 * 1024 * 1024
"""Bytes of a body that nobody reads: clients of different ages begin sessions with different ones."""
UNREAD = frozenset({"/start_session", "/stop_session"})
UPLOADS = "/uploads/"
"""The paths below which files are sent; they are streamed to disk, and have a limit of their own."""
BODY_S = 20.0
"""Within which a body must have arrived."""
UPLOAD_GRACE_S = 30.0
UPLOAD_BYTES_PER_S = 1024
"""A file has longer: a second for so many bytes, after the grace."""

_LENGTH = re.compile(r"[0-9]{1,15}")


class Bodies:
    """Wraps the application. What does not fit is refused, whatever the application makes of half of it."""

    def __init__(self, app: App, upload_limit: int = BODY_LIMIT, clock: Clock = WALL) -> None:
        """`upload_limit` bounds, in bytes, the files that clients send."""
        self._app = app
        self._upload_limit = upload_limit
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        upload = scope["method"] == "PUT" and scope["path"].startswith(UPLOADS)
        body = _Body(receive, self._limit(scope, upload), UPLOAD_BYTES_PER_S if upload else 0, self._clock)
        if not _fits(headers.get(b"content-length", "0"), body.limit):
            await _refuse_large(send, body.limit)
            return
        if not upload and is_json(headers.get(b"content-type", "")) and scope["path"] not in UNREAD:
            await self._parsed(scope, body, send)
            return
        await self._app(scope, body.receive, body.answer(send))
        await body.refuse(send)

    def _limit(self, scope: Scope, upload: bool) -> int:
        if upload:
            return self._upload_limit
        return BODY_LIMIT if scope["path"] in UNREAD else JSON_LIMIT

    async def _parsed(self, scope: Scope, body: _Body, send: Send) -> None:
        """Look at the whole of it first."""
        text = await body.whole()
        if text is None:
            await body.refuse(send)
            return
        if b"\0" in text:
            await refuse(send, 400, "invalid_request", "A body is JSON in UTF-8.")
            return
        if not shape(text).fits:
            await refuse(send, 400, "json_too_complex", _COMPLEX)
            return
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await body.receive()
            replayed = True
            return {"type": "http.request", "body": text, "more_body": False}

        await self._app(scope, replay, send)


class _Body:
    """One body as it comes in. Its deadline moves with what has come, at `rate` bytes a second."""

    def __init__(self, receive: Receive, limit: int, rate: int, clock: Clock) -> None:
        self.limit = limit
        self._receive = receive
        self._rate = rate
        self._clock = clock
        self._began = clock.time()
        self._seen = 0
        self._ended = False
        self._late = False
        self._answered = False

    @property
    def wrong(self) -> bool:
        return self._late or self._seen > self.limit

    async def receive(self) -> Message:
        """The next part; a disconnect once the body is too large or too late."""
        if self.wrong:
            return {"type": "http.disconnect"}
        try:
            message = await self._next()
        except TimeoutError:
            self._late = True
            return {"type": "http.disconnect"}
        self._seen += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        # Where the length was not told or not true, the body ends here.
        return {"type": "http.disconnect"} if self.wrong else message

    async def _next(self) -> Message:
        """Raises `TimeoutError`."""
        if self._ended:
            # What is awaited now is that the client goes, and that has no deadline.
            return await self._receive()
        if (left := self._left()) <= 0:
            raise TimeoutError
        async with timeout(self._clock, left):
            return await self._receive()

    async def whole(self) -> bytes | None:
        """None when it did not arrive, or not as it should."""
        parts = []
        while True:
            message = await self.receive()
            if message["type"] != "http.request":
                return None
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)

    def answer(self, send: Send) -> Send:
        refused = False

        async def answer(message: Message) -> None:
            nonlocal refused
            # Whatever the application makes of half a body, this is what was wrong.
            refused = refused or (self.wrong and not self._answered)
            if refused:
                await self.refuse(send)
            else:
                self._answered = True
                await send(message)

        return answer

    async def refuse(self, send: Send) -> None:
        """Say what was wrong, once, if anything was."""
        if self._answered or not self.wrong:
            return
        self._answered = True
        if self._late:
            # RFC 9110, 15.5.9: what is left of the body is not waited for on this connection.
            close = [(b"connection", b"close")]
            await refuse(send, 408, "body_too_slow", "The body did not arrive in time; send it again.", close)
        else:
            await _refuse_large(send, self.limit)

    def _left(self) -> float:
        allowed = UPLOAD_GRACE_S + self._seen / self._rate if self._rate else BODY_S
        return self._began + allowed - self._clock.time()


_COMPLEX = f"JSON may nest {DEPTH_LIMIT} deep and hold {KEYS_LIMIT} keys and {VALUES_LIMIT} values at most."


def is_json(content_type: str) -> bool:
    """Whether somebody would parse it as JSON; rather once too often than not."""
    return "json" in content_type.lower()


def _fits(length: str, limit: int) -> bool:
    return _LENGTH.fullmatch(length) is not None and int(length) <= limit


async def _refuse_large(send: Send, limit: int) -> None:
    size = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 2**10} KiB"
    await refuse(send, 413, "body_too_large", f"A body may have {size} at most.")
