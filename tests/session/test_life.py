from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.session.life import FAREWELL_S, Effect, Life, Limits
from reactor_runtime.session.states import IN_SESSION, EndReason, IllegalTransitionError, State


def ready(**limits: float) -> Life:
    life = Life(Limits(**limits))
    assert life.loaded() == []
    return life


def streaming(**limits: float) -> Life:
    life = ready(**limits)
    life.start(0.0)
    assert life.connected(1, 0.0) == [Effect.RUN_MODEL]
    return life


def test_a_whole_session() -> None:
    life = ready()
    assert life.start(0.0) == 1
    assert life.state is State.WAITING
    assert life.connected(1, 1.0) == [Effect.RUN_MODEL]
    assert life.state is State.STREAMING
    assert life.stop(2.0, EndReason.STOPPED, "bye") == [Effect.STOP_MODEL]
    assert life.state is State.CLOSING
    assert life.model_ended(1, 3.0, failed=False) == [Effect.FINISH]
    assert life.cleaned(1) == []
    assert life.state is State.READY
    assert life.end is not None
    assert (life.end.number, life.end.reason, life.end.message) == (1, EndReason.STOPPED, "bye")
    assert life.deadline() is None


def test_the_slot_is_free_only_after_the_model_has_returned() -> None:
    life = streaming()
    life.stop(1.0, EndReason.STOPPED, "")

    assert life.cleaned(1) == []
    assert life.state is State.CLOSING
    with pytest.raises(IllegalTransitionError):
        life.start(2.0)


def orphaned() -> Life:
    life = streaming(orphan=30.0)
    assert life.disconnected(1, 10.0) == []
    return life


def test_a_page_that_is_loaded_again_has_its_seconds_from_then_on() -> None:
    life = orphaned()
    life.farewell(1, 11.0)
    assert life.free_in(11.0) == FAREWELL_S
    life.loading(13.0)
    assert life.free_in(13.0) == FAREWELL_S
    life.farewell(1, 13.5)  # the end of its connection is heard after its goodbye
    assert life.free_in(13.0) == FAREWELL_S


def test_pages_that_are_loaded_keep_a_session_no_longer_than_a_client_that_said_nothing() -> None:
    life = orphaned()
    life.farewell(1, 11.0)
    for second in range(12, 60):
        life.loading(float(second))
    assert life.deadline() == 40.0


def test_a_page_that_is_loaded_takes_nothing_from_who_said_nothing() -> None:
    life = orphaned()
    life.loading(11.0)
    assert life.deadline() == 40.0


def test_a_session_that_nobody_joined_never_runs_the_model() -> None:
    life = ready()
    life.start(0.0)

    assert life.stop(1.0, EndReason.STOPPED, "") == [Effect.FINISH]
    assert life.cleaned(1) == []
    assert life.state is State.READY


@pytest.mark.parametrize(("failed", "reason"), [(False, EndReason.COMPLETED), (True, EndReason.ERROR)])
def test_a_model_that_returns_ends_the_session(failed: bool, reason: EndReason) -> None:
    life = streaming()

    assert life.model_ended(1, 1.0, failed) == [Effect.FINISH]
    assert life.end is not None
    assert life.end.reason is reason
    assert life.end.message


def test_the_reason_of_a_stop_is_not_replaced_by_the_models_end() -> None:
    life = streaming()
    life.stop(1.0, EndReason.STOPPED, "")
    life.model_ended(1, 2.0, failed=True)

    assert life.end is not None
    assert life.end.reason is EndReason.STOPPED


def test_orphan_limit_of_a_session_that_nobody_joins() -> None:
    life = ready(orphan=30.0)
    life.start(100.0)

    assert life.deadline() == 130.0
    assert life.tick(129.9) == []
    assert life.tick(130.0) == [Effect.FINISH]
    assert life.end is not None
    assert life.end.reason is EndReason.TIMED_OUT
    assert "No client connected within 30 s" in life.end.message


