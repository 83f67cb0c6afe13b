"""One run of a session: begin → run → stop → drain → reset → audit → close, told to observers.

A worker, `reactor bench`, `reactor test` and the tests' rig go through the same steps; they differ in who
asks for the next one, and when.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

from .outcome import Answer, CommandOutcome, ModelOutcome

if TYPE_CHECKING:
    from .session import Session

DRAIN_S = 2.0
"""How long the last frames and messages of a session may take to leave."""


class ModelPort(Protocol):
    """What plays sessions: the part of an `Executor` that a run needs."""

    def begin(self, session: Session) -> None: ...

    def run(self, session: Session) -> Future[ModelOutcome]: ...

    def detach(self, session: Session) -> None: ...

    def command(self, session: Session, name: str, arguments: Any, answer: Answer) -> None: ...


class SessionRun:
    """A session on a model. The steps are asked for in order, on any thread; `play` at most once."""

    def __init__(self, model: ModelPort, session: Session) -> None:
        self.session = session
        self._model = model
        self._closed = False
        self._command_applied = session.observers.teller("command_applied")

    def begin(self) -> None:
        """Attach the session: early commands and frames find it from now on."""
        self._model.begin(self.session)
        self.session.media.plane.expect()
        self.session.observers.tell("started", self.session)

    def play(self) -> Future[ModelOutcome]:
        """Run `start_session` to its end, then `reset` and the audit. The future never raises."""
        ended: Future[ModelOutcome] = Future()

        def finished(played: Future[ModelOutcome]) -> None:
            failure = played.exception()
            # A visit that we could not even end says nothing about the model's state.
            outcome = ModelOutcome(failure, failure) if failure is not None else played.result()
            self.session.observers.tell("model_ended", outcome)
            ended.set_result(outcome)

        self._model.run(self.session).add_done_callback(finished)
        return ended

    def command(self, name: str, arguments: Any, answer: Answer) -> None:
        """Queue a command; `answer` is called exactly once, on any thread. Raises `NoSessionError`."""
        tell = self._command_applied
        if tell is None:
            self._model.command(self.session, name, arguments, answer)
            return

        def applied(outcome: CommandOutcome) -> None:
            answer(outcome)
            tell(name, outcome)

        self._model.command(self.session, name, arguments, applied)

    def stop(self) -> None:
        """Ask the model to return; nothing is waited for."""
        self.session.stop()

    def drain(self, within: float = DRAIN_S) -> bool:
        """Wait until the last frames and sounds have left; False when `within` seconds were not enough."""
        return self.session.drain(within)

    def close(self, reason: str = "") -> None:
        """Forget the session and let go of all it holds. Twice is once. Joins threads of media."""
        if self._closed:
            return
        self._closed = True
        self._model.detach(self.session)
        self.session.close()
        self.session.observers.tell("closing", reason)
        self.session.observers.end()

    def finish(
        self, ended: Future[ModelOutcome], within: float, *, drain: float = DRAIN_S, reason: str = "stopped"
    ) -> ModelOutcome:
        """The whole end, for whoever may wait. Raises `TimeoutError` when the model does not return."""
        self.stop()
        try:
            outcome = ended.result(within)
            self.drain(drain)
            return outcome
        finally:
            self.close(reason)
