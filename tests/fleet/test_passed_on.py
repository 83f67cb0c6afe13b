"""What is said to `reactor serve`, or to its gateway, and is meant for the workers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from tests.fleet.serving import Fleet, serving


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with serving("--workers", "1", "--log-format", "json", "--seed", "11") as running:
        yield running


@pytest.fixture(autouse=True)
def nobody_left(fleet: Fleet) -> Iterator[None]:
    yield
    httpx.post(f"{fleet.url}/stop_session")
    fleet.wait_ready(1)


@pytest.mark.parametrize(("body", "seed"), [({"seed": 4711}, 4711), ({}, 11)])
def test_the_seed_of_a_claim_is_its_sessions(fleet: Fleet, body: dict[str, int], seed: int) -> None:
    ticket = fleet.ticket()
    fleet.until(lambda: fleet.place(ticket)["state"] == "offered", "its turn never came")
    claim = httpx.post(f"{fleet.url}/tickets/{ticket}/claim", json=body).json()
    assert httpx.get(f"{claim['base_url']}/session").json()["seed"] == seed


def test_the_seed_of_a_client_that_knows_no_line_is_its_sessions(fleet: Fleet) -> None:
    started = httpx.post(f"{fleet.url}/start_session", json={"seed": 4711})
    assert (started.status_code, started.json()["seed"]) == (200, 4711)


@pytest.mark.parametrize("seed", [-1, 2**32, "7", True, 1.5])
def test_a_seed_that_is_none_is_refused_and_the_turn_is_kept(fleet: Fleet, seed: object) -> None:
    ticket = fleet.ticket()
    fleet.until(lambda: fleet.place(ticket)["state"] == "offered", "its turn never came")
    refused = httpx.post(f"{fleet.url}/tickets/{ticket}/claim", json={"seed": seed})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert fleet.place(ticket)["state"] == "offered"
    httpx.delete(f"{fleet.url}/tickets/{ticket}")


def test_every_line_of_the_log_is_an_object_and_says_whose_it_is(fleet: Fleet) -> None:
    httpx.post(f"{fleet.url}/start_session", json={})
    fleet.until(lambda: "waiting for its client" in fleet.log, "the worker logs nothing")
    lines = [line for line in fleet.log.splitlines() if re.search(r"\S", line)]
    objects = [json.loads(line) for line in lines if line.startswith("{")]
    assert [line for line in lines if not line.startswith("{")] == []
    assert {each.get("worker") for each in objects} == {None, "w1"}
