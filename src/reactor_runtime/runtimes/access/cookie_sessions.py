"""What a browser holds in place of a token: a random id that means something to this process alone.

A browser sends the cookies of a host to all of its ports, so that servers of other people see them. They see
no token then, nothing that outlives the token or this process, and nothing that another server takes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from reactor_runtime.clock import WALL

from .credentials import Grant

UNUSED_LIMIT = 64
"""Sessions that no browser has shown yet; one more forgets the oldest of them."""
USED_LIMIT = 1024
"""Sessions that a browser has shown; one more forgets the one not seen for longest."""


class CookieSessions:
    """Event loop only. A script that never keeps its cookie pushes out nobody who does."""

    def __init__(self, clock: Callable[[], float] = WALL.unix) -> None:
        self._clock = clock
        self._unused: dict[str, Grant] = {}
        self._used: dict[str, Grant] = {}

    def open(self, grant: Grant) -> str:
        """A new session of a token; its id is what the cookie holds."""
        key = secrets.token_urlsafe(32)
        _put(self._unused, key, grant, UNUSED_LIMIT)
        return key

    def read(self, key: str) -> Grant | None:
        """The grant behind an id; None when it is unknown, forgotten or over."""
        grant = self._used.pop(key, None) or self._unused.pop(key, None)
        if grant is None or (grant.expires is not None and grant.expires <= self._clock()):
            return None
        _put(self._used, key, grant, USED_LIMIT)
        return grant

    def __len__(self) -> int:
        return len(self._unused) + len(self._used)


def _put(sessions: dict[str, Grant], key: str, grant: Grant, limit: int) -> None:
    sessions[key] = grant
    if len(sessions) > limit:
        del sessions[next(iter(sessions))]
