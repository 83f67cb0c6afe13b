"""The broker at the edges of its rules: what is due when, what is undone, and what changes nothing."""

from __future__ import annotations

import pytest
from tests.fleet.test_broker import claimed, fleet, join, only

from reactor_runtime.errors import FleetError
from reactor_runtime.fleet.broker import Broker
from reactor_runtime.fleet.effects import Retire, Revoke, ScaleUp, Told
from reactor_runtime.fleet.limits import (
    HEARTBEAT_LOST_S,
    KEEP_ENDED_S,
    POLL_LOSS_S,
    SCALE_RETRY_S,
    FleetLimits,
)
from reactor_runtime.fleet.records import Lease, Ticket, TicketState, WorkerState


def test_after_a_start_that_failed_the_next_one_is_tried_later() -> None:
    broker = Broker(FleetLimits(workers_min=1, workers_max=1))
    assert broker.scale(1, 1, 0.0) == [ScaleUp()]
    assert broker.scale_failed(5.0) == []
    assert broker.deadline() == 5.0 + SCALE_RETRY_S
    assert broker.tick(5.0 + SCALE_RETRY_S) == [ScaleUp()]


def test_a_worker_is_announced_once_and_is_heard_with_it() -> None:
    broker = fleet(workers=0)
    assert broker.worker_starting("w0", 0.0) == []
    assert broker.worker_announced("w0", 1.0) == []
    assert broker.deadline() == 1.0 + HEARTBEAT_LOST_S
    assert broker.worker_announced("w0", 2.0) == []
    assert broker.deadline() == 2.0 + HEARTBEAT_LOST_S
    assert join(broker, "ada").worker == "w0"


def test_who_takes_a_grant_is_heard_with_it() -> None:
    broker = fleet()
    lease, _ = broker.claim(join(broker, "ada").id, 5.0)
    broker.taken("w0", lease.epoch, "s", 5.0)
    assert broker.tick(5.0 + HEARTBEAT_LOST_S - 0.1) == []
    assert only(Retire, broker.tick(5.0 + HEARTBEAT_LOST_S)) == [Retire("w0", "silent")]


def test_an_offer_whose_worker_is_lost_is_not_missed_by_its_user() -> None:
    """It waits again, and for as long as it is heard of."""
    broker = fleet(claim=5.0)
    ada = join(broker, "ada")
    broker.watch(ada.id, 1, 0.0)
    assert Told(ada.id) in broker.worker_lost("w0", "ended", 1.0)
    assert broker.tick(6.0) == []
    assert ada.state is TicketState.WAITING


def test_who_lost_a_worker_and_is_silent_is_given_up_like_others() -> None:
    broker = fleet()
    ada = claimed(broker, "ada")
    broker.worker_lost("w0", "ended", 10.0)
    broker.tick(10.0 + POLL_LOSS_S - 0.1)
    assert ada.state is TicketState.WAITING
    broker.tick(10.0 + POLL_LOSS_S)
    assert (ada.state, ada.reason) == (TicketState.EXPIRED, "silent")


def test_who_plays_is_not_given_up_for_a_silence_in_the_line() -> None:
    broker = fleet()
    ada = claimed(broker, "ada")
    for second in range(2, int(2 * POLL_LOSS_S)):
        broker.heard("w0", float(second))
        assert only(Revoke, broker.tick(float(second))) == []
    assert ada.state is TicketState.CLAIMED


@pytest.mark.parametrize(("cap", "deadline"), [(60.0, 67.0), (0.0, 0.0)])
def test_a_lease_says_how_long_and_for_whom(cap: float, deadline: float) -> None:
    broker = fleet(session_cap=cap)
    lease, _ = broker.claim(join(broker, "ada").id, 7.0)
    assert lease == Lease("w0", 1, "t-ada", deadline, cap, "address-ada")


