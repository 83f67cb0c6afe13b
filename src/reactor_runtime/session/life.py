"""The life of a worker: states, session numbers, deadlines. Sans-IO, with the time as an argument.

Every report carries the number of the session it is about; a report about another session is stale and does
nothing. Methods return effects, in order, for the caller to carry out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reactor_runtime.errors import Refusal, RefusedError

from .states import IN_SESSION, EndReason, Event, IllegalTransitionError, State, next_state

REBUILDING = (
    "The model could not be reset after its last user and is being built again; try again in a moment."
)


FAREWELL_S = 3.0
"""Grace of a client that has said goodbye: enough for a page that is loaded again."""


class Effect(StrEnum):
    """What the caller must do."""

    RUN_MODEL = "run_model"
    """Call `start_session` on the model thread, then report `model_ended`."""
    STOP_MODEL = "stop_model"
    """Make `should_stop()` true and wake whatever waits."""
    FINISH = "finish"
    """Drain, tell the clients, close the wires, then report `cleaned`."""
    WARN_STUCK = "warn_stuck"
    """Log the stack of the model thread, tell the clients and close the wires; the model has not returned."""
    REBUILD = "rebuild"
    """Build the model again, then report `loaded` or `load_failed`."""
    KILL = "kill"
    """The model will not return: end the process."""
    EXIT = "exit"
    """Nothing is left to wait for: leave."""


@dataclass(frozen=True)
class Limits:
    """In seconds; 0 means no limit."""

    orphan: float = 30.0
    duration: float = 0.0
    stuck: float = 5.0
    kill: float = 60.0


@dataclass(frozen=True)
class SessionEnd:
    """Why session `number` ended, in a word and in a sentence for the client."""

    number: int
    reason: EndReason
    message: str


class Life:
    """Not thread-safe: used on the event loop only. `now` is in seconds of one monotonic clock."""

    def __init__(self, limits: Limits | None = None, rebuild: bool = True) -> None:
        """A model that could not be reset is built again with `rebuild`; else the worker ends."""
        self.limits = limits or Limits()
        self._rebuild = rebuild
        self.broken = False
        """The model may hold state of its last user, and nobody may meet it."""
        self.gave_up = False
        """The worker ends because of that."""
        self.state = State.CREATED
        self.number = 0
        self.end: SessionEnd | None = None
        self.leaving = False
        self._model_running = False
        self._finishing = False
        self._wait_until: float | None = None
        self._cap_at: float | None = None
        self._stuck_at: float | None = None
        self._kill_at: float | None = None
        self._closing_since: float | None = None
        self._grace_until: float | None = None
        """The last client has said goodbye: so long it had been waited for without that."""

    def loaded(self) -> list[Effect]:
        self.broken = False
        self.state = next_state(self.state, Event.LOADED)
        return self._leave_if_asked()

    def load_failed(self) -> list[Effect]:
        self.state = next_state(self.state, Event.LOAD_FAILED)
        return [Effect.EXIT]

    def start(self, now: float) -> int:
        """Begin a session and return its number. Raises `IllegalTransitionError`."""
        if self.leaving:
            raise IllegalTransitionError(State.TERMINATED, Event.START)
        if self.broken and self.state is State.CREATED:
            raise RefusedError(Refusal.UNAVAILABLE, "model_failing", REBUILDING, retry_after=1)
        self.state = next_state(self.state, Event.START)
        self.number += 1
        self.end = None
        self._wait_until = _after(now, self.limits.orphan)
        self._cap_at = None
        self._grace_until = None
        return self.number

    def connected(self, number: int, now: float) -> list[Effect]:
        """A client's media and messages can flow."""
        if number != self.number or self.state not in (State.WAITING, State.ORPHANED):
            return []
        first = self.state is State.WAITING
        self.state = next_state(self.state, Event.CONNECTED)
        self._wait_until = None
        self._grace_until = None
        if not first:
            return []
        self._model_running = True
        self._cap_at = _after(now, self.limits.duration)
        return [Effect.RUN_MODEL]

    def disconnected(self, number: int, now: float) -> list[Effect]:
        """The last client is gone."""
        if number != self.number or self.state is not State.STREAMING:
            return []
        self.state = next_state(self.state, Event.DISCONNECTED)
        self._wait_until = _after(now, self.limits.orphan)
        return []

    def farewell(self, number: int, now: float) -> list[Effect]:
        """The controller has said goodbye: a short grace, for a page that is loaded again."""
        if number == self.number and self.state is State.ORPHANED and self._wait_until is not None:
            if self._grace_until is None:
                self._grace_until = self._wait_until
            self._wait_until = min(self._wait_until, now + FAREWELL_S)
        return []

    def loading(self, now: float) -> list[Effect]:
        """Perhaps the page of who has said goodbye is loaded again: its scripts are still to come, which
        takes seconds over a slow network. Never longer than for a client that said nothing."""
        if self.state is State.ORPHANED and self._grace_until is not None:
            self._wait_until = min(self._grace_until, now + FAREWELL_S)
        return []

    def returning(self, number: int, now: float) -> list[Effect]:
        """The client that had said goodbye is coming back: it has the whole grace to connect."""
        if number == self.number and self.state is State.ORPHANED and self._grace_until is not None:
            self._grace_until = None
            self._wait_until = _after(now, self.limits.orphan)
        return []

    def free_in(self, now: float) -> float | None:
        """Seconds until a session without a client ends; None when that is not near."""
        if self.state is not State.ORPHANED or self._wait_until is None:
            return None
        return max(0.0, self._wait_until - now)

    def hung(self, now: float) -> tuple[float, float | None] | None:
        """For how long the model has not returned from a session that is over, and after how many seconds
        more the process ends; None when it has returned."""
        if self.state is not State.CLOSING or not self._model_running or self._closing_since is None:
            return None
        return now - self._closing_since, None if self._kill_at is None else max(0.0, self._kill_at - now)

    def stop(self, now: float, reason: EndReason, message: str) -> list[Effect]:
        """End the session. Without a session this raises `IllegalTransitionError`."""
        self.state = next_state(self.state, Event.END)
        self.end = SessionEnd(self.number, reason, message)
        self._wait_until = self._cap_at = None
        if not self._model_running:
            return self._finish()
        self._closing_since = now
        self._stuck_at = _after(now, self.limits.stuck)
        self._kill_at = _after(now, self.limits.kill)
        return [Effect.STOP_MODEL]

    def model_ended(
        self, number: int, now: float, failed: bool, message: str = "", broken: bool = False
    ) -> list[Effect]:
        """`start_session` has returned or raised, and `reset` has run; `broken` when that raised."""
        if number != self.number or not self._model_running:
            return []
        self.broken = broken
        self._model_running = False
        self._stuck_at = self._kill_at = None
        if self.state in IN_SESSION:
            reason = EndReason.ERROR if failed else EndReason.COMPLETED
            return self.stop(now, reason, message or "The model has finished.")
        return self._finish()

    def cleaned(self, number: int) -> list[Effect]:
        """Wires are closed and queues are empty: the slot is free."""
        if number != self.number or self.state is not State.CLOSING or self._model_running:
            return []
        self._finishing = False
        if self.broken and not self._rebuild:
            self.leaving = self.gave_up = True
        if not self.broken or self.leaving:
            self.state = next_state(self.state, Event.CLEANED)
            return self._leave_if_asked()
        self.state = next_state(self.state, Event.BROKEN)
        return [Effect.REBUILD]

    def leave(self, now: float) -> list[Effect]:
        """The process is asked to end: end the session first, then go."""
        self.leaving = True
        if self.state in IN_SESSION:
            return self.stop(now, EndReason.SHUTDOWN, "The server is shutting down.")
        if self.state is State.CLOSING or self._model_running:
            # The session's end is awaited; or it was in vain, and the process is being ended.
            return []
        return self._leave_if_asked()

    def deadline(self) -> float | None:
        """When `tick` next has something to do."""
        times = [t for t in (self._wait_until, self._cap_at, self._stuck_at, self._kill_at) if t is not None]
        return min(times) if times else None

    def tick(self, now: float) -> list[Effect]:
        """Carry out the deadlines that have passed."""
        if _passed(self._wait_until, now):
            return self.stop(now, EndReason.TIMED_OUT, self._timeout_message())
        if _passed(self._cap_at, now):
            return self.stop(
                now, EndReason.TIME_CAP, f"The session reached its limit of {self.limits.duration:g} s."
            )
        effects = []
        if _passed(self._stuck_at, now):
            self._stuck_at = None
            effects.append(Effect.WARN_STUCK)
        if _passed(self._kill_at, now):
            self._kill_at = None
            self.state = State.TERMINATED
            effects.append(Effect.KILL)
        return effects

    def _finish(self) -> list[Effect]:
        if self._finishing:
            return []
        self._finishing = True
        return [Effect.FINISH]

    def _leave_if_asked(self) -> list[Effect]:
        if not self.leaving:
            return []
        if self.state is not State.TERMINATED:
            self.state = next_state(self.state, Event.TERMINATE)
        return [Effect.EXIT]

    def _timeout_message(self) -> str:
        if self.state is State.WAITING:
            return f"No client connected within {self.limits.orphan:g} s."
        if self._grace_until is not None:
            return "The client has left."
        return f"The client was gone for {self.limits.orphan:g} s."


def _after(now: float, limit: float) -> float | None:
    return now + limit if limit > 0 else None


def _passed(deadline: float | None, now: float) -> bool:
    return deadline is not None and now >= deadline
