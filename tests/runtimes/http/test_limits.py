"""The limits of lesson 46, each with the number that is promised and the refusal that is typed."""

from __future__ import annotations

import json
import time

import pytest

from reactor_runtime.clients.ratelimit import COMMAND_BURST, COMMANDS_PER_S
from reactor_runtime.clients.roles import PEERS_LIMIT
from reactor_runtime.protocol.messages import CLIENT_MESSAGE_LIMIT
from reactor_runtime.runtimes.door.bodies import BODY_LIMIT
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.session.states import State
from reactor_runtime.testing import LeapingClock, serve
from reactor_runtime.transports.sdp import SDP_LIMIT

from .models import Painter
from .waiting import in_one_moment, until

SIGNALLING = "/sessions/local/transport/webrtc"


async def test_message_64_kib() -> None:
    assert CLIENT_MESSAGE_LIMIT == 64 * 1024
    async with serve(Painter) as server:
        client = await server.join()
        frame = {"scope": "application", "data": {"type": "runs", "data": {}, "id": 1, "pad": ""}}
        room = CLIENT_MESSAGE_LIMIT - len(json.dumps(frame))
        frame["data"]["pad"] = "x" * room  # type: ignore[index] # it is a dict
        client.send(frame)
        await client.until(lambda: client.outcome(1) is not None)  # type: ignore[arg-type] # numbers are ids too
        frame["data"]["pad"] += "x"  # type: ignore[index] # it is a dict
        client.send(frame)
        await client.until(lambda: bool(client.runtime_messages("commandError")))

        assert client.runtime_messages("commandError")[0]["code"] == "invalid_message"


async def test_sdp_64_kib() -> None:
    assert SDP_LIMIT == 64 * 1024
    async with serve(Painter) as server:
        client = server.client()
        await client.start()
        body = await client.offer()
        body["sdp_offer"] += "a=x:" + "y" * (SDP_LIMIT - len(body["sdp_offer"]) - 6) + "\r\n"
        fits = await server.http.post(f"{SIGNALLING}/sdp_params", json=body)
        body["sdp_offer"] += "x"
        large = await server.http.post(f"{SIGNALLING}/sdp_params", json=body)

        assert fits.status_code == 202
        assert (large.status_code, large.json()["code"]) == (413, "sdp_too_large")


async def test_body_10_mib() -> None:
    assert BODY_LIMIT == 10 * 1024 * 1024
    async with serve(Painter) as server:
        response = await server.http.post("/start_session", content=b"x" * (BODY_LIMIT + 1))

        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
        assert server.worker.life.state is State.READY


async def test_commands_200_a_second_with_a_burst_of_400(monkeypatch: pytest.MonkeyPatch) -> None:
    in_one_moment(monkeypatch)
    assert (COMMANDS_PER_S, COMMAND_BURST) == (200, 400)
    async with serve(Painter) as server:
        client = await server.join()
        requests = [client.post("runs") for _ in range(1000)]
        await client.until(lambda: len(client.wire.messages) >= 1000, within=30)
        answers = {m["data"]["data"]["id"]: m["data"]["data"] for m in client.received}
        codes = [answers[request].get("code", "ok") for request in requests]

        assert set(codes) == {"ok", "rate_limited"}
        assert "rate_limited" not in codes[:COMMAND_BURST]
        assert client.runtime_messages("sessionEnded") == []


async def test_other_messages_count_as_well() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        began = time.monotonic()
        for index in range(1000):
            client.send({"scope": "runtime", "data": {"type": "requestSchema", "data": {}, "id": index}})
        await client.until(lambda: len(client.wire.messages) >= 1000, within=30)

        allowed = COMMAND_BURST + COMMANDS_PER_S * (time.monotonic() - began)
        assert COMMAND_BURST <= len(client.runtime_messages("modelSchema")) <= allowed + 1
        assert {e["code"] for e in client.runtime_messages("commandError")} <= {"rate_limited"}


async def test_64_peers_a_session() -> None:
    assert PEERS_LIMIT == 64
    options = HttpOptions(viewers=1000, offers_per_minute=0)
    async with serve(Painter, options=options) as server:
        await server.join()
        for _ in range(PEERS_LIMIT - 1):
            await server.client().connect()
        response = await server.http.post(f"{SIGNALLING}/sdp_params", json=await server.client().offer())

        assert (response.status_code, response.json()["code"]) == (503, "too_many_viewers")


async def test_20_offers_a_minute_from_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    in_one_moment(monkeypatch)
    assert HttpOptions().offers_per_minute == 20
    async with serve(Painter) as server:
        server.worker.signalling.offers.per_minute = 20  # the kit itself counts nothing
        client = server.client()
        await client.start()
        body = await client.offer()
        codes = [
            (await server.http.put(f"{SIGNALLING}/sdp_params", json=body)).status_code for _ in range(22)
        ]

        assert codes == [202] * 20 + [429] * 2
        limited = await server.http.put(f"{SIGNALLING}/sdp_params", json=body)
        assert (limited.json()["code"], limited.headers["retry-after"]) == ("rate_limited", "3")


async def test_negotiation_30_s() -> None:
    clock, options = LeapingClock(), HttpOptions(orphan_timeout=300)
    async with serve(Painter, options=options, clock=clock) as server:
        client = server.client()
        await client.start()
        await server.http.post(f"{SIGNALLING}/sdp_params", json=await client.offer())
        clock.advance(25)
        assert (await server.http.get("/health")).status_code == 200
        assert len(server.worker.clients.connections) == 1
        clock.advance(5)
        await until(lambda: not server.worker.clients.connections)
        assert (await server.http.get(f"{SIGNALLING}/sdp_params")).status_code == 404


async def test_idle_peer_20_s() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        silent = await server.join()
        pinging = server.client()
        await pinging.connect()
        pinging.send({"scope": "runtime", "data": {"type": "ping", "data": {}}})
        clock.advance(15)
        await server.worker.clients.drop_silent()
        assert not pinging.wire.closed
        clock.advance(5.001)
        await server.worker.clients.drop_silent()
        await pinging.until(lambda: pinging.wire.closed)

        assert not silent.wire.closed  # it never pinged, so it is not watched
        assert server.worker.life.state is State.STREAMING


async def test_orphan_30_s() -> None:
    assert HttpOptions().orphan_timeout == 30
    clock = LeapingClock()
    async with serve(Painter, options=HttpOptions(orphan_timeout=30), clock=clock) as server:
        (await server.join()).leave()
        await server.wait_state(State.ORPHANED)
        clock.advance(30)
        await server.wait_state(State.READY)

        assert (await server.http.get("/session")).json()["last_end"]["reason"] == "timed_out"