def test_orphan_limit_of_a_client_that_left() -> None:
    life = streaming(orphan=30.0)
    assert life.deadline() is None
    assert life.disconnected(1, 50.0) == []
    assert life.state is State.ORPHANED

    assert life.tick(79.0) == []
    assert life.tick(80.0) == [Effect.STOP_MODEL]
    assert life.end is not None
    assert life.end.reason is EndReason.TIMED_OUT
    assert "gone for 30 s" in life.end.message


def test_a_client_that_comes_back_in_time_finds_the_same_session_and_a_fresh_limit() -> None:
    life = streaming(orphan=30.0)
    life.disconnected(1, 50.0)
    assert life.connected(1, 79.0) == []
    assert life.state is State.STREAMING
    assert life.tick(80.0) == []
    life.disconnected(1, 100.0)

    assert life.deadline() == 130.0


def test_duration_limit_counts_from_the_first_connection() -> None:
    life = ready(duration=60.0)
    life.start(0.0)
    life.connected(1, 10.0)
    life.disconnected(1, 20.0)
    life.connected(1, 25.0)

    assert life.deadline() == 70.0
    assert life.tick(70.0) == [Effect.STOP_MODEL]
    assert life.end is not None
    assert life.end.reason is EndReason.TIME_CAP
    assert "60 s" in life.end.message


def test_stuck_limit() -> None:
    life = streaming(stuck=5.0, kill=60.0)
    life.stop(100.0, EndReason.STOPPED, "")

    assert life.tick(104.9) == []
    assert life.tick(105.0) == [Effect.WARN_STUCK]
    assert life.tick(106.0) == []
    assert life.model_ended(1, 107.0, failed=False) == [Effect.FINISH]
    assert life.deadline() is None


def test_kill_limit() -> None:
    life = streaming(stuck=5.0, kill=60.0)
    life.stop(100.0, EndReason.STOPPED, "")

    assert life.tick(160.0) == [Effect.WARN_STUCK, Effect.KILL]
    assert life.state is State.TERMINATED
    assert life.tick(161.0) == []


@pytest.mark.parametrize("name", ["orphan", "duration", "stuck", "kill"])
def test_zero_is_no_limit(name: str) -> None:
    life = streaming(**{"orphan": 0.0, "duration": 0.0, "stuck": 0.0, "kill": 0.0} | {name: 0.0})
    life.disconnected(1, 0.0)
    assert life.deadline() is None
    life.stop(0.0, EndReason.STOPPED, "")
    assert life.deadline() is None


def test_reports_about_another_session_do_nothing() -> None:
    life = streaming()
    life.model_ended(1, 1.0, failed=False)
    life.cleaned(1)
    assert life.start(2.0) == 2

    assert life.connected(1, 3.0) == []
    assert life.disconnected(1, 3.0) == []
    assert life.model_ended(1, 3.0, failed=True) == []
    assert life.cleaned(1) == []
    assert life.state is State.WAITING


def test_stopping_without_a_session_is_refused() -> None:
    with pytest.raises(IllegalTransitionError):
        ready().stop(0.0, EndReason.STOPPED, "")


def test_a_failed_load_ends_the_process() -> None:
    life = Life()

    assert life.load_failed() == [Effect.EXIT]
    assert life.state is State.TERMINATED


@pytest.mark.parametrize("state", ["created", "ready"])
def test_leaving_without_a_session_is_immediate(state: str) -> None:
    life = Life() if state == "created" else ready()

    assert life.leave(0.0) == [Effect.EXIT]
    assert life.state is State.TERMINATED


def test_leaving_ends_the_session_first() -> None:
    life = streaming()

    assert life.leave(1.0) == [Effect.STOP_MODEL]
    assert life.end is not None
    assert life.end.reason is EndReason.SHUTDOWN
    assert life.leave(1.5) == []
    assert life.model_ended(1, 2.0, failed=False) == [Effect.FINISH]
    assert life.cleaned(1) == [Effect.EXIT]
    assert life.state is State.TERMINATED


