"""What is due when, also after it was moved, cancelled and set again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.fleet.deadlines import Deadlines

OWNERS = st.sampled_from("abc")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), OWNERS, st.integers(0, 9)),
        st.tuples(st.just("cancel"), OWNERS, st.just(0)),
        st.tuples(st.just("due"), st.just(""), st.integers(0, 9)),
    )
)


@given(STEPS)
def test_it_is_a_dictionary_that_is_asked_by_time(steps: list[tuple[str, str, int]]) -> None:
    deadlines, known = Deadlines(), dict[str, int]()
    for step, owner, at in steps:
        if step == "set":
            deadlines.set("lease", owner, at)
            known[owner] = at
        elif step == "cancel":
            deadlines.cancel("lease", owner)
            known.pop(owner, None)
        else:
            expected = sorted(known[each] for each in known if known[each] <= at)
            due = list(deadlines.due(at))
            assert [known.pop(each) for _, each in due] == expected
            assert {kind for kind, _ in due} <= {"lease"}
        assert deadlines.next() == min(known.values(), default=None)
        assert {each for each in "abc" if deadlines.has("lease", each)} == known.keys()


def test_kinds_of_one_owner_are_apart() -> None:
    deadlines = Deadlines()
    deadlines.set("claim", "a", 1)
    deadlines.set("lease", "a", 2)
    deadlines.cancel("claim", "a")
    assert not deadlines.has("claim", "a")
    assert list(deadlines.due(2)) == [("lease", "a")]
    assert list(deadlines.due(9)) == []
