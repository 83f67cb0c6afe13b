"""Calls of states that came too fast: the newest of each, in the order in which they came."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.clients.late import LateCalls
from reactor_runtime.protocol.messages import CommandMessage


def _all(late: LateCalls) -> list[CommandMessage]:
    return list(iter(late.take, None))


CALLS = st.lists(st.tuples(st.sampled_from(("turn", "walk", "jump")), st.integers()))


def test_the_newest_of_a_state_replaces_the_one_that_waits() -> None:
    late = LateCalls()
    old, new = CommandMessage("turn", {"by": 1}), CommandMessage("turn", {"by": 2})
    assert not late
    assert late.put(old) is None
    assert late.put(new) is old
    assert late.take("turn") is new
    assert late.take("turn") is None
    assert not late


def test_what_is_renewed_goes_to_the_end() -> None:
    late = LateCalls()
    for name in ("turn", "walk", "turn"):
        late.put(CommandMessage(name, None))
    assert [call.name for call in _all(late)] == ["walk", "turn"]


def test_a_state_that_does_not_wait_is_not_taken_for_another() -> None:
    late = LateCalls()
    late.put(CommandMessage("turn", None))
    assert late.take("walk") is None
    assert late


@given(CALLS)
def test_every_state_comes_out_once_with_its_newest_arguments(calls: list[tuple[str, int]]) -> None:
    late = LateCalls()
    replaced = [late.put(CommandMessage(name, value)) for name, value in calls]
    newest = dict(calls)
    out = _all(late)
    assert {call.name: call.arguments for call in out} == newest
    assert len(out) == len(newest)
    # Nothing vanishes: what does not come out was given back as replaced.
    assert len([each for each in replaced if each]) == len(calls) - len(newest)