def broken_end(life: Life) -> list[Effect]:
    life.stop(2.0, EndReason.STOPPED, "Asked.")
    assert life.model_ended(1, 3.0, failed=False, broken=True) == [Effect.FINISH]
    return life.cleaned(1)


def test_a_model_that_could_not_be_reset_is_built_again_before_the_next_user() -> None:
    life = streaming()
    assert broken_end(life) == [Effect.REBUILD]
    with pytest.raises(RefusedError) as refused:
        life.start(4.0)
    assert (refused.value.kind, refused.value.code) == (Refusal.UNAVAILABLE, "model_failing")
    assert life.loaded() == []
    assert life.start(5.0) == 2


def test_a_rebuild_that_fails_ends_the_worker() -> None:
    life = streaming()
    broken_end(life)
    assert life.load_failed() == [Effect.EXIT]
    assert life.state is State.TERMINATED


def test_instead_of_a_rebuild_the_worker_may_end() -> None:
    life = Life(LIMITS, rebuild=False)
    life.loaded()
    life.start(0.0)
    life.connected(1, 1.0)
    assert broken_end(life) == [Effect.EXIT]
    assert life.gave_up
    assert life.state is State.TERMINATED


def test_nobody_starts_while_the_worker_leaves() -> None:
    life = streaming()
    life.leave(1.0)

    with pytest.raises(IllegalTransitionError) as caught:
        life.start(2.0)

    assert caught.value.kind is Refusal.UNAVAILABLE


def test_leaving_while_a_session_closes_waits_for_it() -> None:
    life = streaming()
    life.stop(1.0, EndReason.STOPPED, "")

    assert life.leave(1.0) == []
    assert life.end is not None
    assert life.end.reason is EndReason.STOPPED
    life.model_ended(1, 2.0, failed=False)
    assert life.cleaned(1) == [Effect.EXIT]


LIMITS = Limits(orphan=30.0, duration=300.0, stuck=5.0, kill=60.0)


