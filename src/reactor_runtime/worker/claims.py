"""Who has claimed the session without ever connecting to it. Sans-IO; event loop only.

The one slot is first come, first served. A script that claims it again and again and never connects would
keep everybody out: after ten seconds in which nobody came, it is free for whoever asks from another address.
"""

from __future__ import annotations

from dataclasses import dataclass

SILENCE_S = 10.0
"""After this, a session that nobody has connected to is another address' for the asking."""
PROMISE_S = 5.0
"""How long the slot that was freed is kept for the one who asked."""
CLAIMS_LIMIT = 1024
"""Addresses that are remembered; the least recent is forgotten."""


@dataclass
class _Claim:
    """One session of an address, or several in a row that nobody connected to."""

    since: float
    last: float
    offered: bool = False
    connected: bool = False


class Claims:
    """`now` in seconds of one clock."""

    def __init__(self) -> None:
        self._holder = ""
        self._claims: dict[str, _Claim] = {}
        self._promised = ""
        self._promised_until = 0.0

    def started(self, address: str, now: float) -> None:
        """`address` has started a session."""
        claim = self._claims.pop(address, None)
        if claim is None or claim.connected or now - claim.last > SILENCE_S:
            claim = _Claim(now, now)
        self._claims[address] = claim
        if len(self._claims) > CLAIMS_LIMIT:
            del self._claims[next(iter(self._claims))]
        self._holder, self._promised = address, ""
        claim.last = now

    def offered(self, now: float) -> None:
        """An offer has come: it may take its time to connect, once in a row of claims."""
        claim = self._claims.get(self._holder)
        if claim is not None and not claim.offered:
            claim.offered, claim.since = True, now

    def connected(self) -> None:
        """Somebody is there: the claim was meant."""
        claim = self._claims.get(self._holder)
        if claim is not None:
            claim.connected = True

    def ended(self, now: float) -> None:
        claim = self._claims.get(self._holder)
        if claim is not None:
            claim.last = now

    def lapsed(self, address: str, now: float) -> bool:
        """Whether the session, if nobody has connected to it, gives way to `address`."""
        claim = self._claims.get(self._holder)
        if claim is None or claim.connected or address == self._holder:
            return False
        return now - claim.since >= SILENCE_S

    def promise(self, address: str, now: float) -> None:
        """The slot is being freed for `address`."""
        self._promised, self._promised_until = address, now + PROMISE_S

    def kept_for_another(self, address: str, now: float) -> bool:
        """Whether the slot is free for somebody else only."""
        return bool(self._promised) and now < self._promised_until and address != self._promised
