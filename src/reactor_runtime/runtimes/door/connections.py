"""How many connections there are, whose, and which one goes when there are too many. Event loop only."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from reactor_runtime.clock import WALL, Clock, Timer

from .addresses import network_of

ADDRESS_SHARE = 2
"""One address may hold the whole of `--max-connections` divided by this."""
HEAD_S = 10.0
"""Within which a request's head must be there, from the moment the connection had nothing else to do."""
STALLED_S = 30.0
"""How long a client may leave unread what it was sent."""
SWEEP_S = 1.0
"""How often deadlines are looked at."""
LINGERING_LIMIT = 32
"""Refused clients that may still read why; others are told nothing."""
SLOT = "reactor_slot"
"""Under this name a request's `state` holds its connection."""


class Holder(Protocol):
    """The protocol that has the connection now."""

    def expire(self) -> None:
        """Its time is over: say so where that makes sense, and close."""


class Slot:
    """One connection. `idle_since` is None while a request is being answered; `idle_s` bounds that."""

    __slots__ = ("_all", "address", "holder", "idle_s", "idle_since", "stalled_since", "transport")

    def __init__(
        self, connections: Connections, transport: asyncio.Transport, holder: Holder, address: str
    ) -> None:
        self._all = connections
        self.transport = transport
        self.holder = holder
        self.address = network_of(address)
        self.idle_since: float | None = connections.clock.time()
        self.idle_s = HEAD_S
        self.stalled_since: float | None = None

    @property
    def clock(self) -> Clock:
        return self._all.clock

    def belongs_to(self, address: str) -> bool:
        """A proxy's connection is its client's while it asks for it. False when that one has too many."""
        network = network_of(address)
        return network == self.address or self._all.move(self, network)

    def leave(self) -> None:
        self._all.leave(self)

    def count(self, reason: str) -> None:
        """The server ends it, and why."""
        self._all.closed[reason] += 1

    def note_stalled(self, stalled: bool) -> None:
        self.stalled_since = self.clock.time() if stalled else None

    def note_idle(self) -> None:
        """Nothing is asked of us any more."""
        self.idle_since = self.clock.time()


class Connections:
    """All of them. Over a limit the one goes that has been idle longest; without one, the new one."""

    def __init__(self, limit: int, clock: Clock = WALL, lingering_limit: int = LINGERING_LIMIT) -> None:
        self.clock = clock
        self.limit = limit
        self.limit_of_address = max(1, limit // ADDRESS_SHARE)
        self.lingering = 0
        """Refused ones that still read why; not counted among the others."""
        self.lingering_limit = lingering_limit
        self.closed: Counter[str] = Counter()
        """How many the server ended: `evicted`, `refused`, `late`, `stalled`, `no_http`, `malformed`."""
        self._slots: dict[str, set[Slot]] = {}
        self._count = 0
        self._sweeping: Timer | None = None

    def __len__(self) -> int:
        return self._count

    def admit(self, slot: Slot) -> bool:
        """False when the limit is reached and everybody is busy."""
        if not self._room(slot.address) or (self._count >= self.limit and not self.make_room()):
            self.closed["refused"] += 1
            return False
        self._put(slot)
        if self._sweeping is None:
            self._sweeping = self.clock.call_later(SWEEP_S, self._sweep)
        return True

    def move(self, slot: Slot, address: str) -> bool:
        """Count `slot` under another address, if that one has room."""
        if not self._room(address):
            return False
        self._take(slot)
        slot.address = address
        self._put(slot)
        return True

    def leave(self, slot: Slot) -> None:
        self._take(slot)

    def make_room(self) -> bool:
        """End the connection that has been idle longest. False when none is idle."""
        return self._evict(slot for slots in self._slots.values() for slot in slots)

    def _room(self, address: str) -> bool:
        slots = self._slots.get(address, set())
        return len(slots) < self.limit_of_address or self._evict(slots)

    def _evict(self, slots: Iterable[Slot]) -> bool:
        idle = [(slot.idle_since, slot) for slot in slots if slot.idle_since is not None]
        if not idle:
            return False
        _, oldest = min(idle, key=lambda pair: pair[0])
        self.closed["evicted"] += 1
        self._take(oldest)
        if oldest.transport.get_write_buffer_size():
            oldest.transport.abort()
        else:
            oldest.transport.close()
        return True

    def _put(self, slot: Slot) -> None:
        self._slots.setdefault(slot.address, set()).add(slot)
        self._count += 1

    def _take(self, slot: Slot) -> None:
        slots = self._slots.get(slot.address, set())
        if slot in slots:
            slots.remove(slot)
            self._count -= 1
        if not slots:
            self._slots.pop(slot.address, None)

    def _sweep(self) -> None:
        self._sweeping = None
        now = self.clock.time()
        for slot in [slot for slots in self._slots.values() for slot in slots]:
            self._check(slot, now)
        if self._count:
            self._sweeping = self.clock.call_later(SWEEP_S, self._sweep)

    def _check(self, slot: Slot, now: float) -> None:
        if slot.stalled_since is not None and now - slot.stalled_since > STALLED_S:
            self.closed["stalled"] += 1
            slot.transport.abort()
        elif slot.idle_since is not None and now - slot.idle_since > slot.idle_s:
            if slot.transport.is_closing():
                # Told a while ago, and what it was told is still not read.
                slot.transport.abort()
            else:
                self.closed["late"] += 1
                slot.holder.expire()

    def collect(self) -> Iterable[Metric]:
        """For a registry of Prometheus."""
        yield GaugeMetricFamily("reactor_connections", "Connections to the TCP port", self._count)
        closed = CounterMetricFamily("reactor_connections_closed", "Ended by the server", labels=["reason"])
        for reason, number in self.closed.items():
            closed.add_metric([reason], number)
        yield closed
