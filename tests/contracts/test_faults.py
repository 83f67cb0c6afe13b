"""Each suite finds an implementation from outside that has a fault: its cases can fail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import pytest
from tests.executors.fake import FakeExecutor

from reactor_runtime.clock import Timer, WallClock
from reactor_runtime.executors.port import Answer, ModelOutcome
from reactor_runtime.fleet.records import Lease
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.session.observers import SessionObserver
from reactor_runtime.session.session import Session
from reactor_runtime.testing import (
    FakeEngine,
    check_clock,
    check_engine,
    check_executor,
    check_observer,
    check_wire,
    clocks,
    engines,
    executors,
    observers,
    wires,
)
from reactor_runtime.transports.memory import MemoryEngine, MemoryPeer
from reactor_runtime.transports.port import PeerConfig
from reactor_runtime.transports.wire import Handle, Opened, PeerState, StateChanged

from .rigs import MemoryRig, going

Case = Callable[..., Awaitable[None]]


# --- clocks ---


class Backwards(WallClock):
    def time(self) -> float:  # type: ignore[override]  # the wall's is a function of the system
        return -WallClock.time()


class Hasty(WallClock):
    def sleep(self, seconds: float) -> None:
        pass

    def wait_event(self, event: threading.Event, timeout: float) -> bool:
        return True


class Foreign(WallClock):
    """Calls on a thread of its own."""

    def call_later(self, seconds: float, function: Callable[..., object], *args: object) -> Timer:
        loop = asyncio.get_running_loop()

        def call() -> None:
            function(*args)
            loop.call_soon_threadsafe(int)  # a loop looks when it is woken

        timer = threading.Timer(seconds, call)
        timer.start()
        return timer


class Immediate(WallClock):
    def call_later(self, seconds: float, function: Callable[..., object], *args: object) -> Timer:
        function(*args)
        return super().call_later(seconds, int)


class Stubborn(WallClock):
    """What was called off comes all the same."""

    def call_later(self, seconds: float, function: Callable[..., object], *args: object) -> Timer:
        asyncio.get_running_loop().call_later(seconds, function, *args)
        return super().call_later(seconds, int)


TRIES = 10


@pytest.mark.parametrize(
    ("case", "clock"),
    [
        (clocks.time_passes_as_long_as_was_asked_for_and_never_goes_back, Backwards),
        (clocks.time_passes_as_long_as_was_asked_for_and_never_goes_back, Hasty),
        (clocks.an_event_that_is_not_set_costs_the_whole_time, Hasty),
        (clocks.what_is_called_later_comes_on_the_loop_in_its_order, Foreign),
        (clocks.what_is_called_later_comes_on_the_loop_in_its_order, Immediate),
        (clocks.what_is_called_later_comes_on_the_loop_in_its_order, Stubborn),
        (clocks.what_is_due_at_once_comes_with_the_next_turn, Immediate),
        (clocks.a_timeout_ends_what_takes_longer, Immediate),
    ],
)
async def test_a_clock_with_a_fault_is_found(case: Case, clock: Callable[[], WallClock]) -> None:
    with pytest.raises(AssertionError):
        await _repeatedly(case, clock)


async def _repeatedly(case: Case, clock: Callable[[], WallClock]) -> None:
    """A clock that is too early is in time on a machine that stands still meanwhile."""
    for _ in range(TRIES):
        await check_clock(case, going(clock))


# --- wires ---


class Talking(MemoryPeer):
    """Reports before anybody came, and after its end."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        asyncio.get_running_loop().call_soon(self.handle, Opened("data"))

    async def close(self) -> None:
        await super().close()
        asyncio.get_running_loop().call_later(0.01, self.handle, StateChanged(PeerState.CLOSED))


class Boasting(MemoryPeer):
    """Says that it has sent what it could not."""

    def send(self, label: str, data: bytes, *, binary: bool = False) -> bool:
        super().send(label, data, binary=binary)
        return True


class Dying(MemoryPeer):
    """Reports its end when it has only begun."""

    def link(self, far: Any) -> None:
        self.report(StateChanged(PeerState.CLOSED))
        super().link(far)


class Wordy(MemoryPeer):
    """Its statistics tell of nothing that it sends."""

    async def stats(self) -> dict[str, Any]:
        return {"outbound": []}


def of(peer: type[MemoryPeer]) -> Callable[[], MemoryRig]:
    class Faulty(MemoryEngine):
        async def create_peer(self, config: PeerConfig, handle: Handle) -> MemoryPeer:
            made = peer(config, handle, lambda peer: None)
            self.peers.append(made)
            return made

    return lambda: MemoryRig(Faulty)


