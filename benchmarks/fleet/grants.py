"""How long a claim takes the broker, with ten thousand tickets and a hundred workers."""

from __future__ import annotations

import gc
import resource
import time
from dataclasses import dataclass

from reactor_runtime.fleet.broker import Broker
from reactor_runtime.fleet.limits import FleetLimits

TICKETS, WORKERS, GRANTS = 10_000, 100, 5_000


@dataclass(frozen=True)
class Grants:
    """In milliseconds; `grown_mib` is what the process has grown by."""

    p50: float
    p99: float
    worst: float
    grown_mib: float


def measure() -> Grants:
    """A claim, the worker's word that it began and that it is free, with the next offer in it."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    broker = Broker(
        FleetLimits(0, WORKERS, queue=TICKETS, per_address=TICKETS, heartbeat_lost=1e12, idle=1e12)
    )
    for number in range(WORKERS):
        broker.worker_announced(f"w{number}", 0.0)
    for number in range(TICKETS):
        broker.join(f"t{number}", f"u{number}", "here", 0.0)
        broker.watch(f"t{number}", 1, 0.0)
    gc.collect()
    took = []
    for number in range(GRANTS):
        now = number * 0.01
        began = time.perf_counter()
        lease, _ = broker.claim(f"t{number}", now)
        broker.taken(lease.worker, lease.epoch, f"s{number}", now)
        broker.freed(lease.worker, lease.epoch, now + 0.005)
        took.append((time.perf_counter() - began) * 1e3)
        broker.tick(now + 0.005)
    took.sort()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return Grants(took[len(took) // 2], took[int(len(took) * 0.99)], took[-1], grown)
