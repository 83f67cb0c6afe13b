"""The rules of the broker, one by one; `test_broker_machine.py` tries them in any order."""

from __future__ import annotations

import pytest

from reactor_runtime.errors import FleetError
from reactor_runtime.fleet.broker import Broker
from reactor_runtime.fleet.effects import Effect, Grant, Retire, Revoke, ScaleUp, Told
from reactor_runtime.fleet.limits import FleetLimits
from reactor_runtime.fleet.records import Ticket, TicketState, WorkerState


def fleet(workers: int = 1, **limits: float) -> Broker:
    broker = Broker(FleetLimits(workers_min=0, workers_max=workers, **limits))  # type: ignore[arg-type]  # numbers
    for number in range(workers):
        broker.worker_announced(f"w{number}", 0.0)
    return broker


def join(broker: Broker, name: str, now: float = 0.0) -> Ticket:
    return broker.join(f"t-{name}", name, f"address-{name}", now)[0]


def claimed(broker: Broker, name: str, now: float = 0.0) -> Ticket:
    ticket = join(broker, name, now)
    lease, _ = broker.claim(ticket.id, now)
    broker.taken(lease.worker, lease.epoch, f"s-{name}", now)
    return ticket


def only(kind: type[Effect], effects: list[Effect]) -> list[Effect]:
    return [effect for effect in effects if isinstance(effect, kind)]


def test_a_free_slot_is_offered_at_once_and_granted_on_the_claim() -> None:
    broker = fleet()
    ticket = join(broker, "ada")
    assert broker.place(ticket.id, 0.0).state is TicketState.OFFERED
    lease, effects = broker.claim(ticket.id, 1.0)
    assert only(Grant, effects) == [Grant(lease)]
    assert (lease.worker, lease.epoch, lease.ticket) == ("w0", 1, ticket.id)


def test_nothing_is_granted_before_the_claim() -> None:
    broker = fleet()
    _, effects = broker.join("t", "ada", "here", 0.0)
    assert only(Grant, effects) == []


def test_claiming_twice_gives_the_same_lease() -> None:
    broker = fleet()
    ticket = join(broker, "ada")
    first, _ = broker.claim(ticket.id, 0.0)
    second, effects = broker.claim(ticket.id, 0.0)
    assert (second, effects) == (first, [])


def test_who_waits_may_not_claim() -> None:
    broker = fleet()
    join(broker, "ada")
    with pytest.raises(FleetError) as refused:
        broker.claim(join(broker, "bob").id, 0.0)
    assert refused.value.code == "not_offered"


def test_one_ticket_per_user() -> None:
    broker = fleet()
    assert join(broker, "ada") is join(broker, "ada")


def test_the_next_one_is_offered_what_is_freed() -> None:
    broker = fleet()
    ada, bob, eve = claimed(broker, "ada"), join(broker, "bob"), join(broker, "eve")
    assert [broker.place(t.id, 0.0).position for t in (bob, eve)] == [1, 2]
    effects = broker.freed("w0", ada.epoch, 60.0)
    assert ada.state is TicketState.EXPIRED
    assert bob.state is TicketState.OFFERED
    assert Told(bob.id) in effects
    assert broker.place(eve.id, 60.0).position == 1


def test_a_report_about_an_older_lease_does_nothing() -> None:
    broker = fleet()
    ada = claimed(broker, "ada")
    first = ada.epoch
    broker.freed("w0", first, 1.0)
    bob = claimed(broker, "bob", 2.0)
    assert broker.freed("w0", first, 3.0) == []
    assert broker.workers["w0"].state is WorkerState.BUSY
    assert bob.epoch > first


def test_a_claim_that_does_not_come_passes_the_slot_on() -> None:
    broker = fleet(claim=45.0, heartbeat_lost=1e9)
    ada, bob = join(broker, "ada"), join(broker, "bob")
    broker.watch(ada.id, 1, 0.0)
    broker.watch(bob.id, 1, 0.0)
    broker.tick(44.9)
    assert ada.state is TicketState.OFFERED
    broker.tick(45.0)
    assert (ada.state, ada.reason, bob.state) == (TicketState.EXPIRED, "not_claimed", TicketState.OFFERED)


