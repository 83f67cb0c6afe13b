"""`RayEngine` with a real Ray: the suite of every engine, and what Ray brings."""

from __future__ import annotations

import pytest

from reactor_runtime.testing import ENGINE_CASES

from .conftest import Driver

pytestmark = pytest.mark.timeout(240)
BEYOND = (
    "each_worker_has_its_gpu_and_its_name_and_leaves_none_taken",
    "a_killed_actor_takes_its_worker_along_and_another_comes",
    "a_frozen_actor_is_ended_and_gives_its_place_back",
    "a_worker_for_whom_no_gpu_is_free_finds_no_room_until_one_is",
    "a_slot_whose_worker_ends_three_times_is_failing",
)


@pytest.mark.parametrize("case", [case.__name__ for case in ENGINE_CASES])
def test_the_suite_of_every_engine(one: Driver, case: str) -> None:
    one.run(case)


@pytest.mark.parametrize("case", BEYOND)
def test_with_ray(one: Driver, case: str) -> None:
    one.run(case)


def test_every_case_is_run(one: Driver) -> None:
    assert sorted(one.cases) == sorted([*BEYOND, *(case.__name__ for case in ENGINE_CASES)])


def test_who_loses_a_node_goes_on_at_another(two: Driver) -> None:
    two.run("who_loses_a_node_goes_on_at_another")