def test_whose_turn_it_is_sees_how_long() -> None:
    broker = fleet(claim=45.0)
    ada, bob = join(broker, "ada", 1.0), join(broker, "bob", 1.0)
    assert broker.place(ada.id, 11.0).claim_in_s == 35.0
    assert broker.place(ada.id, 99.0).claim_in_s == 0.0
    assert broker.place(bob.id, 11.0).claim_in_s is None
    assert broker.place(ada.id, 11.0).position == 0


def test_an_offer_of_a_worker_that_drains_goes_back_to_the_head() -> None:
    broker = fleet(claim=5.0)
    ada, bob = join(broker, "ada"), join(broker, "bob")
    effects = broker.drain("w0", 1.0)
    assert effects[:2] == [Told(ada.id), Retire("w0", "drained")]
    assert (ada.state, ada.worker, ada.reason) == (TicketState.WAITING, "", "drained")
    assert [broker.place(each.id, 1.0).position for each in (ada, bob)] == [1, 2]
    assert broker.workers == {}
    with pytest.raises(FleetError) as refused:
        broker.drain("w0", 1.0)
    assert refused.value.code == "unknown_worker"


def test_a_worker_that_serves_nobody_leaves_at_once_when_it_drains() -> None:
    broker = fleet(workers=1)
    broker.worker_starting("w1", 0.0)
    assert [broker.drain(worker, 1.0) for worker in ("w0", "w1")] == [
        [Retire("w0", "drained")],
        [Retire("w1", "drained")],
    ]


def test_without_a_limit_a_session_of_a_worker_that_drains_goes_on() -> None:
    broker = fleet(heartbeat_lost=1e9)
    ada = claimed(broker, "ada")
    broker.watch(ada.id, 1, 0.5)
    assert broker.drain("w0", 1.0) == []
    assert broker.tick(1e6) == []
    assert broker.freed("w0", ada.epoch, 1e6) == [Told(ada.id), Retire("w0", "drained")]


def restored(state: TicketState, joined: float = 0.0) -> tuple[Broker, Ticket]:
    broker = fleet(workers=0)
    ticket = Ticket("t", "ada", "here", joined, order=-3, state=state, watchers=2, worker="w0", epoch=4)
    broker.restore(ticket, 50.0)
    return broker, ticket


@pytest.mark.parametrize("state", [TicketState.WAITING, TicketState.OFFERED])
def test_who_waited_or_had_an_offer_before_a_restart_waits_at_its_old_place(state: TicketState) -> None:
    broker, ticket = restored(state, joined=1e6)
    assert (ticket.state, ticket.joined, ticket.watchers) == (TicketState.WAITING, 50.0, 0)
    later = join(broker, "bob", 51.0)
    assert [broker.place(each.id, 51.0).position for each in (ticket, later)] == [1, 2]
    broker.tick(50.0 + POLL_LOSS_S)
    assert (ticket.state, later.state) == (TicketState.EXPIRED, TicketState.WAITING)


def test_who_played_before_a_restart_does_not_stand_in_line_until_its_worker_is_missed() -> None:
    broker, ticket = restored(TicketState.CLAIMED, joined=20.0)
    assert (ticket.joined, len(broker.line)) == (20.0, 0)
    assert broker.join("other", "ada", "here", 51.0)[0] is ticket
    broker.tick(50.0 + HEARTBEAT_LOST_S - 0.1)
    assert ticket.state is TicketState.CLAIMED
    broker.tick(50.0 + HEARTBEAT_LOST_S)
    assert (ticket.state, len(broker.line)) == (TicketState.WAITING, 1)


@pytest.mark.parametrize("state", [TicketState.EXPIRED, TicketState.CANCELLED])
def test_who_had_ended_before_a_restart_has_no_place(state: TicketState) -> None:
    broker, ticket = restored(state)
    assert broker.tickets == {}
    assert broker.join("new", "ada", "here", 51.0)[0] is not ticket


