"""The seat is the client's own: nobody gets another's place, nobody keeps the model from everybody."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from tests.runtimes.http.models import Painter
from tests.runtimes.http.waiting import for_a_seat, in_one_moment, until

from reactor_runtime.clients import descriptors, seats
from reactor_runtime.clients.pending import FIRST_ID, LAST_ID, PENDING_LIMIT
from reactor_runtime.clients.signalling import UNKNOWN_IDS_PER_MINUTE
from reactor_runtime.errors import CommandError, RefusedError
from reactor_runtime.session.states import State
from reactor_runtime.testing import Client, LeapingClock, MemoryServer, serve
from reactor_runtime.worker import claims as claims_module
from reactor_runtime.worker.claims import Claims

WEBRTC = "/sessions/local/transport/webrtc"
ELSEWHERE = "192.0.2.7"


@asynccontextmanager
async def from_elsewhere(server: MemoryServer, address: str = ELSEWHERE) -> AsyncIterator[httpx.AsyncClient]:
    """Requests of another machine."""
    app = server.http._transport.app  # type: ignore[attr-defined] # the kit's own transport has one
    transport = httpx.ASGITransport(app, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as http:
        yield http


async def announced(http: httpx.AsyncClient) -> int:
    return int((await http.post(f"{WEBRTC}/connections")).raise_for_status().json()["connection_id"])


async def connect_as(client: Client, number: int) -> None:
    path = f"{WEBRTC}/connections/{number}/sdp_params"
    (await client.http.put(path, json=await client.offer())).raise_for_status()
    client.wire.connect((await client.http.get(path)).json()["sdp_answer"])


async def steers(client: Client) -> bool:
    request = client.post("runs")
    await client.until(lambda: client.outcome(request) is not None)
    return (client.outcome(request) or {}).get("code") != "not_controller"


# --- ids ---


async def test_ids_are_random_and_are_told_to_nobody_else() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        ids = {await announced(server.http) for _ in range(50)}
        assert len(ids) == 50
        assert all(FIRST_ID <= number <= LAST_ID for number in ids)
        assert (FIRST_ID, LAST_ID) == (2**31, 2**32 - 1)

        client = server.client()
        await connect_as(client, mine := ids.pop())
        await client.wait_frames(1)
        seen = [str(event.data) for event in server.worker.journal.since(0)]
        seen.append((await server.http.get("/session")).text)
        assert not any(str(mine) in text for text in seen)


async def test_a_client_without_an_id_has_one_that_nobody_can_name() -> None:
    async with serve(Painter) as server:
        await server.join()
        [connection] = server.worker.clients.connections.values()
        assert connection.id >= FIRST_ID
        refused = await server.http.get(f"{WEBRTC}/connections/1001/sdp_params")
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown_connection")


async def test_guessing_is_limited_by_address_and_locks_nobody_else_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_one_moment(monkeypatch)
    async with serve(Painter) as server:
        server.worker.signalling.lookups.per_minute = UNKNOWN_IDS_PER_MINUTE
        await server.http.post("/start_session")
        mine = await announced(server.http)
        async with from_elsewhere(server) as stranger:
            path = f"{WEBRTC}/connections/{{}}/ice_candidates"
            guesses = [
                await stranger.post(path.format(FIRST_ID + i), json={"candidates": []})
                for i in range(UNKNOWN_IDS_PER_MINUTE + 5)
            ]
            codes = [response.status_code for response in guesses]
            assert codes == [404] * UNKNOWN_IDS_PER_MINUTE + [429] * 5
            assert guesses[-1].json()["code"] == "rate_limited"
            assert int(guesses[-1].headers["retry-after"]) >= 1
            # A guess that is right looks like the others by now.
            assert (await stranger.post(path.format(mine), json={"candidates": []})).status_code == 429
        assert (await server.http.post(path.format(mine), json={"candidates": []})).status_code == 202


# --- the place of a live client ---


async def come_back(server: MemoryServer, clock: LeapingClock) -> Client:
    """A client that comes back beside one that is live: it waits for that one, and time passes."""
    client = server.client()
    connecting = asyncio.ensure_future(client.connect("PUT"))
    await for_a_seat(server)
    clock.advance(seats.CONSENT_WAIT_S)
    await connecting
    return client


async def test_a_put_beside_a_live_client_waits_and_then_looks_on() -> None:
    assert (seats.CONSENT_WAIT_S, seats.HEIR_S) == (3.0, 30.0)
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        first = await server.join()
        second = server.client()
        connecting = asyncio.ensure_future(second.connect("PUT"))
        await for_a_seat(server)
        clock.advance(seats.CONSENT_WAIT_S / 2)
        assert (await server.http.get("/health")).status_code == 200
        assert not connecting.done()
        clock.advance(seats.CONSENT_WAIT_S / 2)
        await connecting
        await second.wait_frames(1)

        assert (first.end, await steers(first), await steers(second)) == (None, True, False)


async def test_it_inherits_the_role_when_the_first_goes() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        first = await server.join()
        viewer = server.client()
        await viewer.connect()
        heir = await come_back(server, clock)
        first.leave()
        await heir.until(lambda: {"role": "controller"} in heir.runtime_messages("role"))

        assert (await steers(heir), await steers(viewer)) == (True, False)


async def test_it_inherits_nothing_later() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        first = await server.join()
        late = await come_back(server, clock)
        clock.advance(seats.HEIR_S)
        first.leave()
        await late.until(lambda: len(late.runtime_messages("role")) == 2)

        assert not await steers(late)


async def test_the_wait_ends_when_the_first_goes() -> None:
    async with serve(Painter) as server:
        first = await server.join()
        again = server.client()
        connecting = asyncio.ensure_future(again.connect("PUT"))
        await for_a_seat(server)
        first.leave()
        await connecting

        assert await steers(again)


async def test_an_offer_that_waits_for_its_turn_does_not_join_the_next_session() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        first, second = server.client(), server.client()
        (await server.http.post(f"{WEBRTC}/sdp_params", json=await first.offer())).raise_for_status()
        # Its answer is not fetched, so who names no connection either has to wait.
        body = await second.offer()
        waiting = asyncio.create_task(server.http.post(f"{WEBRTC}/sdp_params", json=body))
        await until(server.worker.signalling.default_turn.locked)
        await server.http.post("/stop_session")
        await server.http.post("/start_session")
        answer = await waiting
        assert (answer.status_code, answer.json()["code"]) == (409, "session_ended")
        assert not server.worker.clients.connections


async def test_an_offer_of_a_client_that_still_connects_is_not_taken_from_elsewhere() -> None:
    async with serve(Painter) as server:
        first = server.client()
        await first.start()
        await server.http.post(f"{WEBRTC}/sdp_params", json=await first.offer())
        answer = await first.answer()
        async with from_elsewhere(server) as stranger:
            other = server.client()
            body = await other.offer()
            assert (await stranger.put(f"{WEBRTC}/sdp_params", json=body)).status_code == 202
        first.wire.connect(answer)

        assert await steers(first)


async def test_a_flat_post_beside_a_live_flat_client_is_a_further_client() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        await server.http.post("/start_session")
        wires = [server.client().wire for _ in range(2)]
        for wire in wires:
            body = {"sdp": wire.create_offer(), "type": "offer"}
            asking = asyncio.ensure_future(server.http.post("/sdp_params", json=body))
            if wire is wires[1]:
                await for_a_seat(server)
                clock.advance(seats.CONSENT_WAIT_S)
            wire.connect((await asking).raise_for_status().json()["sdp"])

        assert [wire.closed for wire in wires] == [False, False]
        assert len((await server.http.get("/session")).json()["clients"]) == 2


# --- the slot, and announcements ---


async def test_announcing_without_end_pushes_out_the_own_announcements() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        mine = await announced(server.http)
        async with from_elsewhere(server) as flooder:
            theirs = [await announced(flooder) for _ in range(3 * PENDING_LIMIT)]
            nothing: dict[str, Any] = {"candidates": []}
            gone = await flooder.post(f"{WEBRTC}/connections/{theirs[0]}/ice_candidates", json=nothing)
        kept = await server.http.post(f"{WEBRTC}/connections/{mine}/ice_candidates", json=nothing)

        assert (kept.status_code, gone.status_code) == (202, 404)


async def test_a_session_that_nobody_connects_to_gives_way() -> None:
    assert claims_module.SILENCE_S == 10.0
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        assert (await server.http.post("/start_session")).status_code == 200
        async with from_elsewhere(server) as other:
            assert (await other.post("/start_session")).status_code == 409
            clock.advance(claims_module.SILENCE_S)
            assert (await server.http.post("/start_session")).status_code == 409  # it is its own
            assert (await other.post("/start_session")).status_code == 200
            assert (await server.http.get("/session")).json()["last_end"]["reason"] == "timed_out"


async def test_a_session_with_a_client_gives_way_to_nobody() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        client = await server.join()
        client.leave()
        await server.wait_state(State.ORPHANED)
        clock.advance(2 * claims_module.SILENCE_S)
        async with from_elsewhere(server) as other:
            assert (await other.post("/start_session")).status_code == 409


def test_claims_in_a_row_count_as_one() -> None:
    claims = Claims()
    for begin in (0.0, 3.1, 6.2, 9.3):
        claims.started("a", begin)
        claims.offered(begin + 0.1)  # only the first is given time for
        claims.ended(begin + 3.0)
    claims.started("a", 10.0)
    assert not claims.lapsed("b", 10.0)
    assert claims.lapsed("b", 10.2)
    assert not claims.lapsed("a", 10.2)
    claims.promise("b", 10.2)
    assert claims.kept_for_another("a", 10.3)
    assert not claims.kept_for_another("b", 10.3)
    assert not claims.kept_for_another("a", 16.0)
    claims.started("b", 10.4)
    assert not claims.lapsed("a", 10.5)
    claims.ended(14.0)
    claims.started("a", 30.0)  # much later: a claim of its own
    assert not claims.lapsed("b", 39.0)


# --- descriptors ---


@pytest.mark.parametrize(("limit", "taken"), [(1024, 202), (300, 503)])
async def test_offers_end_before_the_descriptors_do(
    monkeypatch: pytest.MonkeyPatch, limit: int, taken: int
) -> None:
    monkeypatch.setattr(descriptors, "open_descriptors", lambda: 160)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (limit, limit))
    async with serve(Painter) as server:
        server.engine.descriptors_per_peer = 24
        await server.http.post("/start_session")
        number = await announced(server.http)  # an announcement costs nothing
        body = await server.client().offer()
        response = await server.http.post(f"{WEBRTC}/connections/{number}/sdp_params", json=body)

        assert response.status_code == taken
        if taken == 503:
            assert response.json()["code"] == "too_many_peers"
            assert int(response.headers["retry-after"]) >= 1


def test_peers_that_are_coming_count() -> None:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors.admit_peer(0, 10**9)
    descriptors.admit_peer(1, 0)
    with pytest.raises(RefusedError, match="descriptors"):
        descriptors.admit_peer(1, limit)


# --- the journal ---


async def test_the_journal_keeps_no_text_of_a_clients_and_no_names_after_the_end() -> None:
    async with serve(Painter) as server:

        def kept() -> list[dict[str, Any]]:
            return [event.data for event in server.worker.journal.since(0)]

        client = await server.join()
        await client.command("set_level", level=1)
        with pytest.raises(CommandError):
            await client.command("my password is hunter2")
        during = [data.get("command") for data in kept() if "outcome" in data]
        assert during == ["set_level", "unknown"]
        assert "hunter2" not in str(kept())
        await client.stop()

        assert not any({"command", "connection"} & data.keys() for data in kept())
        assert [data["outcome"] for data in kept() if "outcome" in data] == ["ok", "unknown_command"]
