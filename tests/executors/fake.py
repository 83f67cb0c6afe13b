"""An executor without author code or threads of its own: the size of a fake measures the port."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

from reactor_runtime import VideoModel
from reactor_runtime.authoring.description import describe
from reactor_runtime.authoring.progress import LoadProgress
from reactor_runtime.errors import NoSessionError, UnknownCommandError
from reactor_runtime.executors.port import Answer, CommandOutcome, ModelOutcome
from reactor_runtime.session.audit.observer import AuditMode, SessionAudit
from reactor_runtime.session.causes import Causes
from reactor_runtime.session.session import Session


class FakeExecutor:
    """Implements `executors.port.Executor`: a session runs until it is stopped, and commands answer their
    arguments."""

    def __init__(self, cls: type[VideoModel]) -> None:
        self.description = describe(cls)
        self.progress = LoadProgress()
        self.causes = Causes()
        self.audit = SessionAudit(cls, AuditMode.OFF)
        self._session: Session | None = None

    def load(self) -> Future[None]:
        loaded: Future[None] = Future()
        loaded.set_result(None)
        return loaded

    def begin(self, session: Session) -> None:
        self._session = session

    def run(self, session: Session) -> Future[ModelOutcome]:
        ended: Future[ModelOutcome] = Future()

        def play() -> None:
            session.enter()
            session.timeline.stopping.wait()
            ended.set_result(ModelOutcome())

        threading.Thread(target=play, daemon=True).start()
        return ended

    def detach(self, session: Session) -> None:
        if self._session is session:
            self._session = None

    def command(self, session: Session, name: str, arguments: Any, answer: Answer) -> None:
        if session is not self._session:
            raise NoSessionError("This session is over.")
        known = name in self.description.command_names
        error = None if known else UnknownCommandError(f"The model has no command {name!r}.")
        answer(CommandOutcome(session.next_frame(), "null" if known else None, error))

    def media(self, session: Session, name: str, data: Any) -> None:
        if session is self._session:
            session.media.inputs.put_video(name, data)

    def sound(self, session: Session, name: str, block: Any, rate: int, source: object) -> None:
        if session is self._session:
            session.media.inputs.put_audio(name, block, rate, source)

    def stacks(self) -> str:
        return ""

    def close(self) -> None:
        self._session = None