def test_an_old_report_takes_no_offer_back() -> None:
    """On its way while a newer grant is: the worker is the newer one's."""
    broker = fleet()
    ada = claimed(broker, "ada")
    broker.freed("w0", ada.epoch, 1.0)
    bob = claimed(broker, "bob", 2.0)
    assert broker.worker_announced("w0", 3.0, ada.epoch, ada.id, "s-ada") == []
    assert (broker.workers["w0"].session, broker.workers["w0"].epoch) == ("s-bob", bob.epoch)
    assert broker.epoch == bob.epoch
    assert broker.cancel(bob.id, 4.0) == [Told(bob.id), Revoke("w0", bob.epoch, "left")]


def test_a_worker_that_is_granted_and_says_so_by_announcing_itself_plays() -> None:
    broker = fleet()
    lease, _ = broker.claim(join(broker, "ada").id, 1.0)
    assert broker.worker_announced("w0", 2.0, lease.epoch, lease.ticket, "s") == [Told(lease.ticket)]
    assert broker.workers["w0"].state is WorkerState.BUSY


def test_who_is_freed_before_its_session_began_teaches_nothing_about_lengths() -> None:
    broker = fleet()
    lease, _ = broker.claim(join(broker, "ada").id, 0.0)
    broker.freed("w0", lease.epoch, 50.0)
    assert broker.lengths.mean_s == 0.0
    assert broker.workers["w0"].state is WorkerState.READY


def test_a_ticket_that_is_unknown_or_has_ended_is_not_heard() -> None:
    broker = fleet()
    ada = join(broker, "ada", 1.0)
    broker.cancel(ada.id, 2.0)
    for ticket in (ada.id, "nobody"):
        assert broker.seen(ticket, 3.0) == []
        broker.watch("nobody", 1, 3.0)
    assert ada.seen == 1.0


@pytest.mark.parametrize("epoch", [0, 4])
def test_a_worker_that_serves_somebody_unknown_is_not_free(epoch: int) -> None:
    broker = fleet(workers=0)
    assert broker.worker_announced("w0", 0.0, epoch, session="s") == []
    assert (broker.workers["w0"].state, broker.workers["w0"].session) == (WorkerState.BUSY, "s")


def test_a_slot_that_is_freed_twice_is_offered_once() -> None:
    """An offer has no epoch of its own: the second report bears the one that the worker still has."""
    broker = fleet()
    ada, bob = claimed(broker, "ada"), join(broker, "bob")
    assert broker.freed("w0", ada.epoch, 1.0) == [Told(ada.id), Told(bob.id)]
    assert broker.freed("w0", ada.epoch, 1.0) == []
    assert (bob.state, broker.workers["w0"].ticket) == (TicketState.OFFERED, bob.id)
    assert broker.freed("nobody", 0, 1.0) == []


def test_a_slot_whose_user_has_left_is_freed_without_another_word() -> None:
    broker = fleet()
    ada = claimed(broker, "ada")
    broker.cancel(ada.id, 1.0)
    assert broker.freed("w0", ada.epoch, 2.0) == []
    assert (ada.state, ada.reason) == (TicketState.CANCELLED, "left")


@pytest.mark.parametrize("busy", [True, False])
def test_of_a_worker_that_is_lost_nothing_is_due_any_more(busy: bool) -> None:
    broker = fleet()
    if busy:
        broker.cancel(claimed(broker, "ada").id, 0.0)
        broker.drain("w0", 0.0, limit=60.0)
    broker.worker_lost("w0", "ended", 1.0)
    broker.tick(KEEP_ENDED_S)
    assert broker.deadline() is None


def test_who_plays_need_not_be_heard_of() -> None:
    broker = fleet(heartbeat_lost=1e9)
    ada = claimed(broker, "ada")
    broker.seen(ada.id, 1.0)
    assert broker.tick(1e6) == []
    assert ada.state is TicketState.CLAIMED


