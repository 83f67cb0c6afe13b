"""The broker queues as theory says that a line with several servers does."""

from __future__ import annotations

import pytest
from fleet.grants import measure
from fleet.queueing import Load, by_broker, by_recursion, erlang_c, mean_wait, people_of, summed


def test_erlang_c_gives_the_textbooks_figures() -> None:
    assert erlang_c(Load(0.5, 1.0, 1)) == pytest.approx(0.5)
    assert erlang_c(Load(2.0, 1.0, 3)) == pytest.approx(0.4444, abs=1e-4)
    assert mean_wait(Load(0.5, 1.0, 1)) == pytest.approx(1.0)


@pytest.mark.parametrize("workers", [1, 4, 16])
def test_everybody_waits_as_long_as_a_line_makes_them(workers: int) -> None:
    load = Load(0.8 * workers / 100.0, 100.0, workers)
    people = people_of(load, 1_500)
    assert by_broker(load, people) == pytest.approx(by_recursion(load, people))


@pytest.mark.parametrize("workers", [1, 4, 16])
def test_the_mean_is_within_five_percent_of_theory(workers: int) -> None:
    load = Load(0.7 * workers / 100.0, 100.0, workers)
    waits = summed(by_recursion(load, people_of(load, 400_000)))
    assert waits.mean == pytest.approx(mean_wait(load), rel=0.05)
    assert waits.waited == pytest.approx(erlang_c(load), rel=0.05)


def test_grants_are_measured() -> None:
    grants = measure()
    assert 0 < grants.p50 <= grants.p99 <= grants.worst
