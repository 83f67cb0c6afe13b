"""What one client is told about media of its own that nobody here takes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from reactor_runtime.session.losses import Lost
from reactor_runtime.transports.pictures import LONG_SIDE, SHORT_SIDE

if TYPE_CHECKING:
    from .connection import Connection

log = logging.getLogger(__name__)

NOTICE_S = 10.0
"""Between two words about the pictures of one track; they are counted all the same."""


class MediaNotices:
    """Event loop only, except `picture_refused`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._told: dict[str, float] = {}
        """When each track was last spoken of."""

    def track_refused(self, track: str, message: str) -> None:
        log.warning("Connection %d: %s", self._connection.number, message)
        self._send(track, "no_common_codec", message)

    def picture_refused(self, track: str, width: int, height: int) -> None:
        """Engine thread."""
        self._connection.session.lost.add(Lost.OVERSIZED)
        now = self._connection.session.clock.time()
        if now - self._told.get(track, -NOTICE_S) < NOTICE_S:
            return
        self._told[track] = now
        size = f"{width}×{height}" if width else "no size that can be read"
        message = (
            f"Pictures on track {track!r} have {size}; {LONG_SIDE}×{SHORT_SIDE} is the most that this server "
            "takes. They are dropped: send smaller ones."
        )
        self._loop.call_soon_threadsafe(self._picture_refused, track, message)

    def _picture_refused(self, track: str, message: str) -> None:
        log.warning("Connection %d: %s", self._connection.number, message)
        self._send(track, "picture_too_large", message)

    def _send(self, track: str, code: str, message: str) -> None:
        data = {"track": track, "code": code, "message": message}
        self._connection.conversation.send(lambda form: form.runtime("mediaRefused", data))
