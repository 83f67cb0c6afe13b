"""One worker: carries out what `session.life` decides. Everything here runs on the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from reactor_runtime import loglines
from reactor_runtime.clients.clients import Clients
from reactor_runtime.clients.connection import Connection
from reactor_runtime.clients.dispatch import Dispatcher
from reactor_runtime.clients.negotiation import Offer
from reactor_runtime.clients.roles import Roles
from reactor_runtime.clients.signalling import Signalling
from reactor_runtime.clock import WALL, Clock, pause
from reactor_runtime.errors import NoSessionError, Refusal, RefusedError
from reactor_runtime.executors.port import Executor, ModelOutcome
from reactor_runtime.executors.thread.executor import ThreadExecutor
from reactor_runtime.loglines import Limits
from reactor_runtime.media.encoders import EncoderChoice
from reactor_runtime.process import forks, stdio
from reactor_runtime.protocol.descriptor import LOCAL_SESSION_ID, session_descriptor
from reactor_runtime.session import life
from reactor_runtime.session.life import Effect, Life
from reactor_runtime.session.run import SessionRun
from reactor_runtime.session.session import Session
from reactor_runtime.session.states import IN_SESSION, EndReason, State
from reactor_runtime.transports.port import Engine

from . import ending, loading, session_ids, told
from .background import Background
from .claims import SILENCE_S, Claims
from .journal import Journal
from .metrics import Metrics
from .standing import Standing
from .watching import observers_of

if TYPE_CHECKING:
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from reactor_runtime.authoring.description import ModelDescription
    from reactor_runtime.executors.port import Answer
    from reactor_runtime.project.project import Project
    from reactor_runtime.protocol.message_format import MessageFormat

    from .options import WorkerOptions

log = logging.getLogger(__name__)

CLOSE_WAIT_S = 10.0
"""How long `/stop_session` and `/start_session` wait for a session that is closing."""
WATCHDOG_S = 2.0
NOBODY_CAME = f"No client connected within {SILENCE_S:g} s, and another one asked for the model."


class Worker:
    """The session slot of this process, its connections and the model behind it."""

    def __init__(
        self,
        project: Project,
        options: WorkerOptions,
        engine: Engine,
        leave: Callable[[int], None],
        clock: Clock = WALL,
    ) -> None:
        """`leave(status)` is called once, when nothing is left to wait for."""
        self.options = options
        self.clock = clock
        self.life = _life_of(options)
        self.executor: Executor = ThreadExecutor(
            project.model_class, project.config, project.weights, options.audit
        )
        self.configuration = project.resolved_config
        """For operators: what the model was given, without what came from the environment."""
        self.standing = Standing(clock)
        self.run: SessionRun | None = None
        self.journal = Journal(clock)
        self.metrics = Metrics(self.model.name)
        self._limits = Limits()
        self._limits.install()
        loglines.sessions.append(self._session_number)
        self.clients = Clients(engine, options, self, clock)
        self.claims = Claims()
        self.dispatcher = Dispatcher(self)
        self.executor.causes.heard = lambda cause: self.call(told.failure, self.clients, cause)
        self._engine = engine
        self._leave: Callable[[int], None] | None = leave
        self._background = Background(asyncio.get_running_loop(), clock)
        self._background.spawn(self._watch())

    # --- what routes call ---

    def load(self) -> Future[None]:
        """Begin to build the model; returns at once what ends when that does."""
        building = self.executor.load()
        building.add_done_callback(lambda future: self.call(self._loaded, future))
        return building

    async def start_session(self, address: str = "", seed: int | None = None) -> dict[str, Any]:
        """`address` is whoever asks; without a `seed` one is drawn. Raises `RefusedError`."""
        await self._claim(address)
        number = self.life.start(self.clock.time())
        self.claims.started(address, self.clock.time())
        session = Session(
            number,
            session_ids.new(self.options.private_ids),
            self.model,
            self._wake,
            EncoderChoice(self.options.encoder),
            self.options.max_upload,
            observers_of(self, number),
            self.clock,
            self.options.seed if seed is None else seed,
        )
        self.clients.begin()
        self.dispatcher.begin()
        self.run = SessionRun(self.executor, session)
        self.run.begin()
        log.info("Session %d: waiting for its client", number)
        self._apply([])
        return self.descriptor()

    async def _claim(self, address: str) -> None:
        """Wait for the slot; a session that nobody came to gives way. Raises `RefusedError`."""
        await self._wait_while_closing()
        now = self.clock.time()
        if self.life.state is State.WAITING and self.claims.lapsed(address, now):
            self.claims.promise(address, now)
            self._apply(self.life.stop(now, EndReason.TIMED_OUT, NOBODY_CAME))
            await self._wait_while_closing()
        if self.life.state is State.READY and self.claims.kept_for_another(address, self.clock.time()):
            raise RefusedError(Refusal.CONFLICT, "session_running", "Another client is starting a session.")

    async def stop_session(self) -> State:
        """End the session and wait, within limits, until the slot is free. Idle is no error."""
        if self.life.state in IN_SESSION:
            self.end_session(EndReason.STOPPED, "The client ended the session.")
        await self._wait_while_closing()
        return self.life.state

    def end_session(self, reason: EndReason, message: str) -> None:
        """Begin the end of the session that runs. Raises `RefusedError` when none does."""
        self._apply(self.life.stop(self.clock.time(), reason, message))

    def descriptor(self) -> dict[str, Any]:
        return session_descriptor(
            session_id=LOCAL_SESSION_ID if self.session is None else self.session.session_id,
            state=self.life.state.value,
            model_name=self.model.name,
            capabilities=self.model.capabilities,
            number=self.life.number,
            started_at=self.standing.started_at,
            metadata=self.model.metadata,
            seed=None if self.session is None else self.session.seed,
        )

    def check_session_id(self, session_id: str) -> None:
        """`local` is always meant; anything else must be the running session. Raises `RefusedError`."""
        session_ids.check(session_id, "" if self.session is None else self.session.session_id)

    @property
    def model(self) -> ModelDescription:
        return self.executor.description

    @property
    def roles(self) -> Roles:
        return self.clients.roles

    @property
    def signalling(self) -> Signalling:
        return self.clients.signalling

    @property
    def session(self) -> Session | None:
        return None if self.run is None else self.run.session

    def require_session(self) -> Session:
        """Raises `RefusedError` when no session takes offers now."""
        if self.session is None or self.life.state not in IN_SESSION:
            raise RefusedError(
                Refusal.INVALID,
                "no_session",
                f"No session running (state {self.life.state}); POST /start_session first.",
            )
        return self.session

    async def connect(
        self, offer: Offer, connection_id: int, message_format: MessageFormat | None = None, address: str = ""
    ) -> Connection:
        """Answer an offer in the running session. Raises `RefusedError`."""
        session = self.require_session()
        self.claims.offered(self.clock.time())
        if connection_id == self.clients.last_controller:
            self._apply(self.life.returning(session.number, self.clock.time()))
        return await self.signalling.connect(
            session,
            offer,
            connection_id,
            message_format,
            running=lambda: self.session is session and self.life.state in IN_SESSION,
            address=address,
        )

    def page_loads(self, address: str) -> None:
        """Somebody's page is being loaded; from where the last controller came, it may be that one's."""
        if self.signalling.came_from(self.clients.last_controller, address):
            self._apply(self.life.loading(self.clock.time()))

    async def farewell(self, connection_id: int) -> None:
        """A client has said goodbye: whoever controlled it does not keep the slot of others."""
        await self.clients.farewell(self.require_session(), connection_id)

    def leave(self) -> None:
        """End the session, then the process."""
        self._apply(self.life.leave(self.clock.time()))

    def close_streams(self) -> None:
        """End what would keep a server from leaving: the streams of events."""
        self.journal.close()

    async def close(self) -> None:
        """Let go of everything; the loop ends after this."""
        self._background.cancel()
        self.close_streams()
        await self.clients.close_all()
        if self.run is not None:
            await asyncio.get_running_loop().run_in_executor(None, self.run.close)
        self.executor.close()
        self._engine.close()
        self._limits.remove()
        if self._session_number in loglines.sessions:
            loglines.sessions.remove(self._session_number)

    # --- ClientsOwner ---

    def presence(self, session: Session, present: bool) -> None:
        """Tell the session's life and the model whether any client is there."""
        if session is not self.session or present == session.connected:
            return
        who = "client connected" if present else "no client is connected"
        log.info("Session %d: %s", session.number, who)
        forks.close_on_exec()
        session.connected = present
        if present:
            self.claims.connected()
        change = self.life.connected if present else self.life.disconnected
        self._apply(change(session.number, self.clock.time()))

    def left(self, session: Session) -> None:
        self._apply(self.life.farewell(session.number, self.clock.time()))

    def let_go(self, connection: Connection) -> None:
        self.dispatcher.let_go(connection)

    def message(self, connection: Connection, label: str, data: bytes, binary: bool) -> None:
        self.dispatcher.message(connection, label, data, binary)

    def video(self, session: Session, track: str, rgb: NDArray[np.uint8]) -> None:
        self.executor.media(session, track, rgb)

    def sound(
        self, session: Session, track: str, block: NDArray[np.int16], rate: int, source: object
    ) -> None:
        self.executor.sound(session, track, block, rate, source)

    def note(self, kind: str, **data: object) -> None:
        self.journal.add(kind, session=self.life.number, **data)

    # --- DispatchOwner ---

    def command(self, session: Session, name: str, arguments: Any, answer: Answer) -> None:
        if self.run is None or self.run.session is not session:
            raise NoSessionError("This session is over.")
        self.run.command(name, arguments, answer)

    def count_command(self, name: str, code: str) -> None:
        self.metrics.command(name, code)

    def call(self, function: Callable[..., None], *args: object) -> None:
        """Run `function` on the loop, from any thread."""
        self._background.call(function, *args)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine to its end, and log what it raises."""
        self._background.spawn(coroutine)

    def _session_number(self) -> int | None:
        return None if self.session is None else self.life.number

    def free_slot(self, session: Session) -> None:
        """Nothing of a session is left."""
        if self.session is session:
            self.run = None
        self.claims.ended(self.clock.time())
        self.journal.forget(session.number)
        self._apply(self.life.cleaned(session.number))

    # --- messages out ---

    def send_pending(self, session: Session) -> None:
        """Send what the model has said since the last time."""
        told.messages(self.clients if session is self.session else None, session)

    # --- inside ---

    def _loaded(self, future: Future[None]) -> None:
        error = future.exception()
        if error is None:
            log.info("Model %s is ready", self.model.name)
            self._apply(self.life.loaded() if self.life.state is State.CREATED else [])
            return
        self.standing.load_error = loading.explain(error)
        if self.life.state is State.CREATED:
            self._apply(self.life.load_failed())

    def _apply(self, effects: list[Effect]) -> None:
        if (change := self.standing.look(self.life)) is not None:
            before, now = change
            self.note("transition", **{"from": before.value, "to": now.value})
            self.standing.listener()
        for effect in effects:
            self._carry_out(effect)
        self._schedule()

    def _carry_out(self, effect: Effect) -> None:
        run = self.run
        if effect is Effect.EXIT:
            self._exit()
        elif effect is Effect.KILL:
            ending.kill(self)
        elif effect is Effect.REBUILD:
            log.info("The model is built again before its next user")
            self.load()
        elif run is None:
            return
        elif effect is Effect.RUN_MODEL:
            run.play().add_done_callback(
                lambda ended: self.call(self._model_ended, run.session, ended.result())
            )
        elif effect is Effect.STOP_MODEL:
            run.stop()
        elif effect is Effect.FINISH:
            self.spawn(ending.finish(self, run))
        elif effect is Effect.WARN_STUCK:
            ending.warn_stuck(self)

    def _exit(self) -> None:
        """Say once that nothing is left to wait for; signals may ask again, and after a failed load too."""
        if self._leave is not None:
            leave, self._leave = self._leave, None
            leave(1 if self.standing.load_error or self.life.gave_up else 0)

    def _model_ended(self, session: Session, outcome: ModelOutcome) -> None:
        failed = outcome.error is not None
        self.standing.ended(failed or outcome.reset_error is not None)
        told_as = f" (reference {outcome.reference})" if outcome.reference else ""
        message = f"The model stopped because of an error{told_as}." if failed else ""
        self._apply(
            self.life.model_ended(
                session.number, self.clock.time(), failed, message, broken=outcome.must_rebuild
            )
        )

    async def _wait_while_closing(self) -> None:
        await self.standing.wait_while_closing(self.life, CLOSE_WAIT_S)

    async def _watch(self) -> None:
        while True:
            await pause(self.clock, WATCHDOG_S)
            stdio.plug()
            forks.close_on_exec()
            self._limits.report()
            await self.clients.drop_silent()
            await self.clients.look_for_losses()

    def _schedule(self) -> None:
        """Wake at the next deadline of the session's life."""
        self.standing.changed.set()
        deadline = self.life.deadline()
        delay = None if deadline is None else max(0.0, deadline - self.clock.time())
        self._background.wake_in(delay, self._tick)

    def _tick(self) -> None:
        self._apply(self.life.tick(self.clock.time()))

    def _wake(self, session: Session) -> None:
        self.call(self.send_pending, session)


def _life_of(options: WorkerOptions) -> Life:
    limits = life.Limits(
        options.orphan_timeout, options.max_session_duration, options.stuck_warning, options.kill_timeout
    )
    return Life(limits, rebuild=options.on_reset_error == "rebuild")
