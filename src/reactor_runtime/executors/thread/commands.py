"""Commands of clients, one at a time, in order of arrival, on one thread that is not the model's."""

from __future__ import annotations

import asyncio
import inspect
import logging
import queue
from collections.abc import Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from reactor_runtime.authoring.active import use
from reactor_runtime.authoring.command import CommandSpec
from reactor_runtime.errors import (
    CommandError,
    InternalCommandError,
    MessageError,
    RateLimitedError,
    UnknownCommandError,
)
from reactor_runtime.executors.port import Answer, CommandOutcome
from reactor_runtime.executors.thread.loop import SessionLoop
from reactor_runtime.executors.thread.waiting import PENDING_LIMIT, Call, WaitingCalls
from reactor_runtime.loglines import client
from reactor_runtime.process.job_thread import JobThread
from reactor_runtime.protocol.jsonable import to_json
from reactor_runtime.session.audit.given import vocabulary_of
from reactor_runtime.session.causes import Causes

if TYPE_CHECKING:
    from reactor_runtime.authoring.context import Context
    from reactor_runtime.authoring.model import VideoModel
    from reactor_runtime.session.session import Session

log = logging.getLogger(__name__)

GATE_POLL_S = 0.1


class CommandRunner:
    """Owns the command thread. `submit` may be called on the event loop: it never blocks."""

    def __init__(self, specs: Mapping[str, CommandSpec], causes: Causes | None = None) -> None:
        self._specs = specs
        self._causes = causes or Causes()
        self._vocabularies: dict[str, frozenset[str]] = {}
        self._waiting = WaitingCalls()
        self.thread = JobThread("reactor-commands")  # what waits is bounded by `WaitingCalls`

    def submit(
        self,
        model: VideoModel,
        session: Session,
        context: Context,
        loop: SessionLoop,
        name: str,
        arguments: Any,
        answer: Answer,
    ) -> None:
        """Run a command; `answer` is called exactly once, on the command thread or right here."""
        spec = self._specs.get(name)
        if spec is None:
            answer(
                CommandOutcome(session.next_frame(), error=UnknownCommandError(_unknown(name, self._specs)))
            )
            return
        who = client.get()

        def run(call: Call) -> None:
            client.set(who)
            answer(self._run(model, session, context, loop, spec, call))

        state = (session.number, name) if spec.coalesce else None
        call = Call(run, lambda: answer(_superseded(session)), arguments, state)
        try:
            replaced = self._waiting.add(call)
        except queue.Full:
            answer(
                CommandOutcome(
                    session.next_frame(),
                    error=RateLimitedError(f"{PENDING_LIMIT} commands are waiting already; send fewer."),
                )
            )
            return
        if replaced is not None:
            replaced.superseded()  # its turn on the thread is this one's now
        else:
            self.thread.post(self._next)

    def _next(self) -> None:
        call = self._waiting.take()
        call.run(call)

    def wait_idle(self) -> None:
        """Return when every command submitted so far has been answered; however long a handler takes."""
        # Cancelled when the process is ending, and the thread with it.
        with suppress(CancelledError):
            self.thread.submit(lambda: None).result()

    async def idle(self) -> None:
        """`wait_idle` for a loop that goes on meanwhile."""
        with suppress(CancelledError, asyncio.CancelledError):
            await asyncio.wrap_future(self.thread.submit(lambda: None))

    def close(self) -> None:
        self.thread.close()

    def _run(
        self,
        model: VideoModel,
        session: Session,
        context: Context,
        loop: SessionLoop,
        spec: CommandSpec,
        call: Call,
    ) -> CommandOutcome:
        while not session.timeline.entered.wait(GATE_POLL_S):
            pass
        outcome = self._try(model, session, context, loop, spec, call.arguments)
        if isinstance(outcome.error, CommandError):
            # What it replaced was told `superseded`; no call that is refused may take its place.
            for arguments in reversed(call.earlier):
                if self._try(model, session, context, loop, spec, arguments).error is None:
                    break
        return outcome

    def _try(
        self,
        model: VideoModel,
        session: Session,
        context: Context,
        loop: SessionLoop,
        spec: CommandSpec,
        arguments: Any,
    ) -> CommandOutcome:
        if session.timeline.stopping.is_set():
            return _ended(session)
        try:
            session.given.note(arguments, self._vocabulary(spec))
            with use(context):
                result = self._call(model, loop, spec, spec.validate(arguments))
            text = None if result is None else to_json(result, what=f"the command {spec.name!r}")
            return CommandOutcome(session.next_frame(), result=text)
        except CommandError as error:
            log.warning("Command %r was refused: %s", spec.name, error)
            return CommandOutcome(session.next_frame(), error=error)
        except MessageError as error:
            log.warning("Command %r ran, but its result cannot be sent: %s", spec.name, error)
            return CommandOutcome(session.next_frame(), error=InternalCommandError())
        except (CancelledError, asyncio.CancelledError):
            log.warning("Command %r had not ended when its session did, and was cancelled", spec.name)
            return _ended(session)
        # An author's handler may raise anything, `sys.exit()` included; the session goes on.
        except BaseException as error:
            reference = self._causes.add(spec.name, error)
            log.exception("Command %r failed (reference %s)", spec.name, reference)
            return CommandOutcome(session.next_frame(), error=InternalCommandError(reference=reference))

    def _vocabulary(self, spec: CommandSpec) -> frozenset[str]:
        known = self._vocabularies.get(spec.name)
        if known is None:
            known = self._vocabularies[spec.name] = vocabulary_of(spec.flat_schema())
        return known

    def _call(
        self, model: VideoModel, loop: SessionLoop, spec: CommandSpec, arguments: dict[str, Any]
    ) -> Any:
        result = spec.call(model, arguments)
        return loop.call(result) if inspect.iscoroutine(result) else result


def _ended(session: Session) -> CommandOutcome:
    return CommandOutcome(session.next_frame(), error=CommandError("session_ended", "The session has ended."))


def _superseded(session: Session) -> CommandOutcome:
    return CommandOutcome(session.next_frame(), superseded=True)


def _unknown(name: str, specs: Mapping[str, CommandSpec]) -> str:
    known = ", ".join(sorted(specs)) or "none"
    return f"The model has no command {name!r}. Its commands: {known}."
