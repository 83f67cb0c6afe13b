"""Waits of a fleet: the broker itself on a virtual clock, beside what queueing theory says (M/M/c)."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass

from reactor_runtime.fleet.broker import Broker
from reactor_runtime.fleet.effects import Effect, Told
from reactor_runtime.fleet.limits import FleetLimits
from reactor_runtime.fleet.records import TicketState


@dataclass(frozen=True)
class Load:
    """Arrivals a second, the mean length of a session in seconds, and how many workers there are."""

    arrivals: float
    session: float
    workers: int

    @property
    def utilisation(self) -> float:
        return self.arrivals * self.session / self.workers


def erlang_c(load: Load) -> float:
    """The share of people who have to wait at all. `utilisation` must be below 1."""
    offered, workers = load.arrivals * load.session, load.workers
    blocked = 1.0
    for servers in range(1, workers + 1):
        # Erlang B by its recurrence, which no factorial overflows.
        blocked = offered * blocked / (servers + offered * blocked)
    return blocked / (1 - load.utilisation * (1 - blocked))


def mean_wait(load: Load) -> float:
    """Of everybody, in seconds, as theory has it."""
    return erlang_c(load) * load.session / (load.workers * (1 - load.utilisation))


Person = tuple[float, float]
"""When somebody comes, and how long the session lasts."""


def people_of(load: Load, count: int, seed: int = 1) -> list[Person]:
    chance = random.Random(seed)
    people, arrives = [], 0.0
    for _ in range(count):
        arrives += chance.expovariate(load.arrivals)
        people.append((arrives, chance.expovariate(1 / load.session)))
    return people


def by_recursion(load: Load, people: list[Person]) -> list[float]:
    """Everybody's wait, without a broker: whoever comes takes the worker that is free first."""
    free_at = [0.0] * load.workers
    waits = []
    for arrives, lasts in people:
        begins = max(arrives, free_at[0])
        heapq.heapreplace(free_at, begins + lasts)
        waits.append(begins - arrives)
    return waits


def by_broker(load: Load, people: list[Person]) -> list[float]:
    """The same with the broker of a fleet. Everybody claims at once when it is their turn."""
    limit = len(people)
    broker = Broker(
        FleetLimits(0, load.workers, queue=limit, per_address=limit, heartbeat_lost=1e12, idle=1e12)
    )
    for number in range(load.workers):
        broker.worker_announced(f"w{number}", 0.0)
    ends: list[tuple[float, str, int]] = []
    waits: dict[str, float] = {}

    def take(effects: list[Effect], now: float) -> None:
        for effect in effects:
            if isinstance(effect, Told) and broker.tickets[effect.ticket].state is TicketState.OFFERED:
                waits[effect.ticket] = now - broker.tickets[effect.ticket].joined
                lease, _ = broker.claim(effect.ticket, now)
                broker.taken(lease.worker, lease.epoch, "s", now)
                heapq.heappush(ends, (now + people[int(effect.ticket)][1], lease.worker, lease.epoch))

    def free(until: float) -> None:
        while ends and ends[0][0] <= until:
            over, worker, epoch = heapq.heappop(ends)
            broker.tick(over)
            take(broker.freed(worker, epoch, over), over)

    for number, (arrives, _) in enumerate(people):
        free(arrives)
        ticket, effects = broker.join(str(number), "", "here", arrives)
        broker.watch(ticket.id, 1, arrives)
        take(effects, arrives)
    free(math.inf)
    return [waits[str(number)] for number in range(len(people))]


@dataclass(frozen=True)
class Waits:
    mean: float
    p95: float
    waited: float
    """The share of people who waited at all."""


def summed(waits: list[float]) -> Waits:
    in_order = sorted(waits)
    return Waits(
        sum(waits) / len(waits),
        in_order[math.ceil(len(waits) * 0.95) - 1],
        sum(wait > 1e-9 for wait in waits) / len(waits),
    )