def test_silence_gives_a_place_up_and_an_open_stream_keeps_it() -> None:
    broker = fleet(workers=0)
    ada, bob = join(broker, "ada"), join(broker, "bob")
    broker.watch(bob.id, 1, 0.0)
    broker.tick(30.0)
    assert (ada.state, ada.reason, bob.state) == (TicketState.EXPIRED, "silent", TicketState.WAITING)
    broker.watch(bob.id, -1, 40.0)
    broker.seen(bob.id, 60.0)
    broker.tick(89.0)
    assert bob.state is TicketState.WAITING
    broker.tick(90.0)
    assert bob.state is TicketState.EXPIRED


def test_a_lost_worker_sends_its_user_to_the_head() -> None:
    broker = fleet(workers=1)
    ada, bob = claimed(broker, "ada"), join(broker, "bob", 1.0)
    effects = broker.worker_lost("w0", "ended", 5.0)
    assert only(Retire, effects)
    assert (ada.state, ada.reason) == (TicketState.WAITING, "worker_lost")
    assert [broker.place(t.id, 5.0).position for t in (ada, bob)] == [1, 2]
    broker.worker_announced("w1", 6.0)
    assert ada.state is TicketState.OFFERED


def test_why_there_is_another_session_is_told_until_it_is_claimed() -> None:
    """Where a worker is free already there is no time in the line in which it could be read."""
    broker = fleet(workers=2)
    ada = claimed(broker, "ada")
    broker.worker_lost("w0", "ended", 5.0)
    assert (ada.state, broker.place(ada.id, 5.0).reason) == (TicketState.OFFERED, "worker_lost")
    broker.claim(ada.id, 6.0)
    assert broker.place(ada.id, 6.0).reason == ""


def test_a_silent_worker_is_lost_after_six_seconds() -> None:
    broker = fleet()
    ada = claimed(broker, "ada")
    broker.heard("w0", 2.0)
    broker.tick(7.9)
    assert ada.state is TicketState.CLAIMED
    broker.tick(8.0)
    assert ada.state is TicketState.WAITING
    assert "w0" not in broker.workers


def test_a_worker_with_short_sessions_is_not_silent() -> None:
    """It sends a heartbeat in every silence of two seconds: who says more often what happens sends none."""
    broker, now = fleet(), 0.0
    for number in range(8):
        claimed(broker, str(number), now)
        for _ in range(2):
            now += 0.9
            broker.tick(now)
            assert "w0" in broker.workers, f"taken for lost after {now:.1f} s"
        broker.freed("w0", number + 1, now)
    assert only(Retire, broker.tick(now + 5.9)) == []
    assert only(Retire, broker.tick(now + 6.0)) != []


def test_a_worker_that_was_taken_for_lost_is_told_that_its_lease_is_over() -> None:
    broker = fleet()
    ada = claimed(broker, "ada")
    epoch = ada.epoch
    broker.tick(20.0)
    effects = broker.worker_announced("w0", 21.0, epoch, ada.id, "s-ada")
    assert effects == [Revoke("w0", epoch, "worker_lost")]
    assert ada.state is TicketState.WAITING, "its slot is not free before it says so"
    broker.freed("w0", epoch, 22.0)
    assert ada.state is TicketState.OFFERED


def test_after_a_restart_workers_announce_what_runs() -> None:
    before = fleet()
    ada = claimed(before, "ada")
    after = Broker(before.limits)
    assert after.worker_announced("w0", 100.0, ada.epoch, ada.id, "s-ada") == []
    assert after.workers["w0"].state is WorkerState.BUSY
    assert after.epoch == ada.epoch
    bob = join(after, "bob", 101.0)
    assert bob.state is TicketState.WAITING
    after.freed("w0", ada.epoch, 102.0)
    lease, _ = after.claim(bob.id, 103.0)
    assert lease.epoch > ada.epoch


def test_with_a_store_tickets_survive_a_restart() -> None:
    before = fleet()
    ada, bob = claimed(before, "ada"), join(before, "bob")
    after = Broker(before.limits, before.epoch)
    for ticket in (ada, bob):
        after.restore(ticket, 100.0)
    assert after.worker_announced("w0", 101.0, ada.epoch, ada.id, "s-ada") == [Told(ada.id)]
    assert (ada.state, ada.worker) == (TicketState.CLAIMED, "w0")
    after.freed("w0", ada.epoch, 102.0)
    assert bob.state is TicketState.OFFERED


