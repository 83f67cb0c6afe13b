"""Tokens for others, made by who may play: for a link that watches, and for one's own telephone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reactor_runtime.clients.ratelimit import AddressLimit
from reactor_runtime.clock import WALL, Clock
from reactor_runtime.errors import Refusal, RefusedError

from .credentials import Grant, Keys, TokenRole

LASTS_S = 12 * 3600.0
"""How long a link opens; never longer than what its maker holds."""
LINKS_PER_MINUTE = 30
"""From one address: to draw the code of a long link takes a tenth of a second of processor time."""


@dataclass(frozen=True)
class Shared:
    """What goes into the link, and when it ends in Unix seconds. Without a token it never does."""

    token: str | None = None
    expires: float | None = None


class WeakSecretError(RefusedError):
    def __init__(self) -> None:
        super().__init__(
            Refusal.CONFLICT,
            "weak_token",
            "The server's own token is too short to share links: who holds one made from it could guess it. "
            "Start the server with a token of 16 characters or more.",
        )


def links_limit() -> Callable[[str, float], None]:
    """Raises `RefusedError` when an address makes more links than it may."""
    links = AddressLimit(LINKS_PER_MINUTE)
    return lambda address, now: links.check(address, now, "links a minute for one address")


class Sharing:
    """Never more than the asker's own rights, and never an `admin`."""

    def __init__(self, keys: Keys, clock: Clock = WALL) -> None:
        self._keys = keys
        self._clock = clock
        self._links = links_limit()

    def limit(self, address: str) -> None:
        """As `links_limit`."""
        self._links(address, self._clock.time())

    def token(self, grant: Grant, role: TokenRole) -> Shared:
        """Who watches is somebody of their own; who plays is the asker, elsewhere. Raises `RefusedError`."""
        if self._keys.open:
            return Shared()
        if not self._keys.strong:
            raise WeakSecretError
        plays = role is not TokenRole.VIEW
        expires = min(grant.expires or float("inf"), self._keys.now() + LASTS_S)
        made = self._keys.mint(
            TokenRole.CONTROL if plays else TokenRole.VIEW,
            max(1.0, expires - self._keys.now()),
            grant.subject if plays else "",
            grant.session,
        )
        return Shared(made, expires)
