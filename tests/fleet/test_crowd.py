"""Ten thousand tickets and a hundred workers on a virtual clock: everybody is served, in order."""

from __future__ import annotations

import heapq

from reactor_runtime.fleet.broker import Broker
from reactor_runtime.fleet.effects import Effect, Told
from reactor_runtime.fleet.limits import FleetLimits
from reactor_runtime.fleet.records import TicketState, WorkerState

TICKETS, WORKERS, SESSION_S = 10_000, 100, 60.0
PLAYED = 2_000
"""Sessions that are played to their end."""


def test_ten_thousand_wait_and_are_served_first_come_first_served() -> None:
    broker = Broker(FleetLimits(workers_min=0, workers_max=WORKERS, queue=TICKETS, heartbeat_lost=1e9))
    for number in range(WORKERS):
        broker.worker_announced(f"w{number}", 0.0)
    offered: list[str] = []

    def look(effects: list[Effect]) -> None:
        told = (e.ticket for e in effects if isinstance(e, Told))
        offered.extend(t for t in told if broker.tickets[t].state is TicketState.OFFERED)

    for number in range(TICKETS):
        ticket, effects = broker.join(f"t{number}", f"u{number}", f"a{number}", 0.0)
        broker.watch(ticket.id, 1, 0.0)
        look(effects)
    assert len(offered) == WORKERS
    assert broker.place(f"t{TICKETS - 1}", 0.0).position == TICKETS - WORKERS
    ends: list[tuple[float, str, int]] = []
    now, claimed = 0.0, 0
    while claimed < PLAYED:
        while claimed < len(offered):
            lease, _ = broker.claim(offered[claimed], now)
            broker.taken(lease.worker, lease.epoch, f"s{claimed}", now)
            heapq.heappush(ends, (now + SESSION_S + claimed % 7, lease.worker, lease.epoch))
            claimed += 1
        now, worker, epoch = heapq.heappop(ends)
        look(broker.tick(now))
        look(broker.freed(worker, epoch, now))
    assert offered[:PLAYED] == [f"t{number}" for number in range(PLAYED)]
    assert all(w.state in (WorkerState.OFFERED, WorkerState.BUSY) for w in broker.workers.values())