class Worker(RuleBasedStateMachine):
    """Whatever happens in whatever order, with a model of its own of what is allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life(LIMITS)
        self.now = 0.0
        self.model_of: int | None = None
        """The session whose `start_session` runs."""
        self.finishing: int | None = None
        self.ran: set[int] = set()
        self.finished: set[int] = set()
        self.stopped: set[int] = set()
        self.exited = self.killed = False
        self.broken = False

    def carry_out(self, effects: list[Effect]) -> None:
        number = self.life.number
        for effect in effects:
            if effect is Effect.RUN_MODEL:
                assert self.model_of is None, "two sessions on one model"
                assert number not in self.ran
                self.model_of = number
                self.ran.add(number)
            elif effect is Effect.STOP_MODEL:
                assert self.model_of == number
                assert number not in self.stopped
                self.stopped.add(number)
            elif effect is Effect.FINISH:
                assert self.model_of is None, "wires close before the model has ended"
                assert number not in self.finished
                self.finished.add(number)
                self.finishing = number
            elif effect is Effect.EXIT:
                assert self.model_of is None
                self.exited = True
            elif effect is Effect.REBUILD:
                assert self.broken
                assert self.model_of is None
            elif effect is Effect.KILL:
                assert self.model_of == number
                self.killed = True

    @initialize(loads=st.booleans())
    def load(self, loads: bool) -> None:
        self.carry_out(self.life.loaded() if loads else self.life.load_failed())

    @rule(seconds=st.sampled_from([0.0, 0.1, 4.0, 29.0, 31.0, 61.0, 301.0]))
    def time_passes(self, seconds: float) -> None:
        target = self.now + seconds
        while (due := self.life.deadline()) is not None and due <= target:
            self.now = max(self.now, due)
            self.carry_out(self.life.tick(self.now))
            after = self.life.deadline()
            assert after is None or after > due, "a deadline that has passed stays"
        self.now = target
        self.carry_out(self.life.tick(self.now))

    @rule()
    def start(self) -> None:
        allowed = self.life.state is State.READY and not self.life.leaving
        before = self.life.number
        try:
            number = self.life.start(self.now)
        except RefusedError:
            assert not allowed
            assert self.life.number == before
        else:
            assert allowed
            assert not self.broken, "a session begins on a model that holds another one's state"
            assert self.model_of is None, "a session begins while the last one's model runs"
            assert number == before + 1

    @rule(stale=st.integers(0, 2))
    def connected(self, stale: int) -> None:
        self.carry_out(self.life.connected(self.life.number - stale, self.now))

    @rule(stale=st.integers(0, 2))
    def disconnected(self, stale: int) -> None:
        self.carry_out(self.life.disconnected(self.life.number - stale, self.now))

    @rule(reason=st.sampled_from([EndReason.STOPPED, EndReason.REPLACED]))
    def stop(self, reason: EndReason) -> None:
        allowed = self.life.state in IN_SESSION
        try:
            self.carry_out(self.life.stop(self.now, reason, "A reason."))
        except IllegalTransitionError:
            assert not allowed
        else:
            assert allowed

    @precondition(lambda self: self.model_of is not None and not self.killed)
    @rule(failed=st.booleans(), broken=st.booleans())
    def model_ends(self, failed: bool, broken: bool) -> None:
        number, self.model_of = self.model_of, None
        assert number is not None
        self.broken = broken
        self.carry_out(self.life.model_ended(number, self.now, failed, broken=broken))
        assert number in self.finished or self.life.state is State.TERMINATED

    @precondition(lambda self: self.broken and self.life.state is State.CREATED)
    @rule()
    def rebuilt(self) -> None:
        self.broken = False
        self.carry_out(self.life.loaded())

    @rule(stale=st.integers(1, 3), failed=st.booleans())
    def a_stale_model_ends(self, stale: int, failed: bool) -> None:
        before = self.life.state
        assert self.life.model_ended(self.life.number - stale, self.now, failed) == []
        assert self.life.state is before

    @precondition(lambda self: self.finishing is not None)
    @rule()
    def cleaned(self) -> None:
        number, self.finishing = self.finishing, None
        assert number is not None
        self.carry_out(self.life.cleaned(number))
        rebuilds = self.broken and not self.life.leaving
        assert self.life.state in ((State.CREATED,) if rebuilds else (State.READY, State.TERMINATED))

    @rule(stale=st.integers(0, 2))
    def a_stale_cleaning(self, stale: int) -> None:
        if self.finishing is None or stale:
            before = self.life.state
            assert self.life.cleaned(self.life.number - stale) == []
            assert self.life.state is before

    @rule()
    def leave(self) -> None:
        self.carry_out(self.life.leave(self.now))

    @invariant()
    def every_session_that_ended_has_a_reason(self) -> None:
        if self.life.state is State.CLOSING or self.finishing is not None:
            assert self.life.end is not None
            assert self.life.end.number == self.life.number
            assert self.life.end.message

    @invariant()
    def the_model_runs_only_in_a_session(self) -> None:
        if self.model_of is not None and not self.killed:
            assert self.life.state in IN_SESSION | {State.CLOSING}
            assert self.model_of == self.life.number
            assert self.life._model_running

    @invariant()
    def whoever_waits_has_a_deadline(self) -> None:
        if self.life.state in (State.WAITING, State.ORPHANED):
            assert self.life.deadline() is not None

    @invariant()
    def no_session_outlives_the_process(self) -> None:
        if self.exited:
            assert self.life.state is State.TERMINATED

    def teardown(self) -> None:
        """Whatever happened, the worker can be ended and every session with it."""
        self.carry_out(self.life.leave(self.now))
        if self.model_of is not None and not self.killed:
            self.model_ends(failed=False, broken=False)
        if self.finishing is not None:
            self.cleaned()
        assert self.life.state is State.TERMINATED
        assert self.exited or self.killed


TestWorker = Worker.TestCase
TestWorker.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
