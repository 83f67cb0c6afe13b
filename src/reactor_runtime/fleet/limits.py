"""The numbers of a fleet, in seconds unless a name says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

TICKETS_PER_ADDRESS = 8
CLAIM_S = 45.0
"""How long it is a user's turn."""
POLL_LOSS_S = 30.0
"""A ticket that nobody asked about for so long, without an open stream, is given up."""
HEARTBEAT_LOST_S = 6.0
"""A worker that was not heard for so long is lost; it says something every 2 s."""
SCALE_AFTER_S = 10.0
IDLE_S = 300.0
KEEP_ENDED_S = 300.0
"""How long the broker can say how a ticket ended."""
SCALE_RETRY_S = 10.0
"""After an engine had no room or a start failed, the next try."""

QUEUE_WAIT_LIMIT_S = 25.0
"""The longest that a client may wait inside `POST /start_session`: some give up after 30 s."""


@dataclass(frozen=True)
class FleetLimits:
    """What `reactor serve` sets."""

    workers_min: int = 1
    workers_max: int = 1
    queue: int = 200
    """Tickets that may wait; one more is refused."""
    session_cap: float = 0.0
    per_address: int = TICKETS_PER_ADDRESS
    claim: float = CLAIM_S
    poll_loss: float = POLL_LOSS_S
    heartbeat_lost: float = HEARTBEAT_LOST_S
    scale_after: float = SCALE_AFTER_S
    idle: float = IDLE_S
