"""What the broker knows, as data: tickets of users, workers with their one slot, leases between the two."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TicketState(StrEnum):
    WAITING = "waiting"
    OFFERED = "offered"
    """It is this user's turn: a slot is kept until the claim, or until `claim_by`."""
    CLAIMED = "claimed"
    EXPIRED = "expired"
    """Not claimed in time, not polled for too long, or its session is over."""
    CANCELLED = "cancelled"


class WorkerState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    OFFERED = "offered"
    LEASED = "leased"
    """Granted to a ticket; the worker has not said yet that it took the grant."""
    BUSY = "busy"
    DRAINING = "draining"
    """For who looks on; to the broker it is in one of the others, and `Worker.draining`."""
    DEAD = "dead"
    """For who looks on: a slot that is not started for a while. The broker forgets a worker that is lost."""


SERVING = frozenset({WorkerState.LEASED, WorkerState.BUSY})
"""Workers with a user."""
IN_USE = SERVING | {WorkerState.OFFERED}
PRESENT = frozenset({TicketState.WAITING, TicketState.OFFERED, TicketState.CLAIMED})
"""Tickets that still stand for somebody who waits or plays."""


@dataclass(slots=True)
class Ticket:
    """One user's place. The id is the capability: who holds it may claim, ask and leave."""

    id: str
    user: str
    """What a cookie says; it only deduplicates."""
    address: str
    joined: float
    order: int
    """Where it stands: the smaller, the nearer to the head."""
    state: TicketState = TicketState.WAITING
    seen: float = 0.0
    """When its holder was last heard of."""
    watchers: int = 0
    """Open streams of this ticket; while there is one, its holder is heard."""
    claim_by: float = 0.0
    worker: str = ""
    epoch: int = 0
    reason: str = ""
    """Why it ended or went back into the line."""


@dataclass(slots=True)
class Worker:
    """One slot: a process that serves one session at a time."""

    id: str
    state: WorkerState
    since: float
    epoch: int = 0
    """The newest lease it was given; a report about an older one is stale."""
    heard: float = 0.0
    ticket: str = ""
    session: str = ""
    draining: bool = False
    """Takes no further session; it leaves when its present one is over."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A slot given to a ticket until `deadline` (0: no limit). `epoch` grows with every grant."""

    worker: str
    epoch: int
    ticket: str
    deadline: float = 0.0
    seconds: float = 0.0
    """The same as a length: the worker's clock is another one. 0 without a limit."""
    address: str = ""
    """Of the user; the worker says it again when the gateway was restarted."""
    seed: int | None = None
    """That the user gave; without one the worker's own options count."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a ticket's holder is told."""

    state: TicketState
    position: int
    """1 for the next one; 0 when not in line."""
    eta_s: float | None
    """An estimate; None while nothing is known of how long sessions last."""
    reason: str = ""
    claim_in_s: float | None = None
