from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime.fleet.deadlines import Deadlines
from reactor_runtime.fleet.line import Line


def test_first_come_first_served() -> None:
    line = Line()
    orders = [line.join(name) for name in "abc"]
    assert line.head == "a"
    assert [line.position(order) for order in orders] == [1, 2, 3]
    line.leave("a", orders[0])
    assert (line.head, line.position(orders[1]), line.position(orders[0])) == ("b", 1, 0)


def test_who_lost_a_worker_goes_to_the_head() -> None:
    line = Line()
    line.join("a")
    line.join_at_head("lost")
    line.join_at_head("lost later")
    assert line.head == "lost later"


def test_a_place_that_a_store_remembers() -> None:
    line = Line()
    assert line.remember("b", 7, waits=True) == 7
    assert line.remember("a", -3, waits=True) == -3
    assert line.head == "a"
    assert line.join("c") == 8
    assert line.join_at_head("d") < -3


@pytest.mark.parametrize("order", [7, -7])
def test_the_number_of_who_played_when_the_gateway_ended_is_nobody_elses(order: int) -> None:
    line = Line()
    line.remember("plays", order, waits=False)
    assert (len(line), line.position(order)) == (0, 0)
    assert order not in (line.join("a"), line.join_at_head("b"))


def test_two_whom_a_store_gives_one_number_both_stand_in_line() -> None:
    line = Line()
    orders = {name: line.remember(name, 3, waits=True) for name in "ab"}
    assert [line.position(orders[name]) for name in "ab"] == [1, 2]


def test_who_leaves_takes_nobody_else_along() -> None:
    line = Line()
    order = line.join("a")
    line.leave("b", order)
    assert (line.head, line.position(order)) == ("a", 1)


@given(st.lists(st.sampled_from(["join", "head", "leave"]), max_size=60))
def test_positions_are_those_of_a_list(steps: list[str]) -> None:
    line, model, orders = Line(), list[str](), dict[str, int]()
    for number, step in enumerate(steps):
        name = str(number)
        if step == "join":
            orders[name] = line.join(name)
            model.append(name)
        elif step == "head":
            orders[name] = line.join_at_head(name)
            model.insert(0, name)
        elif model:
            gone = model.pop(number % len(model))
            line.leave(gone, orders[gone])
    assert [line.position(orders[name]) for name in model] == list(range(1, len(model) + 1))
    assert line.head == (model[0] if model else None)
    assert len(line) == len(model)


def test_deadlines_come_in_order_and_once() -> None:
    deadlines = Deadlines()
    deadlines.set("poll", "a", 5.0)
    deadlines.set("poll", "b", 3.0)
    deadlines.set("poll", "a", 1.0)
    deadlines.set("claim", "c", 2.0)
    deadlines.cancel("claim", "c")
    assert deadlines.next() == 1.0
    assert list(deadlines.due(4.0)) == [("poll", "a"), ("poll", "b")]
    assert list(deadlines.due(9.0)) == []
    assert deadlines.next() is None


def test_a_deadline_that_moved_on_is_not_due_at_its_old_time() -> None:
    deadlines = Deadlines()
    deadlines.set("poll", "a", 1.0)
    deadlines.set("poll", "a", 8.0)
    assert list(deadlines.due(5.0)) == []
    assert list(deadlines.due(8.0)) == [("poll", "a")]
