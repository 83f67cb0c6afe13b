"""What every observer of a session does, as a suite: takes what it is told, in time, and changes nothing.

::

    @pytest.mark.parametrize("case", OBSERVER_CASES, ids=lambda case: case.__name__)
    def test_my_observer(case):
        asyncio.run(check_observer(case, MyObserver))
"""

from __future__ import annotations

import asyncio
import functools
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
from omegaconf import OmegaConf

from reactor_runtime.authoring.command import command
from reactor_runtime.authoring.context import get_ctx
from reactor_runtime.authoring.decorator import model
from reactor_runtime.authoring.model import VideoModel
from reactor_runtime.authoring.tracks import VideoOut
from reactor_runtime.executors.thread import ThreadExecutor
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.session.observers import Inbox, Observers, SessionObserver
from reactor_runtime.session.run import SessionRun
from reactor_runtime.session.session import Session
from reactor_runtime.session.states import EndReason

from .cases import WITHIN_S, beside
from .server import FolderWeights

if TYPE_CHECKING:
    from reactor_runtime.session.outcome import CommandOutcome, ModelOutcome

Make = Callable[[], SessionObserver]
RETURN_S = 5.0
"""How long an observer may take for what it was told."""


@model(name="painter")
class Painter(VideoModel):
    """The model of the suite: paints until it is stopped, and says what it is told to."""

    video = VideoOut()

    def start_session(self) -> None:
        picture = np.zeros((16, 32, 3), np.uint8)
        while not get_ctx().should_stop():
            self.video.emit(picture)
            get_ctx().wait_stop(0.005)

    @command("say")
    def say(self, text: str) -> str:
        get_ctx().send({"text": text})
        return text

    @command("fail")
    def fail(self) -> None:
        raise ValueError("as it was told to")


@model(name="broken")
class Broken(VideoModel):
    """A model whose visit fails, and its reset with it."""

    video = VideoOut()

    def start_session(self) -> None:
        raise ValueError("of start_session")

    def reset(self) -> None:
        raise ValueError("of reset")


class Sink:
    """Who watches the video, so that it is encoded."""

    def __init__(self) -> None:
        self.got = threading.Event()

    def push(self, frame: EncodedFrame) -> None:
        del frame
        self.got.set()


class Watched:
    """One session of a model with the observer that is tested: what that raised, and whether it came back."""

    def __init__(self, cls: type[VideoModel], observer: SessionObserver) -> None:
        self.raised: list[BaseException] = []
        self._inbox = Inbox()
        self.executor = ThreadExecutor(cls, OmegaConf.create({}), FolderWeights())
        self.session = Session(
            1,
            "s1",
            self.executor.description,
            lambda _: None,
            observers=Observers([(observer, self._deliver)]),
        )
        self.run = SessionRun(self.executor, self.session)

    async def begin(self) -> Future[ModelOutcome]:
        await asyncio.wait_for(asyncio.wrap_future(self.executor.load()), WITHIN_S)
        self.run.begin()
        return self.run.play()

    async def ask(self, name: str, **arguments: str) -> CommandOutcome:
        answered: Future[CommandOutcome] = Future()
        self.run.command(name, arguments, answered.set_result)
        return await beside(lambda: answered.result(WITHIN_S))

    async def caught_up(self) -> bool:
        """Whether the observer has taken all that it was told until now."""
        taken = threading.Event()

        def started() -> None:
            """Named as what is always told."""
            taken.set()

        self._inbox(started)
        return await beside(lambda: taken.wait(RETURN_S))

    async def close(self) -> bool:
        """End everything; False when the observer does not come back from what it was told."""
        await beside(self.run.close)
        await beside(self.executor.close)
        self._inbox.end()
        return await beside(lambda: self._inbox.join(RETURN_S))

    def _deliver(self, function: Callable[..., None], *arguments: object) -> None:
        @functools.wraps(function)
        def guarded(*given: object) -> None:
            try:
                function(*given)
            except BaseException as error:  # noqa: BLE001 - `watching` raises it
                self.raised.append(error)

        self._inbox(guarded, *arguments)


@asynccontextmanager
async def watching(cls: type[VideoModel], make: Make) -> AsyncIterator[Watched]:
    """A session and its end. Raises what the observer raised, and `TimeoutError` where it hangs."""
    watched = Watched(cls, make())
    try:
        yield watched
    finally:
        returned = await watched.close()
    if not returned:
        raise TimeoutError(f"the observer did not come back within {RETURN_S:g} s from what it was told")
    if watched.raised:
        raise watched.raised[0]


async def a_visit_that_is_watched_passes_as_any_other(make: Make) -> None:
    async with watching(Painter, make) as watched:
        sink = Sink()
        watched.session.media.plane.subscribe("video", VideoCodec.VP8, sink)
        ended = await watched.begin()
        assert (await watched.ask("say", text="hello")).result == '"hello"'
        assert (await watched.ask("fail")).error is not None
        assert await beside(lambda: sink.got.wait(WITHIN_S))
        assert [json.loads(text) for text in watched.session.outbox.take()] == [{"text": "hello"}]
        outcome = await beside(lambda: watched.run.finish(ended, WITHIN_S))
        assert (outcome.error, outcome.reset_error, outcome.unstopped) == (None, None, ())


async def nothing_is_encoded_for_an_observer(make: Make) -> None:
    async with watching(Painter, make) as watched:
        ended = await watched.begin()
        assert (await watched.ask("say", text="hello")).error is None
        assert await watched.caught_up()
        assert watched.session.media.plane.encodings == ()
        await beside(lambda: watched.run.finish(ended, WITHIN_S))


async def a_visit_that_fails_is_taken_as_well(make: Make) -> None:
    async with watching(Broken, make) as watched:
        ended = await watched.begin()
        outcome = await beside(lambda: ended.result(WITHIN_S))
        assert isinstance(outcome.error, ValueError)
        assert isinstance(outcome.reset_error, ValueError)
        watched.run.close(EndReason.ERROR)


async def a_session_may_close_before_its_model_began(make: Make) -> None:
    async with watching(Painter, make) as watched:
        watched.run.begin()


ObserverCase = Callable[[Make], Awaitable[None]]
OBSERVER_CASES: tuple[ObserverCase, ...] = (
    a_visit_that_is_watched_passes_as_any_other,
    nothing_is_encoded_for_an_observer,
    a_visit_that_fails_is_taken_as_well,
    a_session_may_close_before_its_model_began,
)


async def check_observer(case: ObserverCase, make: Make) -> None:
    """Run one case of the suite: a whole session that a new observer watches."""
    await case(make)