@pytest.mark.parametrize(
    ("case", "peer"),
    [
        (wires.a_wire_is_silent_until_somebody_comes, Talking),
        (wires.a_wire_is_silent_until_somebody_comes, Boasting),
        (wires.messages_go_both_ways_on_open_channels_alone, Boasting),
        (wires.a_connected_wire_has_reported_that_and_no_end, Dying),
        (wires.a_sender_asks_for_the_keyframe_that_it_begins_with, Wordy),
        (wires.after_its_end_a_wire_reports_and_takes_nothing, Talking),
        (wires.after_its_end_a_wire_reports_and_takes_nothing, Boasting),
    ],
)
async def test_a_wire_with_a_fault_is_found(case: Case, peer: type[MemoryPeer]) -> None:
    with pytest.raises(AssertionError):
        await check_wire(case, of(peer))


# --- executors ---


class Another(FakeExecutor):
    """Describes another model than it was given."""

    def __init__(self, cls: Any) -> None:
        super().__init__(observers.Painter)


class Impatient(FakeExecutor):
    """Its sessions end by themselves."""

    def run(self, session: Session) -> Future[ModelOutcome]:
        session.enter()
        ended: Future[ModelOutcome] = Future()
        ended.set_result(ModelOutcome())
        return ended


class Twofold(FakeExecutor):
    def command(self, session: Session, name: str, arguments: Any, answer: Answer) -> None:
        for _ in range(2):
            super().command(session, name, arguments, answer)


class Faithful(FakeExecutor):
    """Does not forget a session."""

    def detach(self, session: Session) -> None:
        pass


class Mixing(FakeExecutor):
    """Gives everybody's pictures to whoever asks."""

    def media(self, session: Session, name: str, data: Any) -> None:
        session.media.inputs.put_video(name, data)


@pytest.mark.parametrize(
    ("case", "executor"),
    [
        (executors.the_model_is_described_before_anything_runs, Another),
        (executors.visits_one_after_the_other_end_when_they_are_stopped, Impatient),
        (executors.each_command_is_answered_once_whatever_it_is_called, Twofold),
        (executors.a_session_that_is_over_takes_nothing_more, Faithful),
        (executors.media_reach_the_session_that_was_begun_last, Mixing),
        (executors.no_method_waits_for_author_code, Impatient),
    ],
)
async def test_an_executor_with_a_fault_is_found(case: Case, executor: type[FakeExecutor]) -> None:
    with pytest.raises(AssertionError):
        await check_executor(case, executor)


# --- observers ---


class Raising(SessionObserver):
    def closing(self, reason: str) -> None:
        raise AssertionError("an observer is broken")


class Strict(SessionObserver):
    """Has not thought of models that fail."""

    def model_ended(self, outcome: ModelOutcome) -> None:
        assert outcome.error is None


class Demanding(SessionObserver):
    """Has pictures encoded for itself."""

    def started(self, session: Session) -> None:
        session.media.plane.subscribe("video", VideoCodec.VP8, observers.Sink())


class Meddling(SessionObserver):
    """Speaks in the model's name."""

    def started(self, session: Session) -> None:
        session.outbox.put('{"text": "from an observer"}')


@pytest.mark.parametrize(
    ("case", "observer"),
    [
        (observers.a_visit_that_is_watched_passes_as_any_other, Raising),
        (observers.a_visit_that_is_watched_passes_as_any_other, Meddling),
        (observers.nothing_is_encoded_for_an_observer, Demanding),
        (observers.a_visit_that_fails_is_taken_as_well, Strict),
        (observers.a_session_may_close_before_its_model_began, Raising),
    ],
)
async def test_an_observer_with_a_fault_is_found(case: Case, observer: type[SessionObserver]) -> None:
    with pytest.raises(AssertionError):
        await check_observer(case, observer)


# --- engines ---


class Forgetful(FakeEngine):
    """Takes any grant, however old."""

    def grant(self, lease: Lease) -> None:
        self.workers[lease.worker].epoch = 0
        self.workers[lease.worker].lease = None
        super().grant(lease)


async def test_an_engine_with_a_fault_is_found() -> None:
    class Rig:
        def __init__(self) -> None:
            self.engine = Forgetful()

        def crash(self, worker: str) -> None:
            self.engine.crash(worker)

    with pytest.raises((AssertionError, KeyError)):
        await check_engine(engines.a_worker_that_crashes_is_lost_and_makes_room, Rig)  # type: ignore[arg-type]