def test_a_restored_ticket_whose_worker_is_gone_goes_to_the_head() -> None:
    before = fleet(workers=1)
    ada, bob = claimed(before, "ada"), join(before, "bob")
    after = Broker(before.limits, before.epoch)
    for ticket in (ada, bob):
        after.restore(ticket, 100.0)
        after.watch(ticket.id, 1, 100.0)
    after.tick(105.9)
    assert ada.state is TicketState.CLAIMED
    after.tick(106.0)
    assert (ada.state, ada.reason) == (TicketState.WAITING, "worker_lost")
    assert [after.place(t.id, 106.0).position for t in (ada, bob)] == [1, 2]


def test_who_played_over_a_restart_and_leaves_takes_no_newcomer_out_of_the_line() -> None:
    before = fleet()
    ada = claimed(before, "ada")
    after = Broker(before.limits, before.epoch)
    after.restore(ada, 100.0)
    after.worker_announced("w0", 100.0, ada.epoch, ada.id, "s-ada")
    bob = join(after, "bob", 101.0)
    assert Revoke("w0", ada.epoch, "left") in after.cancel(ada.id, 102.0)
    assert (bob.state, after.place(bob.id, 102.0).position) == (TicketState.WAITING, 1)
    after.freed("w0", ada.epoch, 103.0)
    assert bob.state is TicketState.OFFERED


def test_leaving_frees_the_place_the_offer_and_the_slot() -> None:
    broker = fleet()
    ada, bob = join(broker, "ada"), join(broker, "bob")
    broker.cancel(ada.id, 1.0)
    assert (ada.state, bob.state) == (TicketState.CANCELLED, TicketState.OFFERED)
    lease, _ = broker.claim(bob.id, 2.0)
    assert Revoke("w0", lease.epoch, "left") in broker.cancel(bob.id, 3.0)
    assert broker.workers["w0"].state is not WorkerState.READY
    broker.freed("w0", lease.epoch, 4.0)
    assert broker.workers["w0"].state is WorkerState.READY


def test_limits_are_refusals_with_a_code() -> None:
    broker = fleet(workers=0, queue=9)
    for number in range(8):
        broker.join(f"t{number}", f"u{number}", "one", 0.0)
    with pytest.raises(FleetError) as refused:
        broker.join("t8", "u8", "one", 0.0)
    assert refused.value.code == "too_many_tickets"
    broker.join("t9", "u9", "two", 0.0)
    with pytest.raises(FleetError) as refused:
        broker.join("t10", "u10", "three", 0.0)
    assert refused.value.code == "queue_full"
    broker.cancel("t0", 1.0)
    broker.join("t8", "u8", "one", 2.0)


def test_draining_finishes_what_runs_and_takes_nobody_new() -> None:
    broker = fleet(workers=2, heartbeat_lost=1e9)
    ada = claimed(broker, "ada")
    bob = join(broker, "bob")
    effects = broker.drain_all(1.0, limit=10.0)
    assert bob.state is TicketState.WAITING
    assert [effect.worker for effect in only(Retire, effects)] == ["w1"]  # type: ignore[union-attr]  # Retire
    with pytest.raises(FleetError) as refused:
        join(broker, "eve", 2.0)
    assert refused.value.code == "draining"
    assert broker.tick(11.0) == [Revoke("w0", ada.epoch, "drained")]
    assert only(Retire, broker.freed("w0", ada.epoch, 12.0))
    assert broker.workers == {}


def test_the_minimum_is_started_and_one_more_when_the_head_has_waited() -> None:
    broker = Broker(FleetLimits(workers_min=1, workers_max=2, scale_after=10.0))
    assert broker.scale(1, 2, 0.0) == [ScaleUp()]
    broker.worker_starting("w0", 0.0)
    broker.worker_announced("w0", 5.0)
    claimed(broker, "ada", 5.0)
    bob = join(broker, "bob", 6.0)
    broker.watch(bob.id, 1, 6.0)
    for now in (8.0, 10.0, 12.0, 14.0):
        broker.heard("w0", now)
    assert only(ScaleUp, broker.tick(15.9)) == []
    assert only(ScaleUp, broker.tick(16.0)) == [ScaleUp()]
    broker.worker_starting("w1", 16.0)
    broker.heard("w0", 18.0)
    broker.heard("w0", 22.0)
    assert only(ScaleUp, broker.tick(26.0)) == [], "one is on its way"


