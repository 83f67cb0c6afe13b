"""The suite of every observer; a new one is one more line here. What no observer can do is below."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from tests.executors.rig import WITHIN, Rig, rig

from reactor_runtime import VideoModel, VideoOut, command, get_ctx, model
from reactor_runtime.clock import WALL
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.session.observers import WAITING_LIMIT, Observers, SessionObserver
from reactor_runtime.session.outcome import CommandOutcome, ModelOutcome
from reactor_runtime.session.session import Session
from reactor_runtime.testing import OBSERVER_CASES, check_observer
from reactor_runtime.worker.journal import Journal
from reactor_runtime.worker.metrics import Metrics
from reactor_runtime.worker.watching import JournalObserver, MetricsObserver

FRAME = np.zeros((16, 32, 3), np.uint8)


@model(name="painter")
class Painter(VideoModel):
    video = VideoOut()

    def start_session(self) -> None:
        while not get_ctx().should_stop():
            self.video.emit(FRAME)
            get_ctx().wait_stop(0.005)

    @command("say")
    def say(self, text: str) -> str:
        get_ctx().send({"text": text})
        return text


class Remembering(SessionObserver):
    """Keeps the names of what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def started(self, session: Session) -> None:
        self.told.append("started")

    def command_applied(self, name: str, outcome: CommandOutcome) -> None:
        self.told.append(f"command {name} {outcome.result}")

    def frame_encoded(self, track: str, frame: EncodedFrame) -> None:
        self.told.append(f"frame {track}")

    def message_sent(self, text: str) -> None:
        self.told.append(f"message {text}")

    def model_ended(self, outcome: ModelOutcome) -> None:
        self.told.append("ended")

    def closing(self, reason: str) -> None:
        self.told.append(f"closing {reason}")


class Failing(Remembering):
    def started(self, session: Session) -> None:
        raise ValueError("an observer is broken")

    def frame_encoded(self, track: str, frame: EncodedFrame) -> None:
        raise ValueError("an observer is broken")


class Hanging(SessionObserver):
    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.reasons: list[str] = []

    def started(self, session: Session) -> None:
        self.go_on.wait(WITHIN * 4)

    def frame_encoded(self, track: str, frame: EncodedFrame) -> None:
        self.go_on.wait(WITHIN * 4)

    def closing(self, reason: str) -> None:
        self.reasons.append(reason)


class Sink:
    def __init__(self) -> None:
        self.got = threading.Event()

    def push(self, frame: EncodedFrame) -> None:
        self.got.set()


def play(made: Rig, observers: Observers, *, watched: bool = True) -> Session:
    """A visit with one command, which somebody watches."""
    session, sink = made.begin(observers), Sink()
    if watched:
        session.media.plane.subscribe("video", VideoCodec.VP8, sink)
    ended = made.run(session)
    assert made.ask(session, "say", text="hello") == "hello"
    if watched:
        assert sink.got.wait(WITHIN)
    assert made.runs[session].finish(ended, WITHIN).error is None
    return session


OBSERVERS: dict[str, Callable[[], SessionObserver]] = {
    "remembering": Remembering,
    "journal": lambda: JournalObserver(Journal(WALL), 1),
    "metrics": lambda: MetricsObserver(Metrics("model")),
    "nothing": SessionObserver,
}


@pytest.mark.parametrize("case", OBSERVER_CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("name", OBSERVERS)
async def test_observer(case: Callable[..., Awaitable[None]], name: str) -> None:
    await check_observer(case, OBSERVERS[name])


@pytest.mark.parametrize("make", [Remembering, Failing, Hanging])
def test_whatever_an_observer_does_the_session_and_other_observers_go_on(
    make: Callable[[], SessionObserver],
) -> None:
    observer, other = make(), Remembering()
    observers = Observers([observer, other])
    try:
        with rig(Painter) as made:
            play(made, observers)
        while "closing stopped" not in other.told:
            time.sleep(0.005)
    finally:
        if isinstance(observer, Hanging):
            observer.go_on.set()
    assert observers.join(WITHIN)
    assert (other.told[0], other.told[-1]) == ("started", "closing stopped")
    assert other.told.index("ended") < len(other.told) - 1
    for each in ('command say "hello"', 'message {"text":"hello"}', "frame video"):
        assert each in other.told


def test_an_observer_is_no_listener_for_whom_anything_is_encoded() -> None:
    observer = Remembering()
    observers = Observers([observer])
    with rig(Painter) as made:
        session = play(made, observers, watched=False)
        assert session.media.plane.encodings == ()
    assert observers.join(WITHIN)
    assert "frame video" not in observer.told


def test_what_nobody_wants_to_know_has_no_teller() -> None:
    assert Observers().teller("frame_encoded") is None
    journal = Observers([(JournalObserver(Journal(WALL), 1), lambda function, *rest: None)])
    assert journal.teller("frame_encoded") is None
    assert journal.teller("audio_block") is None


def test_waiting_limit() -> None:
    """An observer that hangs costs a bounded memory, and hears of the session's end all the same."""
    observer = Hanging()
    observers = Observers([observer])
    observers.tell("started", None)
    tell: Any = observers.teller("frame_encoded")
    for _ in range(WAITING_LIMIT + 10):
        tell("video", None)
    assert observers.untold >= 9
    observers.tell("closing", "stopped")
    observers.end()
    observer.go_on.set()
    assert observers.join(WITHIN)
    assert observer.reasons == ["stopped"]


def test_the_outcome_says_everything_that_happened() -> None:
    @model(name="broken")
    class Broken(VideoModel):
        video = VideoOut()

        def start_session(self) -> None:
            raise KeyError("start")

        def reset(self) -> None:
            raise KeyError("reset")

    outcomes: list[ModelOutcome] = []

    class Last(SessionObserver):
        def model_ended(self, outcome: ModelOutcome) -> None:
            outcomes.append(outcome)

    observers = Observers([Last()])
    with rig(Broken) as made:
        session = made.begin(observers)
        outcome = made.run(session).result(WITHIN)
        made.end(session)
    assert observers.join(WITHIN)
    assert outcomes == [outcome]
    assert isinstance(outcome.error, KeyError)
    assert isinstance(outcome.reset_error, KeyError)
    assert outcome.must_rebuild
    assert outcome.report is not None
    assert not outcome.report.clean
