"""Users, workers and time in any order: the rules of the broker hold after every step.

The workers here behave as the real ones do: they refuse a grant older than the newest they saw, and say
`freed` when their session is over.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reactor_runtime.errors import FleetError
from reactor_runtime.fleet.broker import Broker
from reactor_runtime.fleet.effects import Effect, Grant, Retire, Revoke, ScaleUp
from reactor_runtime.fleet.limits import FleetLimits
from reactor_runtime.fleet.records import PRESENT, TicketState, WorkerState

RUNS = int(os.environ.get("FLEET_RUNS", "100"))
"""`scripts/soak` asks for more."""
LIMITS = FleetLimits(workers_min=1, workers_max=4, queue=30, session_cap=300.0)

PICK = st.integers(0, 1000)


@dataclass
class FakeWorker:
    id: str
    seen_epoch: int = 0
    lease: str = ""
    session: str = ""
    frozen: bool = False


class BrokerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.broker = Broker(LIMITS)
        self.workers: dict[str, FakeWorker] = {}
        self.granted: list[int] = []
        self.count = 0
        self.carry_out(self.broker.scale(1, 4, self.now))

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case ScaleUp():
                    self.count += 1
                    self.carry_out(self.broker.worker_starting(f"w{self.count}", self.now))
                    self.workers[f"w{self.count}"] = FakeWorker(f"w{self.count}")
                case Grant(lease):
                    assert lease.epoch not in self.granted, "a lease is granted twice"
                    assert not self.granted or lease.epoch > max(self.granted)
                    self.granted.append(lease.epoch)
                    worker = self.workers[lease.worker]
                    if not worker.frozen:
                        self.take(worker, lease.epoch, lease.ticket)
                case Revoke(worker_id, epoch, _):
                    worker = self.workers.get(worker_id, FakeWorker(worker_id))
                    if not worker.frozen and worker.seen_epoch == epoch and worker.session:
                        self.end(worker)
                case Retire(worker_id, reason):
                    if reason != "silent":
                        self.workers.pop(worker_id, None)

    def take(self, worker: FakeWorker, epoch: int, ticket: str) -> None:
        assert epoch > worker.seen_epoch, "a worker is given a grant older than the newest it saw"
        assert not worker.session, "a slot is granted that is not free"
        worker.seen_epoch, worker.lease, worker.session = epoch, ticket, f"s{epoch}"
        self.carry_out(self.broker.taken(worker.id, epoch, worker.session, self.now))

    def end(self, worker: FakeWorker) -> None:
        worker.lease = worker.session = ""
        self.carry_out(self.broker.freed(worker.id, worker.seen_epoch, self.now))

    def pick(self, number: int, worker_ids: list[str]) -> FakeWorker:
        return self.workers[worker_ids[number % len(worker_ids)]]

    @rule(user=st.integers(0, 40), address=st.integers(0, 1))
    def join(self, user: int, address: int) -> None:
        self.count += 1
        try:
            _, effects = self.broker.join(f"t{self.count}", f"u{user}", f"a{address}", self.now)
        except FleetError as error:
            assert error.code in {"queue_full", "too_many_tickets"}  # noqa: PT017  # either is right here
        else:
            self.carry_out(effects)

    @precondition(lambda self: self.broker.tickets)
    @rule(number=PICK)
    def claim(self, number: int) -> None:
        ticket = list(self.broker.tickets.values())[number % len(self.broker.tickets)]
        before = ticket.state
        try:
            _, effects = self.broker.claim(ticket.id, self.now)
        except FleetError as error:
            assert error.code == "not_offered"  # noqa: PT017  # a refusal is one of two right answers
            assert before not in (TicketState.OFFERED, TicketState.CLAIMED)
        else:
            self.carry_out(effects)

    @precondition(lambda self: self.broker.tickets)
    @rule(number=PICK)
    def cancel(self, number: int) -> None:
        self.carry_out(
            self.broker.cancel(list(self.broker.tickets)[number % len(self.broker.tickets)], self.now)
        )

    @precondition(lambda self: self.broker.tickets)
    @rule(number=PICK, opened=st.booleans())
    def watch(self, number: int, opened: bool) -> None:
        ticket = list(self.broker.tickets)[number % len(self.broker.tickets)]
        self.broker.watch(ticket, 1 if opened else -1, self.now)

    @precondition(lambda self: self.workers)
    @rule(number=PICK)
    def announce(self, number: int) -> None:
        worker = self.pick(number, list(self.workers))
        if worker.frozen:
            return
        self.carry_out(
            self.broker.worker_announced(worker.id, self.now, worker.seen_epoch, worker.lease, worker.session)
        )

    @precondition(lambda self: any(w.session for w in self.workers.values()))
    @rule(number=PICK)
    def session_ends(self, number: int) -> None:
        worker = self.pick(number, [w.id for w in self.workers.values() if w.session])
        if not worker.frozen:
            self.end(worker)

    @precondition(lambda self: self.workers)
    @rule(number=PICK)
    def worker_dies(self, number: int) -> None:
        worker = self.pick(number, list(self.workers))
        del self.workers[worker.id]
        self.carry_out(self.broker.worker_lost(worker.id, "ended", self.now))

    @precondition(lambda self: self.workers)
    @rule(number=PICK)
    def worker_freezes_or_thaws(self, number: int) -> None:
        worker = self.pick(number, list(self.workers))
        worker.frozen = not worker.frozen

    @precondition(lambda self: self.broker.workers)
    @rule(number=PICK)
    def drain(self, number: int) -> None:
        worker_id = list(self.broker.workers)[number % len(self.broker.workers)]
        self.carry_out(self.broker.drain(worker_id, self.now, 5.0))

    @rule(seconds=st.sampled_from([0.1, 1.0, 2.0, 6.0, 30.0, 46.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        """In the steps in which heartbeats come."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 2.0)
            for worker in list(self.workers.values()):
                if not worker.frozen:
                    self.broker.heard(worker.id, self.now)
            self.carry_out(self.broker.tick(self.now))

    @rule()
    def gateway_restarts(self) -> None:
        """With a store: tickets and the newest epoch are remembered, workers say what they do."""
        before, self.broker = self.broker, Broker(LIMITS, self.broker.epoch)
        for ticket in before.tickets.values():
            self.broker.restore(ticket, self.now)
        for worker in list(self.workers.values()):
            if not worker.frozen:
                self.carry_out(
                    self.broker.worker_announced(
                        worker.id, self.now, worker.seen_epoch, worker.lease, worker.session
                    )
                )

    @invariant()
    def nobody_waits_beside_a_free_slot(self) -> None:
        free = [w.id for w in self.broker.workers.values() if w.state is WorkerState.READY]
        assert not (free and len(self.broker.line)), f"{free} are free and {len(self.broker.line)} wait"

    @invariant()
    def a_slot_has_one_ticket_and_a_ticket_one_slot(self) -> None:
        held = [w.ticket for w in self.broker.workers.values() if w.ticket]
        assert len(held) == len(set(held))
        for worker in self.broker.workers.values():
            if worker.state is WorkerState.OFFERED:
                assert self.broker.tickets[worker.ticket].state is TicketState.OFFERED
        for ticket in self.broker.tickets.values():
            if ticket.state is TicketState.OFFERED:
                assert self.broker.workers[ticket.worker].ticket == ticket.id

    @invariant()
    def one_ticket_for_each_user_and_eight_for_each_address(self) -> None:
        present = [t for t in self.broker.tickets.values() if t.state in PRESENT]
        users = [t.user for t in present]
        assert len(users) == len(set(users))
        addresses = [t.address for t in present]
        assert all(addresses.count(address) <= 8 for address in addresses)

    @invariant()
    def the_line_is_who_waits(self) -> None:
        waiting = [t for t in self.broker.tickets.values() if t.state is TicketState.WAITING]
        assert len(waiting) == len(self.broker.line) <= LIMITS.queue + LIMITS.workers_max + 8
        places = sorted(self.broker.place(t.id, self.now).position for t in waiting)
        assert places == list(range(1, len(waiting) + 1))

    @invariant()
    def who_plays_has_a_worker_that_serves_him(self) -> None:
        for worker in self.workers.values():
            known = self.broker.workers.get(worker.id)
            if (
                worker.session
                and known is not None
                and not worker.frozen
                and worker.seen_epoch == known.epoch
            ):
                assert known.state is WorkerState.BUSY

    @invariant()
    def there_are_never_more_workers_than_allowed(self) -> None:
        asked = [w for w in self.broker.workers.values() if w.state is WorkerState.STARTING]
        assert len(asked) <= LIMITS.workers_max


TestBroker = BrokerMachine.TestCase
TestBroker.settings = settings(max_examples=RUNS, stateful_step_count=100, deadline=None)
