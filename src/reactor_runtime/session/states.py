"""The states of a worker and every legal step between them. The one place that says so."""

from __future__ import annotations

from enum import StrEnum

from reactor_runtime.errors import Refusal, RefusedError


class State(StrEnum):
    """Where a worker stands. Upper case on the wire, in the descriptor."""

    CREATED = "CREATED"
    READY = "READY"
    WAITING = "WAITING"
    STREAMING = "STREAMING"
    ORPHANED = "ORPHANED"
    CLOSING = "CLOSING"
    TERMINATED = "TERMINATED"


class Event(StrEnum):
    """What can happen to a worker."""

    LOADED = "loaded"
    LOAD_FAILED = "load_failed"
    START = "start"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    END = "end"
    CLEANED = "cleaned"
    BROKEN = "broken"
    """The wires are closed, but the model could not be reset: it must be built again."""
    TERMINATE = "terminate"


class EndReason(StrEnum):
    """Why a session ended, as clients are told."""

    STOPPED = "stopped"
    COMPLETED = "completed"
    TIMED_OUT = "timed_out"
    TIME_CAP = "time_cap"
    REPLACED = "replaced"
    ERROR = "error"
    SHUTDOWN = "shutdown"


IN_SESSION = frozenset({State.WAITING, State.STREAMING, State.ORPHANED})
"""States in which a session can still be ended."""

TABLE: dict[tuple[State, Event], State] = {
    (State.CREATED, Event.LOADED): State.READY,
    (State.CREATED, Event.LOAD_FAILED): State.TERMINATED,
    (State.CREATED, Event.TERMINATE): State.TERMINATED,
    (State.READY, Event.START): State.WAITING,
    (State.READY, Event.TERMINATE): State.TERMINATED,
    (State.WAITING, Event.CONNECTED): State.STREAMING,
    (State.WAITING, Event.END): State.CLOSING,
    (State.STREAMING, Event.DISCONNECTED): State.ORPHANED,
    (State.STREAMING, Event.END): State.CLOSING,
    (State.ORPHANED, Event.CONNECTED): State.STREAMING,
    (State.ORPHANED, Event.END): State.CLOSING,
    (State.CLOSING, Event.CLEANED): State.READY,
    (State.CLOSING, Event.BROKEN): State.CREATED,
    (State.CLOSING, Event.TERMINATE): State.TERMINATED,
}


class IllegalTransitionError(RefusedError):
    """Something was asked that the present state does not allow: a conflict, or unavailable where waiting
    or leaving is the cure.
    """

    def __init__(self, state: State, event: Event) -> None:
        kind, code, message = _refusal(state, event)
        super().__init__(kind, code, message, retry_after=1 if state is State.CREATED else None)
        self.state = state


def next_state(state: State, event: Event) -> State:
    """Raises `IllegalTransitionError`."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise IllegalTransitionError(state, event) from None


def _refusal(state: State, event: Event) -> tuple[Refusal, str, str]:
    if state is State.CREATED:
        return Refusal.UNAVAILABLE, "loading", "The model is still loading; try again in a moment."
    if state is State.TERMINATED:
        return Refusal.UNAVAILABLE, "terminated", "This worker has ended; start it again."
    if event is Event.START and state in IN_SESSION:
        return (
            Refusal.CONFLICT,
            "session_running",
            f"A session is running (state {state}); it must end before another starts.",
        )
    if state is State.CLOSING:
        return (
            Refusal.CONFLICT,
            "session_closing",
            "The last session is still closing; try again in a moment.",
        )
    return Refusal.CONFLICT, "no_session", f"This cannot be done in state {state}; start a session first."
