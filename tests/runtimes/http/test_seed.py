"""A session's seed and its clock."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from reactor_runtime import VideoModel, command, get_ctx, model
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.session.session import Session
from reactor_runtime.testing import VirtualClock, serve


@model("dice")
class Dice(VideoModel):
    def start_session(self) -> None:
        drawn = (random.random(), float(np.random.rand()))
        get_ctx().send({"seed": get_ctx().seed, "drawn": drawn})
        while not get_ctx().wait_stop(0.05):
            pass

    @command("now")
    def now(self) -> float:
        return get_ctx().now()


async def throw(server: Any, seed: int | None) -> tuple[int, Any]:
    client = await server.join(seed)
    (said,) = await client.wait_said()
    told = (await server.http.get("/session")).json()["seed"]
    await client.stop()
    assert said["seed"] == told
    return told, said["drawn"]


async def test_the_given_seed_is_told_and_seeds_what_the_model_draws() -> None:
    async with serve(Dice) as server:
        first, again = await throw(server, 4_000_000_000), await throw(server, 4_000_000_000)
        assert first == again
        assert first[0] == 4_000_000_000


async def test_without_one_it_is_drawn_for_each_session() -> None:
    async with serve(Dice) as server:
        first, again = await throw(server, None), await throw(server, None)
        assert first[0] != again[0]
        assert first[1] != again[1]
        random.seed(first[0])
        assert random.random() == first[1][0]


async def test_an_operators_seed_is_for_sessions_that_bring_none() -> None:
    async with serve(Dice, options=HttpOptions(seed=5)) as server:
        assert (await throw(server, None))[0] == 5
        assert (await throw(server, 6))[0] == 6


async def test_no_seed_is_told_while_nothing_runs() -> None:
    async with serve(Dice) as server:
        assert "seed" not in (await server.http.get("/session")).json()


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "7", True, [7]])
async def test_what_is_no_seed_is_refused(seed: Any) -> None:
    async with serve(Dice) as server:
        response = await server.http.post("/start_session", json={"seed": seed})
        assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
        assert (await server.http.get("/session")).json()["state"] == "READY"


@pytest.mark.parametrize(
    "body", [b"", b"\xff\0", b"[" * 4000, b"null", b'{"seed": null}', b'{"seed": "' + b"x" * 5000 + b'"}']
)
async def test_other_bodies_are_those_of_older_clients(body: bytes) -> None:
    async with serve(Dice) as server:
        response = await server.http.post("/start_session", content=body)
        assert response.status_code == 200
        assert 0 <= response.json()["seed"] < 2**32


async def test_now_counts_from_the_start_of_the_session() -> None:
    async with serve(Dice) as server:
        client = await server.join()
        first = await client.command("now")
        assert 0 <= first <= await client.command("now") < 60


def test_now_follows_the_sessions_clock() -> None:
    clock = VirtualClock(100.0)
    async_free = Session(1, "s", _description(), lambda _: None, clock=clock)
    assert async_free.now() == 0.0
    async_free.enter()
    clock.advance(2.5)
    assert async_free.now() == 2.5
    async_free.close()


def _description() -> Any:
    from reactor_runtime.authoring.description import describe

    return describe(Dice)
