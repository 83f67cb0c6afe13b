"""`RayEngine` with a real Ray: the suite of every engine, and what Ray brings. `driver.py` runs all, once."""

from __future__ import annotations

import pytest

from reactor_runtime.testing import ENGINE_CASES

pytestmark = pytest.mark.timeout(240)
BEYOND = (
    "each_worker_has_its_gpu_and_its_name",
    "a_killed_actor_takes_its_worker_along_and_another_comes",
    "a_frozen_actor_is_ended_and_gives_its_place_back",
    "an_engine_that_closed_leaves_no_gpu_taken",
    "a_server_that_is_told_the_address_of_a_cluster_serves",
    "the_commands_of_the_document_are_those_of_ray",
    "a_worker_for_whom_no_gpu_is_free_finds_no_room_until_one_is",
    "a_slot_whose_worker_ends_three_times_is_failing",
    "who_loses_a_node_goes_on_at_another",
)
SUITE = tuple(case.__name__ for case in ENGINE_CASES)


@pytest.mark.parametrize("case", SUITE)
def test_the_suite_of_every_engine(came_of: dict[str, str], case: str) -> None:
    assert came_of[case] == ""


@pytest.mark.parametrize("case", BEYOND)
def test_with_ray(came_of: dict[str, str], case: str) -> None:
    assert came_of[case] == ""


def test_every_case_is_run(came_of: dict[str, str]) -> None:
    assert sorted(came_of) == sorted([*BEYOND, *SUITE]), came_of.get("the driver")
