"""Who gets which slot, and when. Sans-IO: times are arguments, what is to be done is returned.

Rules: a lease has an epoch that only grows, and a report about an older one does nothing; a slot is free only
when its worker has said so; first come, first served, except that who lost a worker goes to the head; nothing
is created before the claim. One writer: the gateway's event loop.
"""

from __future__ import annotations

from collections.abc import Callable

from reactor_runtime.errors import FleetError

from .deadlines import Deadlines
from .effects import Effect, Grant, Retire, Revoke, ScaleUp, Told
from .limits import KEEP_ENDED_S, SCALE_RETRY_S, FleetLimits
from .line import Line
from .records import IN_USE, PRESENT, SERVING, Lease, Place, Ticket, TicketState, Worker, WorkerState
from .register import Register
from .scaling import Lengths, Scaling


class Broker:
    """Tickets, workers and leases. Not thread-safe."""

    def __init__(self, limits: FleetLimits, epoch: int = 0) -> None:
        """`epoch` is the newest lease that a store remembers."""
        self.limits = limits
        self.epoch = epoch
        self.workers: dict[str, Worker] = {}
        self.line = Line()
        self.lengths = Lengths()
        self._register = Register()
        self.tickets, self.changed = self._register.tickets, self._register.changed
        self._deadlines = Deadlines()
        self._ready: dict[str, None] = {}
        """Workers that can take a session, the one that is free longest first."""
        self._scaling = Scaling()
        self._draining = False

    # --- users ---

    def join(self, ticket_id: str, user: str, address: str, now: float) -> tuple[Ticket, list[Effect]]:
        """Give a user a place, or find the one this user has. Raises `FleetError`."""
        known = self._register.of_user(user)
        if known is not None:
            return known, self.seen(known.id, now)
        if self._draining:
            raise FleetError("draining", "This fleet is draining and takes nobody new; try again later.")
        if self._register.held_by(address) >= self.limits.per_address:
            raise FleetError(
                "too_many_tickets",
                f"This address has {self.limits.per_address} places already; leave one of them first.",
            )
        if len(self.line) >= self.limits.queue:
            raise FleetError("queue_full", f"{len(self.line)} people wait already; try again later.")
        ticket = Ticket(ticket_id, user, address, now, self.line.join(ticket_id), seen=now)
        self._add(ticket)
        return ticket, [*self._offer(now), *self._scale(now)]

    def seen(self, ticket_id: str, now: float) -> list[Effect]:
        """The holder of a ticket was heard of."""
        ticket = self.tickets.get(ticket_id)
        if ticket is not None and ticket.state in PRESENT:
            ticket.seen = now
            self._watch(ticket)
        return []

    def watch(self, ticket_id: str, count: int, now: float) -> None:
        """Streams of a ticket were opened (1) or closed (-1)."""
        ticket = self.tickets.get(ticket_id)
        if ticket is not None:
            ticket.watchers = max(0, ticket.watchers + count)
            ticket.seen = now
            self._watch(ticket)

    def place(self, ticket_id: str, now: float) -> Place:
        """Raises `FleetError` (`unknown_ticket`)."""
        ticket = self._register.require(ticket_id)
        position = self.line.position(ticket.order) if ticket.state is TicketState.WAITING else 0
        left = max(0.0, ticket.claim_by - now) if ticket.state is TicketState.OFFERED else None
        eta = self.lengths.eta(position, self.workers.values(), self.limits.session_cap)
        return Place(ticket.state, position, eta, ticket.reason, left)

    def claim(self, ticket_id: str, now: float) -> tuple[Lease, list[Effect]]:
        """Take the slot that is offered. Twice gives the same lease. Raises `FleetError`."""
        ticket = self._register.require(ticket_id)
        if ticket.state is TicketState.CLAIMED:
            return self._lease(ticket, now), []
        if ticket.state is not TicketState.OFFERED:
            raise FleetError("not_offered", f"It is not the turn of this ticket; it is {ticket.state}.")
        worker = self.workers[ticket.worker]
        self.epoch += 1
        worker.epoch = ticket.epoch = self.epoch
        self._set(worker, WorkerState.LEASED, now)
        self._register.move(ticket, TicketState.CLAIMED)
        ticket.seen, ticket.reason = now, ""
        self._deadlines.cancel("claim", ticket.id)
        self._watch(ticket)
        lease = self._lease(ticket, now)
        return lease, [Grant(lease), Told(ticket.id)]

    def cancel(self, ticket_id: str, now: float) -> list[Effect]:
        """The holder leaves. A ticket that has ended stays as it is."""
        ticket = self._register.require(ticket_id)
        return self._end(ticket, TicketState.CANCELLED, "left", now) if ticket.state in PRESENT else []

    # --- workers ---

    def worker_starting(self, worker_id: str, now: float) -> list[Effect]:
        """An engine began to start a worker that `ScaleUp` asked for."""
        self._scaling.came()
        if worker_id not in self.workers:
            self.workers[worker_id] = Worker(worker_id, WorkerState.STARTING, now, heard=now)
        return []

    def scale_failed(self, now: float) -> list[Effect]:
        """An engine had no room; it is asked again later."""
        self._scaling.came()
        self._deadlines.set("scale", "", now + SCALE_RETRY_S)
        return []

    def worker_announced(
        self, worker_id: str, now: float, epoch: int = 0, ticket: str = "", session: str = ""
    ) -> list[Effect]:
        """A worker says that it is there, with the newest lease it saw and, while one runs, its session."""
        self.epoch = max(self.epoch, epoch)
        worker = self.workers.get(worker_id)
        if worker is None:
            worker = self.workers[worker_id] = Worker(worker_id, WorkerState.STARTING, now)
        self.heard(worker_id, now)
        if session or ticket:
            return self._busy_already(worker, epoch, ticket, session, now)
        if worker.state is WorkerState.STARTING:
            return self._free(worker, now)
        return []

    def heard(self, worker_id: str, now: float) -> None:
        """A heartbeat, or any other word: who has just said something else sends none."""
        if (worker := self.workers.get(worker_id)) is not None:
            worker.heard = now
            self._deadlines.set("heartbeat", worker_id, now + self.limits.heartbeat_lost)

    def taken(self, worker_id: str, epoch: int, session: str, now: float) -> list[Effect]:
        """The worker took a grant: its session exists."""
        self.heard(worker_id, now)
        worker = self.workers.get(worker_id)
        if worker is None or worker.epoch != epoch or worker.state is not WorkerState.LEASED:
            return []
        worker.session = session
        self._set(worker, WorkerState.BUSY, now)
        return [Told(worker.ticket)] if worker.ticket else []

    def freed(self, worker_id: str, epoch: int, now: float) -> list[Effect]:
        """The slot is free: the model has returned, its reset and its audit have run."""
        self.heard(worker_id, now)
        worker = self.workers.get(worker_id)
        if worker is None or worker.epoch != epoch or worker.state not in SERVING:
            return []
        if worker.state is WorkerState.BUSY:
            self.lengths.learn(now - worker.since)
        effects: list[Effect] = []
        ticket = self.tickets.get(worker.ticket)
        if ticket is not None and ticket.state is TicketState.CLAIMED and ticket.epoch == epoch:
            self._close(ticket, TicketState.EXPIRED, "over", now)
            effects.append(Told(ticket.id))
        return [*effects, *self._free(worker, now)]

    def worker_lost(self, worker_id: str, reason: str, now: float) -> list[Effect]:
        """A worker is gone. Its user goes to the head of the line."""
        worker = self.workers.pop(worker_id, None)
        if worker is None:
            return []
        self._ready.pop(worker_id, None)
        for kind in ("heartbeat", "drain", "idle"):
            self._deadlines.cancel(kind, worker_id)
        effects: list[Effect] = [Retire(worker_id, reason)]
        ticket = self.tickets.get(worker.ticket)
        if ticket is not None and ticket.state in (TicketState.OFFERED, TicketState.CLAIMED):
            self._to_head(ticket, "worker_lost", now)
            effects.append(Told(ticket.id))
        return [*effects, *self._offer(now), *self._scale(now)]

    def drain(self, worker_id: str, now: float, limit: float = 0.0) -> list[Effect]:
        """Give a worker no further session; after `limit` seconds end the one it has. Raises `FleetError`."""
        worker = self.workers.get(worker_id)
        if worker is None:
            raise FleetError("unknown_worker", f"No worker is called {worker_id[:80]!r}.")
        worker.draining = True
        if worker.state in (WorkerState.READY, WorkerState.STARTING):
            return self.worker_lost(worker_id, "drained", now)
        if worker.state is WorkerState.OFFERED:
            ticket = self.tickets[worker.ticket]
            self._to_head(ticket, "drained", now)
            return [Told(ticket.id), *self.worker_lost(worker_id, "drained", now)]
        if limit > 0:
            self._deadlines.set("drain", worker_id, now + limit)
        return []

    def drain_all(self, now: float, limit: float = 0.0) -> list[Effect]:
        """Take nobody new anywhere."""
        self._draining = True
        return [effect for worker_id in list(self.workers) for effect in self.drain(worker_id, now, limit)]

    def kick(self, worker_id: str, reason: str) -> list[Effect]:
        """End the session of a worker now. Raises `FleetError`."""
        worker = self.workers.get(worker_id)
        if worker is None or worker.state not in SERVING:
            raise FleetError("no_session", f"Worker {worker_id[:80]!r} has no session.")
        return [Revoke(worker_id, worker.epoch, reason)]

    def scale(self, low: int, high: int, now: float) -> list[Effect]:
        """Set how many workers there may be."""
        values = {**self.limits.__dict__, "workers_min": low, "workers_max": high}
        self.limits = FleetLimits(**values)
        return self._scale(now)

    # --- time ---

    def slept(self, now: float) -> None:
        """This process stood still, or its machine did: the silence of the others meanwhile says nothing."""
        for ticket in self.tickets.values():
            self.seen(ticket.id, now)
        for worker_id in self.workers:
            if self._deadlines.has("heartbeat", worker_id):
                self.heard(worker_id, now)

    def deadline(self) -> float | None:
        """When `tick` next has something to do."""
        return self._deadlines.next()

    def tick(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for kind, owner in self._deadlines.due(now):
            effects += _ON_TIME[kind](self, owner, now)
        return effects

    # --- inside: tickets ---

    def restore(self, ticket: Ticket, now: float) -> None:
        """Take over a ticket that a store remembers; its holder has the usual time to be heard of."""
        ticket.seen, ticket.watchers = now, 0
        ticket.joined = min(ticket.joined, now)  # another boot's clock
        if ticket.state is TicketState.OFFERED:
            ticket.state, ticket.worker = TicketState.WAITING, ""
        waits = ticket.state is TicketState.WAITING
        ticket.order = self.line.remember(ticket.id, ticket.order, waits=waits)
        if ticket.state in PRESENT:
            self._add(ticket)
        if ticket.state is TicketState.CLAIMED:
            self._deadlines.set("adopt", ticket.id, now + self.limits.heartbeat_lost)

    def _add(self, ticket: Ticket) -> None:
        self._register.add(ticket)
        self._watch(ticket)

    def _watch(self, ticket: Ticket) -> None:
        """Give up a ticket whose holder is silent; one that plays is its worker's affair."""
        silent = ticket.state in (TicketState.WAITING, TicketState.OFFERED) and not ticket.watchers
        if silent:
            self._deadlines.set("poll", ticket.id, ticket.seen + self.limits.poll_loss)
        else:
            self._deadlines.cancel("poll", ticket.id)

    def _to_head(self, ticket: Ticket, reason: str, now: float) -> None:
        ticket.order = self.line.join_at_head(ticket.id)
        ticket.worker, ticket.reason, ticket.seen = "", reason, now
        self._deadlines.cancel("claim", ticket.id)
        self._register.move(ticket, TicketState.WAITING)
        self._watch(ticket)

    def _end(self, ticket: Ticket, state: TicketState, reason: str, now: float) -> list[Effect]:
        """A ticket stops standing for anybody; what it held goes on to the next one."""
        worker = self.workers.get(ticket.worker)
        before = ticket.state
        self._close(ticket, state, reason, now)
        effects: list[Effect] = [Told(ticket.id)]
        if worker is None:
            return effects
        if before is TicketState.OFFERED:
            return [*effects, *self._free(worker, now)]
        return [*effects, Revoke(worker.id, worker.epoch, reason)]

    def _close(self, ticket: Ticket, state: TicketState, reason: str, now: float) -> None:
        self.line.leave(ticket.id, ticket.order)
        self._register.move(ticket, state)
        ticket.reason = reason
        for kind in ("poll", "claim", "adopt"):
            self._deadlines.cancel(kind, ticket.id)
        self._register.release(ticket)
        self._deadlines.set("forget", ticket.id, now + KEEP_ENDED_S)

    # --- inside: workers ---

    def _set(self, worker: Worker, state: WorkerState, now: float) -> None:
        worker.state, worker.since = state, now
        if state is WorkerState.READY:
            self._ready[worker.id] = None
            self._deadlines.set("idle", worker.id, now + self.limits.idle)
        else:
            self._ready.pop(worker.id, None)
            self._deadlines.cancel("idle", worker.id)

    def _free(self, worker: Worker, now: float) -> list[Effect]:
        worker.ticket = worker.session = ""
        if worker.draining:
            return self.worker_lost(worker.id, "drained", now)
        self._set(worker, WorkerState.READY, now)
        return self._offer(now)

    def _busy_already(
        self, worker: Worker, epoch: int, ticket_id: str, session: str, now: float
    ) -> list[Effect]:
        """A worker serves a session: the gateway was restarted, or the worker was taken for lost."""
        known = worker.epoch == epoch and worker.state in SERVING
        ticket = self.tickets.get(ticket_id)
        if known:
            return self.taken(worker.id, epoch, session, now)
        if worker.state in IN_USE and worker.epoch > epoch:
            # An old report on its way while a newer grant is.
            return []
        worker.epoch, worker.session, worker.ticket = epoch, session, ticket_id
        self._set(worker, WorkerState.BUSY, now)
        if ticket is not None and ticket.state is TicketState.CLAIMED and ticket.epoch == epoch:
            ticket.worker = worker.id
            return [Told(ticket.id)]
        worker.ticket = ""
        if ticket is None:
            # Nobody else was given its place meanwhile: its user plays on.
            return []
        return [Revoke(worker.id, epoch, "worker_lost")]

    def _offer(self, now: float) -> list[Effect]:
        """Bring together who waits and what is free."""
        effects: list[Effect] = []
        while self._ready and (head := self.line.head) is not None:
            worker = self.workers[next(iter(self._ready))]
            ticket = self.tickets[head]
            self.line.leave(ticket.id, ticket.order)
            ticket.worker, worker.ticket = worker.id, ticket.id
            ticket.claim_by = now + self.limits.claim
            self._set(worker, WorkerState.OFFERED, now)
            self._register.move(ticket, TicketState.OFFERED)
            self._deadlines.set("claim", ticket.id, ticket.claim_by)
            self._watch(ticket)
            effects.append(Told(ticket.id))
        return effects

    def _lease(self, ticket: Ticket, now: float) -> Lease:
        cap = self.limits.session_cap
        return Lease(ticket.worker, ticket.epoch, ticket.id, now + cap if cap else 0.0, cap, ticket.address)

    # --- inside: how many workers ---

    def _scale(self, now: float) -> list[Effect]:
        """Ask for what is missing to the minimum; for one more when the head has waited long enough."""
        if self._draining:
            return []
        head = self.tickets.get(self.line.head or "")
        wanted, again = self._scaling.ask(self.limits, self.workers.values(), head, len(self.line), now)
        if again is not None:
            self._deadlines.set("scale", "", again)
        return [ScaleUp()] * wanted

    # --- inside: what time does ---

    def _not_adopted(self, owner: str, now: float) -> list[Effect]:
        """After a restart, no worker has said that it serves this ticket."""
        ticket = self.tickets[owner]
        worker = self.workers.get(ticket.worker)
        if ticket.state is not TicketState.CLAIMED or (worker is not None and worker.epoch == ticket.epoch):
            return []
        self._to_head(ticket, "worker_lost", now)
        return [Told(owner), *self._offer(now), *self._scale(now)]

    def _drain_over(self, owner: str, now: float) -> list[Effect]:
        worker = self.workers.get(owner)
        return [] if worker is None else [Revoke(owner, worker.epoch, "drained")]

    def _idle_over(self, owner: str, now: float) -> list[Effect]:
        if len(self.workers) <= self.limits.workers_min:
            self._deadlines.set("idle", owner, now + self.limits.idle)
            return []
        return self.worker_lost(owner, "idle", now)

    def _forget(self, owner: str, now: float) -> list[Effect]:
        self._register.forget(owner)
        return []


_ON_TIME: dict[str, Callable[[Broker, str, float], list[Effect]]] = {
    "poll": lambda self, owner, now: self._end(self.tickets[owner], TicketState.EXPIRED, "silent", now),
    "claim": lambda self, owner, now: self._end(self.tickets[owner], TicketState.EXPIRED, "not_claimed", now),
    "adopt": Broker._not_adopted,
    "heartbeat": lambda self, owner, now: self.worker_lost(owner, "silent", now),
    "drain": Broker._drain_over,
    "idle": Broker._idle_over,
    "scale": lambda self, _, now: self._scale(now),
    "forget": Broker._forget,
}
