from __future__ import annotations

import itertools

import pytest

from reactor_runtime.errors import Refusal
from reactor_runtime.session.states import (
    IN_SESSION,
    TABLE,
    Event,
    IllegalTransitionError,
    State,
    next_state,
)

LEGAL = {
    ("CREATED", "loaded"): "READY",
    ("CREATED", "load_failed"): "TERMINATED",
    ("CREATED", "terminate"): "TERMINATED",
    ("READY", "start"): "WAITING",
    ("READY", "terminate"): "TERMINATED",
    ("WAITING", "connected"): "STREAMING",
    ("WAITING", "end"): "CLOSING",
    ("STREAMING", "disconnected"): "ORPHANED",
    ("STREAMING", "end"): "CLOSING",
    ("ORPHANED", "connected"): "STREAMING",
    ("ORPHANED", "end"): "CLOSING",
    ("CLOSING", "cleaned"): "READY",
    ("CLOSING", "broken"): "CREATED",
    ("CLOSING", "terminate"): "TERMINATED",
}


def test_the_table() -> None:
    assert {(str(s), str(e)): str(t) for (s, e), t in TABLE.items()} == LEGAL


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_whatever_is_not_in_the_table_is_refused(state: State, event: Event) -> None:
    if (state, event) in TABLE:
        assert next_state(state, event) is TABLE[state, event]
        return
    with pytest.raises(IllegalTransitionError) as caught:
        next_state(state, event)

    assert caught.value.kind in (Refusal.CONFLICT, Refusal.UNAVAILABLE)
    assert caught.value.state is state
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("state", "kind", "code"),
    [
        (State.CREATED, Refusal.UNAVAILABLE, "loading"),
        (State.TERMINATED, Refusal.UNAVAILABLE, "terminated"),
        (State.WAITING, Refusal.CONFLICT, "session_running"),
        (State.STREAMING, Refusal.CONFLICT, "session_running"),
        (State.ORPHANED, Refusal.CONFLICT, "session_running"),
        (State.CLOSING, Refusal.CONFLICT, "session_closing"),
    ],
)
def test_what_a_client_is_told_that_starts_too_early(state: State, kind: Refusal, code: str) -> None:
    error = IllegalTransitionError(state, Event.START)

    assert (error.kind, error.code) == (kind, code)
    assert (error.retry_after == 1) == (state is State.CREATED)


def test_nothing_leads_out_of_terminated() -> None:
    assert not [state for state, _ in TABLE if state is State.TERMINATED]


def test_every_state_of_a_session_can_be_ended() -> None:
    assert {state for state, event in TABLE if event is Event.END} == IN_SESSION
