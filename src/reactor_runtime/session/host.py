"""The model and its three threads, for the length of the process."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import queue
import sys
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reactor_runtime.authoring.binding import bound
from reactor_runtime.authoring.building import build_model, loading
from reactor_runtime.authoring.command import commands_of
from reactor_runtime.authoring.context import Context, activate, deactivate, use
from reactor_runtime.authoring.decorator import spec_of
from reactor_runtime.authoring.media import MediaBundle, TrackData
from reactor_runtime.authoring.model import VideoModel
from reactor_runtime.authoring.progress import LoadProgress
from reactor_runtime.errors import NoSessionError

from .audit.observer import AuditMode, SessionAudit
from .commands import Answer, CommandRunner
from .feed import MediaFeed
from .losses import Lost
from .session import Session
from .worker import WorkerThread

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from reactor_runtime.authoring.ports import WeightsSource

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelOutcome:
    """How `start_session` ended: `error` is what it raised."""

    error: BaseException | None = None


class ModelHost:
    """Runs author code, and only here: never on the event loop.

    `load` and `run` return futures that the model thread fills; the other methods do not block.
    """

    def __init__(
        self,
        model_class: type[VideoModel],
        config: DictConfig,
        weights: WeightsSource,
        audit: AuditMode = AuditMode.WARN,
    ) -> None:
        self.model_class = model_class
        self.spec = spec_of(model_class)
        self._config = config
        self._weights = weights
        self.progress = LoadProgress()
        self._model: VideoModel | None = None
        self._context: Context | None = None
        self._session: Session | None = None
        self.model_thread = WorkerThread("reactor-model")
        self.commands = CommandRunner(commands_of(model_class))
        self.command_names = frozenset(commands_of(model_class))
        self.feed = MediaFeed()
        self.audit = SessionAudit(model_class, audit)
        self._wants_media = model_class.on_media is not VideoModel.on_media

    def load(self) -> Future[None]:
        """Build the model and warm it up. The future raises `ModelLoadError`."""
        return self.model_thread.submit(self._load)

    def begin(self, session: Session) -> None:
        """Attach a session before its model runs, so that early commands and frames find it."""
        context = Context(session)
        self._session, self._context = session, context
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
        self.commands.submit(model, session, context, name, arguments, answer)

    def media(self, session: Session, name: str, data: NDArray[np.uint8]) -> None:
        """Take a frame of the client. Engine threads."""
        if session is not self._session or session.stopping.is_set():
            return
        session.inputs.put_video(name, data)
        session.given.note_frame(data)
        self._feed(session, name, data)

    def sound(self, session: Session, name: str, block: NDArray[np.int16], rate: int, source: object) -> None:
        """Take a block ``(channels, M)`` of the client `source`. Engine threads."""
        if session is not self._session or session.stopping.is_set():
            return
        converted = session.inputs.put_audio(name, block, rate, source)
        if converted is not None:
            self._feed(session, name, converted)

    def _feed(self, session: Session, name: str, data: NDArray[Any]) -> None:
        track = session.tracks.get(name)
        # Read once: the event loop may end the session while this thread is here.
        model, context = self._model, self._context
        if model is None or context is None or session is not self._session:
            return
        if self._wants_media and track is not None and session.entered.is_set():
            bundle = MediaBundle({name: TrackData(track.to_info(), data)})
            if not self.feed.put(model, context, bundle):
                session.lost.add(Lost.ON_MEDIA)

    def stacks(self) -> str:
        """Where the author's code is on each of its threads."""
        parts = []
        frames = sys._current_frames()
        for name, ident in self._threads():
            frame = frames.get(ident or -1)
            if frame is not None:
                parts.append(f"Thread {name}:\n" + "".join(traceback.format_stack(frame)))
        return "\n".join(parts)

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

    def _load(self) -> None:
        self._model = None  # there may be no room for two
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
        outcome = ModelOutcome()
        with use(context), bound(self.model_class, self._weights):
            self.audit.begins()
            session.enter()
            try:
                _run_hook(model.start_session)
            # Whatever the author's loop raises ends this session, not the process.
            except BaseException as error:
                outcome = ModelOutcome(error)
                log.exception("%s.start_session() failed; the session ends", self.model_class.__name__)
            session.stop()
            self.commands.wait_idle()
            self.feed.end_session()
            reset_error = self._reset(model)
        self.audit.ended(model, session, self._contexts(), reset_error)
        return outcome

    def _contexts(self) -> list[contextvars.Context]:
        """Those that author code runs in, on the model thread and on the idle command thread."""
        here = contextvars.copy_context()
        try:
            return [here, self.commands.thread.submit(contextvars.copy_context).result()]
        except (queue.Full, CancelledError):
            return [here]  # the process is ending

    def _reset(self, model: VideoModel) -> BaseException | None:
        try:
            _run_hook(model.reset)
        except BaseException as error:
            log.exception(
                "%s.reset() failed; the next user may find state of this one", self.model_class.__name__
            )
            return error
        return None


def _run_hook(hook: Callable[[], object]) -> None:
    """Call a hook; one written as `async def` gets an event loop of its own in this thread."""
    result = hook()
    if inspect.iscoroutine(result):
        asyncio.run(_await(result))


async def _await(coroutine: Coroutine[Any, Any, Any]) -> None:
    await coroutine
