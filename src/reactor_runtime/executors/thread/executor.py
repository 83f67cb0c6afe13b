"""The model and its three threads, for the length of the process."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import logging
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from pathlib import Path
from traceback import FrameSummary
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reactor_runtime.authoring.binding import bound
from reactor_runtime.authoring.building import build_model, loading
from reactor_runtime.authoring.context import Context, activate, deactivate, use
from reactor_runtime.authoring.description import describe
from reactor_runtime.authoring.lines import stack_of, told
from reactor_runtime.authoring.media import MediaBundle, TrackData
from reactor_runtime.authoring.model import VideoModel
from reactor_runtime.authoring.progress import LoadProgress
from reactor_runtime.errors import NoSessionError
from reactor_runtime.executors.port import Answer, ModelOutcome
from reactor_runtime.process.job_thread import JobThread
from reactor_runtime.session.audit.observer import AuditMode, SessionAudit
from reactor_runtime.session.causes import Causes
from reactor_runtime.session.losses import Lost
from reactor_runtime.session.session import Session

from .commands import CommandRunner
from .feed import MediaFeed
from .loop import SessionLoop

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from reactor_runtime.authoring.ports import WeightsSource

log = logging.getLogger(__name__)

STACK_LINES = 15
"""What is told of the place where a model hangs, in lines."""


class ThreadExecutor:
    """Implements `executors.port.Executor`. Runs author code, and only here: never on the event loop.

    `load` and `run` return futures that the model thread fills; the other methods do not block.
    """

    def __init__(
        self,
        model_class: type[VideoModel],
        config: DictConfig,
        weights: WeightsSource,
        audit: str = AuditMode.WARN,
    ) -> None:
        """`audit` is what follows from a leak; see `AuditMode`."""
        self.model_class = model_class
        self.description = describe(model_class)
        self._config = config
        self._weights = weights
        self.progress = LoadProgress()
        self._model: VideoModel | None = None
        self._context: Context | None = None
        self._session: Session | None = None
        self._loop = SessionLoop(own_thread=True)
        self.model_thread = JobThread("reactor-model")
        self.causes = Causes()
        self.commands = CommandRunner(self.description.commands, self.causes)
        self.feed = MediaFeed(self.causes)
        self.audit = SessionAudit(model_class, AuditMode(audit))
        self._wants_media = model_class.on_media is not VideoModel.on_media

    def load(self) -> Future[None]:
        """Build the model and warm it up. The future raises `ModelLoadError`.

        Call it again, between sessions, to build the model anew; the old one is dropped first.
        """
        again = self._model is not None
        if again:
            self._model = None
            self.progress = LoadProgress()
        return self.model_thread.submit(lambda: self._load(again))

    def begin(self, session: Session) -> None:
        """Attach a session before its model runs, so that early commands and frames find it."""
        context = Context(session)
        self._session, self._context = session, context
        self._loop = SessionLoop(own_thread=not self._is_async())
        activate(context)

    def run(self, session: Session) -> Future[ModelOutcome]:
        """Run `start_session`, wait for handlers that still run, then `reset`."""
        return self.model_thread.submit(lambda: self._run(session))

    def detach(self, session: Session) -> None:
        """Forget a session; what the author kept of it stops working."""
        if self._session is session and self._context is not None:
            deactivate(self._context)
            self._session = self._context = None

    def command(self, session: Session, name: str, arguments: Any, answer: Answer) -> None:
        """Queue a command of `session`."""
        model, context = self._attached(session)
        self.commands.submit(model, session, context, self._loop, name, arguments, answer)

    def media(self, session: Session, name: str, data: NDArray[np.uint8]) -> None:
        """Take a frame of the client. Engine threads."""
        if session is not self._session or session.timeline.stopping.is_set():
            return
        session.media.inputs.put_video(name, data)
        session.given.note_frame(data)
        self._feed(session, name, data)

    def sound(self, session: Session, name: str, block: NDArray[np.int16], rate: int, source: object) -> None:
        """Take a block ``(channels, M)`` of the client `source`. Engine threads."""
        if session is not self._session or session.timeline.stopping.is_set():
            return
        converted = session.media.inputs.put_audio(name, block, rate, source)
        if converted is not None:
            self._feed(session, name, converted)

    def _feed(self, session: Session, name: str, data: NDArray[Any]) -> None:
        track = session.tracks.get(name)
        # Read once: the event loop may end the session while this thread is here.
        model, context = self._model, self._context
        if model is None or context is None or session is not self._session:
            return
        if self._wants_media and track is not None and session.timeline.entered.is_set():
            # A copy: the hook may draw on it, and `latest()` and `read()` give what the client sent.
            bundle = MediaBundle({name: TrackData(track.to_info(), data.copy())})
            if not self.feed.put(model, context, bundle):
                session.lost.add(Lost.ON_MEDIA)

    def stacks(self) -> str:
        """Where the author's code is on each of its threads: the author's line first, in few lines."""
        lines = []
        frames = sys._current_frames()
        for name, ident in self._threads():
            frame = frames.get(ident or -1)
            stack = [] if frame is None else stack_of(frame)
            if any(_hosts_author_code(part) for part in stack):
                lines += [f"Thread {name}:", *(f"  {line}" for line in told(stack, STACK_LINES // 3))]
        lines += [f"Task {place}" for place in self._loop.waiting_in()]
        return "\n".join(lines[:STACK_LINES])

    def close(self) -> None:
        # The model first: at its end it waits for the other two.
        self.model_thread.close(timeout=0.2)
        self.feed.close()
        self.commands.close()

    def _threads(self) -> list[tuple[str, int | None]]:
        return [
            (self.model_thread.name, self.model_thread.ident),
            (self.commands.thread.name, self.commands.thread.ident),
            (self.feed.thread.name, self.feed.thread.ident),
        ]

    def _attached(self, session: Session) -> tuple[VideoModel, Context]:
        if self._model is None or self._context is None or session is not self._session:
            raise NoSessionError("This session is over.")
        return self._model, self._context

    def _is_async(self) -> bool:
        return inspect.iscoroutinefunction(inspect.unwrap(self.model_class.start_session))

    def _load(self, again: bool) -> None:
        if again:
            gc.collect()  # what the model before this one held, before the next one needs as much
        try:
            model = build_model(self.model_class, self._config, self._weights, self.progress)
            with (
                bound(self.model_class, self._weights, self.progress),
                loading(self.model_class, "warmup"),
            ):
                _run_hook(model.warmup)
            self._model = model
            self.audit.loaded(model, self._contexts())
        finally:
            self.progress.end()

    def _run(self, session: Session) -> ModelOutcome:
        model, context = self._attached(session)
        loop = self._loop
        with use(context), bound(self.model_class, self._weights):
            self.audit.begins(session)
            session.enter()
            error, reference = self._play(model, loop)
            session.stop()
            loop.grant_grace()
            if loop.on_model_thread:
                # Handlers that still run need the loop.
                loop.settle(self.commands.idle)
            else:
                self.commands.wait_idle()
            self.feed.end_session()
            # Before `reset`, which has the last word on what the model holds.
            unstopped = loop.cancel_leftovers()
            reset_error = self._reset(model, loop)
            unstopped += loop.cancel_leftovers()
            loop.close()
        report = self.audit.ended(model, session, self._contexts(), reset_error)
        return ModelOutcome(
            error,
            reset_error,
            tuple(dict.fromkeys(unstopped)),
            reference,
            report,
            self.audit.must_rebuild,
        )

    def _contexts(self) -> list[contextvars.Context]:
        """Those that author code runs in, on the model thread and on the idle command thread."""
        here = contextvars.copy_context()
        try:
            return [here, self.commands.thread.submit(contextvars.copy_context).result()]
        except CancelledError:
            return [here]  # the process is ending

    def _play(self, model: VideoModel, loop: SessionLoop) -> tuple[BaseException | None, str]:
        try:
            _run_hook(model.start_session, loop)
        # Whatever the author's loop raises ends this session, not the process.
        except BaseException as error:
            reference = self.causes.add("start_session", error)
            log.exception(
                "%s.start_session() failed (reference %s); the session ends",
                self.model_class.__name__,
                reference,
            )
            return error, reference
        return None, ""

    def _reset(self, model: VideoModel, loop: SessionLoop) -> BaseException | None:
        try:
            _run_hook(model.reset, loop)
        except BaseException as error:
            reference = self.causes.add("reset", error)
            log.exception(
                "%s.reset() failed (reference %s); the model may hold state of this user",
                self.model_class.__name__,
                reference,
            )
            return error
        return None


def _run_hook(hook: Callable[[], object], loop: SessionLoop | None = None) -> None:
    """Call a hook. One written as `async def` runs on the loop of its session, where that is this thread's,
    else on one of its own."""
    result = hook()
    if not inspect.iscoroutine(result):
        return
    if loop is not None and loop.on_model_thread:
        loop.run(result)
    else:
        asyncio.run(_await(result))


async def _await(coroutine: Coroutine[Any, Any, Any]) -> None:
    await coroutine


def _hosts_author_code(frame: FrameSummary) -> bool:
    """Whether a thread of ours is inside a call of the author's, or at work for one; not idle."""
    return frame.name in _CALLS_OF_AUTHORS and frame.filename.startswith(_HERE)


_HERE = str(Path(__file__).parent)
_CALLS_OF_AUTHORS = frozenset({"_run_hook", "_call"})
