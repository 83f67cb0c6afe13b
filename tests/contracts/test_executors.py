"""What every executor does; a new one is one more line here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np
import pytest
from omegaconf import OmegaConf
from tests.executors.fake import FakeExecutor
from tests.executors.rig import WITHIN, Weights

from reactor_runtime import VideoIn, VideoModel, VideoOut, command, get_ctx, model
from reactor_runtime.errors import NoSessionError, UnknownCommandError
from reactor_runtime.executors.port import CommandOutcome, Executor
from reactor_runtime.executors.thread import ThreadExecutor
from reactor_runtime.session.run import SessionRun
from reactor_runtime.session.session import Session


@model(name="patient")
class Patient(VideoModel):
    video = VideoOut()
    webcam = VideoIn()

    def start_session(self) -> None:
        get_ctx().wait_stop(3600)

    @command("poke")
    def poke(self) -> None: ...


@pytest.fixture(params=["thread", "fake"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made: Executor
    if request.param == "thread":
        made = ThreadExecutor(Patient, OmegaConf.create({}), Weights())
    else:
        made = FakeExecutor(Patient)
    made.load().result(WITHIN)
    yield made
    made.close()


def session_of(executor: Executor, number: int = 1) -> Session:
    return Session(number, f"s{number}", executor.description, lambda _: None)


def ask(run: SessionRun, name: str) -> CommandOutcome:
    answered: Future[CommandOutcome] = Future()
    run.command(name, {}, answered.set_result)
    return answered.result(WITHIN)


def test_the_model_is_described_before_anything_runs(executor: Executor) -> None:
    assert executor.description.name == "patient"
    assert set(executor.description.tracks) == {"video", "webcam"}
    assert set(executor.description.command_names) == {"poke"}


def test_visits_one_after_the_other_end_when_they_are_stopped(executor: Executor) -> None:
    for number in (1, 2):
        run = SessionRun(executor, session_of(executor, number))
        run.begin()
        ended = run.play()
        assert run.session.timeline.entered.wait(WITHIN)
        assert not ended.done()
        outcome = run.finish(ended, WITHIN)
        assert (outcome.error, outcome.reset_error, outcome.unstopped) == (None, None, ())


def test_each_command_is_answered_once_whatever_it_is_called(executor: Executor) -> None:
    run = SessionRun(executor, session_of(executor))
    run.begin()
    ended = run.play()
    assert ask(run, "poke").error is None
    assert isinstance(ask(run, "no such command").error, UnknownCommandError)
    run.finish(ended, WITHIN)


def test_a_session_that_is_over_takes_nothing_more(executor: Executor) -> None:
    run = SessionRun(executor, session_of(executor))
    run.begin()
    run.finish(run.play(), WITHIN)
    with pytest.raises(NoSessionError):
        ask(run, "poke")
    executor.media(run.session, "webcam", np.zeros((16, 32, 3), np.uint8))
    assert run.session.media.inputs.latest("webcam") is None
    run.close()
    executor.detach(run.session)


def test_media_reach_the_session_that_was_begun_last(executor: Executor) -> None:
    run = SessionRun(executor, session_of(executor))
    run.begin()
    other = session_of(executor, 2)
    picture = np.full((16, 32, 3), 7, np.uint8)
    executor.media(other, "webcam", picture)
    executor.media(run.session, "webcam", picture)
    assert other.media.inputs.latest("webcam") is None
    latest = run.session.media.inputs.latest("webcam")
    assert latest is not None
    assert latest[0, 0, 0] == 7
    run.finish(run.play(), WITHIN)
    other.close()


def test_no_method_waits_for_author_code(executor: Executor) -> None:
    run = SessionRun(executor, session_of(executor))
    run.begin()
    ended = run.play()
    never_begun = session_of(executor, 9)
    done = threading.Event()

    def call() -> None:
        executor.media(run.session, "webcam", np.zeros((16, 32, 3), np.uint8))
        assert isinstance(executor.stacks(), str)
        executor.detach(never_begun)
        done.set()

    threading.Thread(target=call, daemon=True).start()
    assert done.wait(WITHIN)
    run.finish(ended, WITHIN)
    never_begun.close()
