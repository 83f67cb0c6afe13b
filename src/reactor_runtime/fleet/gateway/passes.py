"""The tokens with which the gateway's requests reach workers. Event loop only."""

from __future__ import annotations

from collections.abc import Callable

from reactor_runtime.clock import WALL
from reactor_runtime.fleet.fleet import Serving
from reactor_runtime.runtimes.access.credentials import Keys, TokenRole

TOKEN_S = 300.0
"""How long the worker takes a request for this one."""
AGAIN_S = 150.0
"""How long a token is used again, by the date that it ends by: a date that jumps makes a new one."""
LIMIT = 256
"""Tokens that are kept; the oldest is forgotten, and made anew."""

_Of = tuple[str, TokenRole, str, str]


class Passes:
    def __init__(self, date: Callable[[], float] = WALL.unix) -> None:
        self._date = date
        self._made: dict[_Of, tuple[float, str]] = {}

    def token(self, secret: str, role: TokenRole, serving: Serving) -> str:
        """For this session alone, signed with the worker's secret."""
        of = (secret, role, serving.ticket or "fleet", serving.session)
        made, token = self._made.get(of, (0.0, ""))
        if not 0 <= self._date() - made < AGAIN_S:
            self._made.pop(of, None)
            token = Keys((secret,), self._date).mint(role, TOKEN_S, of[2], of[3])
            self._made[of] = self._date(), token
            if len(self._made) > LIMIT:
                del self._made[next(iter(self._made))]
        return token