def test_an_idle_worker_over_the_minimum_is_retired() -> None:
    broker = Broker(FleetLimits(workers_min=1, workers_max=2, idle=300.0, heartbeat_lost=1e9))
    broker.worker_announced("w0", 0.0)
    broker.worker_announced("w1", 1.0)
    assert only(Retire, broker.tick(299.0)) == []
    assert len(only(Retire, broker.tick(302.0))) == 1
    assert only(Retire, broker.tick(10_000.0)) == []
    assert len(broker.workers) == 1


def test_what_is_estimated_comes_from_the_sessions_before() -> None:
    broker = fleet(workers=2)
    for name in ("ada", "bob"):
        claimed(broker, name)
    waits = [join(broker, name) for name in ("c", "d", "e")]
    assert broker.place(waits[0].id, 0.0).eta_s is None
    broker.freed("w0", 1, 100.0)
    assert [broker.place(t.id, 100.0).eta_s for t in waits[1:]] == [50.0, 100.0]


def test_an_ended_ticket_is_remembered_for_a_while() -> None:
    broker = fleet()
    ada = join(broker, "ada")
    broker.cancel(ada.id, 0.0)
    broker.tick(200.0)
    assert broker.place(ada.id, 200.0).state is TicketState.CANCELLED
    broker.tick(301.0)
    with pytest.raises(FleetError) as refused:
        broker.place(ada.id, 301.0)
    assert refused.value.code == "unknown_ticket"


def test_a_worker_that_is_lost_while_it_is_free_is_offered_to_nobody() -> None:
    broker = fleet(workers=2)
    assert broker.worker_lost("w0", "ended", 1.0) == [Retire("w0", "ended")]
    ada, bob = join(broker, "ada", 1.0), join(broker, "bob", 1.0)
    assert broker.claim(ada.id, 1.0)[0].worker == "w1"
    assert bob.state is TicketState.WAITING
    assert broker.worker_lost("w0", "ended", 1.0) == [], "once"


def test_a_grant_is_taken_once_and_by_the_worker_that_has_it() -> None:
    broker = fleet()
    lease, _ = broker.claim(join(broker, "ada").id, 0.0)
    assert broker.taken("nobody", lease.epoch, "s", 0.0) == []
    assert broker.taken("w0", lease.epoch - 1, "s", 0.0) == []
    assert broker.workers["w0"].state is WorkerState.LEASED
    assert broker.taken("w0", lease.epoch, "s", 0.0) == [Told("t-ada")]
    assert broker.taken("w0", lease.epoch, "another", 0.0) == []
    assert broker.workers["w0"].session == "s"


def test_a_worker_with_a_lease_whose_session_has_not_begun_is_not_free() -> None:
    broker = fleet(workers=0)
    broker.worker_announced("w0", 0.0, epoch=4, ticket="t-old")
    assert join(broker, "ada").state is TicketState.WAITING
    assert broker.epoch == 4


def test_who_has_ended_is_neither_heard_again_nor_sent_to_the_head() -> None:
    broker = fleet()
    ada = claimed(broker, "ada")
    broker.cancel(ada.id, 1.0)
    ended = (ada.state, ada.reason)
    assert broker.seen(ada.id, 2.0) == []
    assert only(Told, broker.worker_lost("w0", "ended", 2.0)) == []
    assert (ada.state, ada.reason) == ended
    assert only(Told, broker.tick(1e4)) == []


def test_who_slept_takes_nobody_for_silent() -> None:
    broker = fleet(queue=5)
    bob, ada = claimed(broker, "bob"), join(broker, "ada")
    broker.slept(1e3)
    broker.tick(1e3)
    assert (bob.state, ada.state) == (TicketState.CLAIMED, TicketState.WAITING)
    assert broker.workers["w0"].state is WorkerState.BUSY
    broker.tick(1e3 + 6)
    assert "w0" not in broker.workers


@pytest.mark.parametrize("worker", ["w0", "nobody"])
def test_only_a_session_can_be_ended(worker: str) -> None:
    broker = fleet()
    with pytest.raises(FleetError) as refused:
        broker.kick(worker, "enough")
    assert refused.value.code == "no_session"
    ada = claimed(broker, "ada")
    assert broker.kick("w0", "enough") == [Revoke("w0", ada.epoch, "enough")]


def test_the_next_deadline_is_the_earliest() -> None:
    broker = fleet(claim=3.0, heartbeat_lost=1e9)
    join(broker, "ada")
    assert broker.deadline() == 3.0