def test_a_worker_that_comes_back_is_not_given_the_user_who_plays_elsewhere() -> None:
    broker = fleet(workers=2)
    ada = claimed(broker, "ada")
    broker.worker_lost("w0", "silent", 5.0)
    second, _ = broker.claim(ada.id, 6.0)
    assert broker.worker_announced("w0", 7.0, 1, ada.id, "s-ada") == [Revoke("w0", 1, "worker_lost")]
    assert (second.worker, ada.worker, ada.epoch) == ("w1", "w1", second.epoch)


def test_a_worker_is_believed_about_a_lease_that_is_newer_than_ours() -> None:
    """Another gateway gave it."""
    broker = fleet()
    claimed(broker, "ada")
    assert broker.worker_announced("w0", 1.0, 4, "t-other", "s-other") == []
    worker = broker.workers["w0"]
    assert (worker.epoch, worker.session, broker.epoch) == (4, "s-other", 4)


def test_who_asks_for_a_place_again_is_heard_with_it() -> None:
    broker = fleet(workers=0)
    ada = join(broker, "ada", 0.0)
    assert join(broker, "ada", 20.0) is ada
    broker.tick(POLL_LOSS_S)
    assert ada.state is TicketState.WAITING
    broker.tick(20.0 + POLL_LOSS_S)
    assert ada.state is TicketState.EXPIRED


def test_a_worker_that_has_not_come_yet_is_not_missed_by_who_slept() -> None:
    broker = fleet(workers=0)
    broker.worker_starting("w0", 0.0)
    broker.slept(1e3)
    assert broker.deadline() is None


def test_how_many_workers_there_may_be_changes_no_other_number() -> None:
    broker = fleet(claim=7.0, queue=3)
    before = broker.limits
    broker.scale(2, 4, 0.0)
    assert (broker.limits.workers_min, broker.limits.workers_max) == (2, 4)
    assert (broker.limits.claim, broker.limits.queue, broker.limits.idle) == (7.0, 3, before.idle)


def test_a_start_that_is_told_late_forgets_nothing_of_a_worker_that_is_there() -> None:
    broker = fleet()
    ada = claimed(broker, "ada")
    assert broker.worker_starting("w0", 1.0) == []
    worker = broker.workers["w0"]
    assert (worker.state, worker.epoch, worker.session) == (WorkerState.BUSY, ada.epoch, "s-ada")


def test_a_worker_that_says_once_more_that_it_is_there_keeps_its_offer() -> None:
    broker = fleet()
    ada = join(broker, "ada")
    assert broker.worker_announced("w0", 1.0) == []
    assert join(broker, "bob", 2.0).state is TicketState.WAITING
    assert (broker.workers["w0"].state, broker.workers["w0"].ticket) == (WorkerState.OFFERED, ada.id)


def test_nothing_of_a_session_stays_with_the_worker_that_is_free() -> None:
    broker = fleet()
    broker.freed("w0", claimed(broker, "ada").epoch, 1.0)
    worker = broker.workers["w0"]
    assert (worker.state, worker.ticket, worker.session) == (WorkerState.READY, "", "")


def test_a_session_that_is_announced_once_more_has_lasted_since_it_began() -> None:
    broker = fleet()
    ada = claimed(broker, "ada", 1.0)
    assert broker.worker_announced("w0", 5.0, ada.epoch, ada.id, "s-ada") == []
    assert broker.workers["w0"].since == 1.0


def test_a_worker_that_comes_back_and_is_lost_again_takes_nobody_from_another_one() -> None:
    broker = fleet(workers=2)
    ada = claimed(broker, "ada")
    broker.worker_lost("w0", "silent", 5.0)
    broker.claim(ada.id, 6.0)
    broker.worker_announced("w0", 7.0, 1, ada.id, "s-ada")
    assert only(Told, broker.worker_lost("w0", "silent", 8.0)) == []
    assert (ada.state, ada.worker) == (TicketState.CLAIMED, "w1")
