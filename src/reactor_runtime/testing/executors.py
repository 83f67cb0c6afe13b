"""What every executor does, as a suite.

::

    @pytest.mark.parametrize("case", EXECUTOR_CASES, ids=lambda case: case.__name__)
    def test_my_executor(case):
        asyncio.run(check_executor(case, MyExecutor))  # is called with the class of a model
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import numpy as np

from reactor_runtime.authoring.command import command
from reactor_runtime.authoring.context import get_ctx
from reactor_runtime.authoring.decorator import model
from reactor_runtime.authoring.model import VideoModel
from reactor_runtime.authoring.tracks import VideoIn, VideoOut
from reactor_runtime.errors import NoSessionError, UnknownCommandError
from reactor_runtime.session.run import SessionRun
from reactor_runtime.session.session import Session

from .cases import WITHIN_S, beside

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from reactor_runtime.executors.port import CommandOutcome, Executor, ModelOutcome

PICTURE: NDArray[np.uint8] = np.full((16, 32, 3), 7, np.uint8)


@model(name="patient")
class Patient(VideoModel):
    """The model of the suite: waits until its user has had enough."""

    video = VideoOut()
    webcam = VideoIn()

    def start_session(self) -> None:
        get_ctx().wait_stop(3600)

    @command("poke")
    def poke(self) -> None:
        """Nothing happens."""


class Visit:
    """One session on the executor; its steps wait where that must not."""

    def __init__(self, executor: Executor, number: int = 1) -> None:
        self.session = Session(number, f"s{number}", executor.description, lambda _: None)
        self.run = SessionRun(executor, self.session)
        self.answers: list[CommandOutcome] = []

    async def play(self) -> Future[ModelOutcome]:
        """Begin, and return when the model has: what comes is its end."""
        self.run.begin()
        ended = self.run.play()
        assert await beside(lambda: self.session.timeline.entered.wait(WITHIN_S))
        return ended

    async def ask(self, name: str) -> CommandOutcome:
        answered = threading.Event()

        def answer(outcome: CommandOutcome) -> None:
            self.answers.append(outcome)
            answered.set()

        self.run.command(name, {}, answer)
        assert await beside(lambda: answered.wait(WITHIN_S))
        return self.answers[-1]

    async def finish(self, ended: Future[ModelOutcome]) -> ModelOutcome:
        return await beside(lambda: self.run.finish(ended, WITHIN_S))


async def the_model_is_described_before_anything_runs(executor: Executor) -> None:
    assert executor.description.name == "patient"
    assert set(executor.description.tracks) == {"video", "webcam"}
    assert set(executor.description.command_names) == {"poke"}


async def visits_one_after_the_other_end_when_they_are_stopped(executor: Executor) -> None:
    for number in (1, 2):
        visit = Visit(executor, number)
        ended = await visit.play()
        assert not ended.done()
        outcome = await visit.finish(ended)
        assert (outcome.error, outcome.reset_error, outcome.unstopped) == (None, None, ())


async def each_command_is_answered_once_whatever_it_is_called(executor: Executor) -> None:
    visit = Visit(executor)
    ended = await visit.play()
    assert (await visit.ask("poke")).error is None
    assert isinstance((await visit.ask("no such command")).error, UnknownCommandError)
    await visit.finish(ended)
    assert len(visit.answers) == 2


async def a_session_that_is_over_takes_nothing_more(executor: Executor) -> None:
    visit = Visit(executor)
    await visit.finish(await visit.play())
    refused = False
    try:
        await visit.ask("poke")
    except NoSessionError:
        refused = True
    assert refused
    assert visit.answers == []
    executor.media(visit.session, "webcam", PICTURE)
    assert visit.session.media.inputs.latest("webcam") is None
    visit.run.close()
    executor.detach(visit.session)


async def media_reach_the_session_that_was_begun_last(executor: Executor) -> None:
    visit, other = Visit(executor), Visit(executor, 2)
    ended = await visit.play()
    executor.media(other.session, "webcam", PICTURE)
    executor.media(visit.session, "webcam", PICTURE)
    assert other.session.media.inputs.latest("webcam") is None
    latest = visit.session.media.inputs.latest("webcam")
    assert latest is not None
    assert latest[0, 0, 0] == 7
    await visit.finish(ended)
    other.session.close()


async def no_method_waits_for_author_code(executor: Executor) -> None:
    visit, never_begun = Visit(executor), Visit(executor, 9)
    ended = await visit.play()
    await beside(lambda: executor.media(visit.session, "webcam", PICTURE))
    assert isinstance(await beside(executor.stacks), str)
    await beside(lambda: executor.detach(never_begun.session))
    assert not ended.done()
    await visit.finish(ended)
    never_begun.session.close()


ExecutorCase = Callable[["Executor"], Awaitable[None]]
EXECUTOR_CASES: tuple[ExecutorCase, ...] = (
    the_model_is_described_before_anything_runs,
    visits_one_after_the_other_end_when_they_are_stopped,
    each_command_is_answered_once_whatever_it_is_called,
    a_session_that_is_over_takes_nothing_more,
    media_reach_the_session_that_was_begun_last,
    no_method_waits_for_author_code,
)


async def check_executor(case: ExecutorCase, make: Callable[[type[VideoModel]], Executor]) -> None:
    """Make an executor of the suite's model, load it, run one case against it, and close it."""
    executor = make(Patient)
    try:
        await asyncio.wait_for(asyncio.wrap_future(executor.load()), WITHIN_S)
        await case(executor)
    finally:
        await beside(executor.close)
