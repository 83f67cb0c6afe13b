"""Offers and answers of the 1.7 generation: status codes and literal JSON."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from reactor_runtime.clients.presence import NEGOTIATION_S
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.runtimes.http import HttpOptions
from reactor_runtime.runtimes.http.signalling import ANSWER_WAIT_S
from reactor_runtime.session.states import State
from reactor_runtime.testing import LeapingClock, MemoryServer, serve
from reactor_runtime.transports.sdp import SDP_LIMIT, parse

from .models import Painter
from .waiting import until

BASE = "/sessions/local/transport/webrtc"
OFFERS = Path(__file__).parents[2] / "transports" / "offers"


async def post_offer(server: MemoryServer, body: Any, method: str = "POST") -> Any:
    return await server.http.request(method, f"{BASE}/sdp_params", json=body)


async def started(server: MemoryServer) -> dict[str, Any]:
    await server.http.post("/start_session")
    return await server.client().offer()


# --- the way it goes ---


async def test_ice_servers_are_none_by_default() -> None:
    async with serve(Painter) as server:
        response = await server.http.get(f"{BASE}/ice_servers")

        assert (response.status_code, response.json()) == (200, {"ice_servers": []})


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_offer_is_taken_with_202_exactly(method: str) -> None:
    async with serve(Painter) as server:
        body = await started(server)
        response = await post_offer(server, body, method)

        assert response.status_code == 202


async def test_the_answer_is_polled() -> None:
    async with serve(Painter) as server:
        body = await started(server)
        await post_offer(server, body)
        response = await server.http.get(f"{BASE}/sdp_params")

        assert response.status_code == 200
        assert list(response.json()) == ["sdp_answer"]
        head, media = parse(response.json()["sdp_answer"])
        assert head[0] == "v=0"
        assert [(part.kind, part.mid, part.direction) for part in media][:2] == [
            ("video", "0", "sendonly"),
            ("video", "1", "recvonly"),
        ]
        assert "a=end-of-candidates" in media[0].lines


async def test_a_poll_before_the_answer_is_there_says_not_yet() -> None:
    clock, found = LeapingClock(), asyncio.Event()
    async with serve(Painter, clock=clock) as server:
        body = await started(server)
        create = server.engine.create_peer

        async def slow(*args: Any) -> Any:
            peer = await create(*args)
            gathered = peer.gathered

            async def later(within: float) -> str:
                await found.wait()
                return await gathered(within)

            peer.gathered = later
            return peer

        server.engine.create_peer = slow  # type: ignore[method-assign] # candidates take their time
        await post_offer(server, body)
        polls = [asyncio.ensure_future(server.http.get(f"{BASE}/sdp_params")) for _ in range(2)]
        clock.advance(ANSWER_WAIT_S / 2)
        assert (await server.http.get("/health")).status_code == 200
        assert not any(poll.done() for poll in polls)
        clock.advance(ANSWER_WAIT_S / 2)
        assert [(await poll).status_code for poll in polls] == [202, 202]
        found.set()
        assert (await server.http.get(f"{BASE}/sdp_params")).status_code == 200


async def test_a_new_offer_forgets_the_answer_before_it() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        first = await client.answer()
        again = server.client()
        await post_offer(server, await again.offer(), "PUT")

        assert await again.answer() != first


async def test_candidates_are_handed_on_and_unusable_ones_ignored() -> None:
    async with serve(Painter) as server:
        body = await started(server)
        await post_offer(server, body)
        usable = "candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host"
        candidates = [
            {"candidate": usable, "sdp_mid": "0", "sdp_mline_index": 0},
            {"candidate": "candidate:1 1 udp 2113937151 abc.local 50000 typ host", "sdp_mid": "0"},
            {"candidate": "candidate:1 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active"},
            {"candidate": ""},
        ]
        response = await server.http.post(
            f"{BASE}/ice_candidates", json={"candidates": candidates, "is_final": False, "client_info": {}}
        )

        assert response.status_code == 202
        assert [candidate.candidate for candidate in server.engine.peers[0].candidates] == [usable]


async def test_an_offer_without_a_mapping_meets_the_tracks_in_their_order() -> None:
    async with serve(Painter) as server:
        client = server.client()
        await client.start()
        offer = await client.offer()
        response = await post_offer(server, {"sdp_offer": offer["sdp_offer"]})
        client.wire.connect(await client.answer())

        assert response.status_code == 202
        await client.wait_frames(1, "main_video")


@pytest.mark.parametrize("name", ["chromium-balanced", "chromium-max-bundle", "aiortc"])
async def test_offers_of_real_clients_are_understood(name: str) -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        sdp = (OFFERS / f"{name}.sdp").read_bytes().decode()
        response = await post_offer(server, {"sdp_offer": sdp})

        assert response.status_code == 202
        [connection] = server.worker.clients.connections.values()
        assert connection.offer.has_channel
        assert connection.offer.sections[0].track == "main_video"
        assert [sender.codec.value for sender in connection.wire.video_senders] == ["H264"]


# --- what does not fit ---


async def test_without_a_session() -> None:
    async with serve(Painter) as server:
        body = await server.client().offer()
        for method, path, json in (
            ("POST", "sdp_params", body),
            ("PUT", "sdp_params", body),
            ("GET", "sdp_params", None),
            ("POST", "ice_candidates", {"candidates": []}),
        ):
            response = await server.http.request(method, f"{BASE}/{path}", json=json)
            assert response.status_code == 400
            assert response.json() == {
                "detail": "No session running (state READY); POST /start_session first.",
                "code": "no_session",
            }
        assert server.engine.peers == []


@pytest.mark.parametrize("session", ["other", "LOCAL", "%C3%A9", "..", "0"])
async def test_another_session_is_not_found(session: str) -> None:
    async with serve(Painter) as server:
        body = await started(server)
        for method, path, json in (
            ("GET", "ice_servers", None),
            ("POST", "sdp_params", body),
            ("PUT", "sdp_params", body),
            ("GET", "sdp_params", None),
            ("POST", "ice_candidates", {"candidates": []}),
        ):
            url = f"/sessions/{session}/transport/webrtc/{path}"
            response = await server.http.request(method, url, json=json)
            assert response.status_code == 404
            assert response.json()["code"] in ("unknown_session", "not_found")
        assert server.engine.peers == []


async def test_no_answer_without_an_offer() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        response = await server.http.get(f"{BASE}/sdp_params")

        assert response.status_code == 404
        assert response.json() == {"detail": "No pending SDP offer; POST one first.", "code": "no_offer"}


GARBAGE = [
    "",
    "garbage",
    "v=1\r\n",
    "v=0\r\n",
    "v=0\r\nm=video\r\n",
    "v=0\r\nm=video x UDP/TLS/RTP/SAVPF 96\r\n",
    "\x00" * 100,
    "v=0\r\n" + "a=x\r\n" * 1000,
]


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_sdp_is_400_and_starts_nothing(garbage: str) -> None:
    async with serve(Painter) as server:
        body = await started(server)
        response = await post_offer(server, {**body, "sdp_offer": garbage})

        assert response.status_code == 400
        assert response.json()["code"] == "invalid_sdp"
        assert server.engine.peers == []
        assert server.worker.life.state is State.WAITING
        assert (await server.http.get(f"{BASE}/sdp_params")).status_code == 404


async def test_an_offer_that_the_engine_refuses_leaves_nothing_behind() -> None:
    async with serve(Painter) as server:
        body = await started(server)
        create, made = server.engine.create_peer, []

        async def refusing(*args: Any) -> Any:
            peer = await create(*args)
            made.append(peer)

            async def answer(*_: Any) -> str:
                raise RefusedError(Refusal.INVALID, "invalid_sdp", "No.")

            peer.answer = answer  # type: ignore[method-assign] # an engine that refuses
            return peer

        server.engine.create_peer = refusing  # type: ignore[method-assign] # as above
        response = await post_offer(server, body)

        assert (response.status_code, response.json()) == (400, {"detail": "No.", "code": "invalid_sdp"})
        assert made[0].closed
        assert server.worker.clients.connections == {}


async def test_garbage_does_not_disturb_the_client_that_is_there() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        body = await server.client().offer()
        assert (await post_offer(server, {**body, "sdp_offer": "garbage"}, "PUT")).status_code == 400

        assert await client.command("runs") == 1


async def test_sdp_limit() -> None:
    async with serve(Painter) as server:
        body = await started(server)
        fits = body["sdp_offer"] + "a=x:" + "y" * (SDP_LIMIT - len(body["sdp_offer"]) - 6) + "\r\n"
        assert len(fits) == SDP_LIMIT
        response = await post_offer(server, {**body, "sdp_offer": fits + "z"})
        assert response.status_code == 413
        assert response.json()["code"] == "sdp_too_large"

        assert (await post_offer(server, {**body, "sdp_offer": fits})).status_code == 202


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "nothing"}, "unknown_track"),
        ({"mid": "9"}, "unknown_mid"),
        ({"mid": "2"}, "unknown_mid"),  # the section of the data channel
        ({"kind": "audio"}, "wrong_kind"),
        ({"direction": "sendonly"}, "wrong_direction"),
        ({"name": "webcam", "mid": "1", "direction": "sendonly"}, "duplicate_mapping"),
        ({"mid": "1"}, "duplicate_mapping"),
    ],
)
async def test_a_mapping_that_does_not_fit(change: dict[str, str], code: str) -> None:
    async with serve(Painter) as server:
        body = await started(server)
        body["track_mapping"][0].update(change)
        response = await post_offer(server, body)

        assert response.status_code == 400
        assert response.json()["code"] == code
        assert response.json()["detail"].endswith(".")
        assert server.engine.peers == []


def without(body: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != key}


SHAPES: list[tuple[Any, str]] = [
    ([], "body"),
    ("text", "body"),
    ({}, "sdp_offer"),
    ({"sdp_offer": 7}, "sdp_offer"),
    ({"sdp_offer": None}, "sdp_offer"),
    ({"sdp_offer": "v=0", "track_mapping": {}}, "track_mapping"),
    ({"sdp_offer": "v=0", "track_mapping": [{}]}, "track_mapping.0.mid"),
    (
        {"sdp_offer": "v=0", "track_mapping": [{"mid": "0", "name": "n", "kind": "text", "direction": "x"}]},
        "track_mapping.0.kind",
    ),
    (
        {"sdp_offer": "v=0", "track_mapping": [{"mid": 0, "name": "n", "kind": "video", "direction": "x"}]},
        "track_mapping.0.mid",
    ),
    ({"sdp_offer": "v=0", "client_info": []}, "client_info"),
]


@pytest.mark.parametrize(("body", "field"), SHAPES)
async def test_a_body_of_another_shape_is_422_and_names_the_field(body: Any, field: str) -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        response = await post_offer(server, body)

        assert response.status_code == 422
        assert response.json()["code"] == "invalid_request"
        assert response.json()["field"] == field
        assert field in response.json()["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"sdp_offer":"\\ud800"}', b"[" * 50000])
async def test_a_body_that_is_no_json_is_4xx(content: bytes) -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        headers = {"content-type": "application/json"}
        response = await server.http.post(f"{BASE}/sdp_params", content=content, headers=headers)

        assert response.status_code in (400, 422)
        assert set(response.json()) >= {"detail", "code"}


async def test_candidates_limit() -> None:
    async with serve(Painter) as server:
        await started(server)
        many = {"candidates": [{"candidate": "x"}] * 65}
        response = await server.http.post(f"{BASE}/ice_candidates", json=many)

        assert response.status_code == 422


async def test_offers_per_minute() -> None:
    async with serve(Painter, options=HttpOptions(offers_per_minute=3)) as server:
        body = await started(server)
        codes = [(await post_offer(server, body)).status_code for _ in range(5)]
        refused = await post_offer(server, body)

        assert codes == [202, 202, 202, 429, 429]
        assert refused.json()["code"] == "rate_limited"
        assert int(refused.headers["retry-after"]) >= 1


async def test_negotiation_limit() -> None:
    clock, options = LeapingClock(), HttpOptions(orphan_timeout=300)
    async with serve(Painter, options=options, clock=clock) as server:
        body = await started(server)
        await post_offer(server, body)
        [peer] = server.engine.peers
        clock.advance(NEGOTIATION_S - 5)
        assert (await server.http.get("/health")).status_code == 200
        assert len(server.worker.clients.connections) == 1
        clock.advance(5)
        await until(lambda: peer.closed)

        assert server.worker.clients.connections == {}
        assert peer.closed
        assert server.worker.life.state is State.WAITING


async def test_a_reconnect_never_inherits_the_deadline_of_an_older_offer() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        body = await started(server)
        await post_offer(server, body)
        clock.advance(NEGOTIATION_S - 10)
        client = server.client()
        await client.connect("PUT")
        clock.advance(15)

        assert await client.command("runs") == 1


# --- the rest of the surface ---


@pytest.mark.parametrize(
    "path", ["/nothing", "/sessions/local", "/web/../app.js", "/web/nothing.js", "/docs"]
)
async def test_what_is_not_there_is_404(path: str) -> None:
    async with serve(Painter) as server:
        response = await server.http.get(path)

        assert response.status_code == 404
        assert response.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/start_session"),
        ("POST", "/health"),
        ("DELETE", "/session"),
        ("PATCH", f"{BASE}/sdp_params"),
        ("PUT", "/stop_session"),
    ],
)
async def test_the_wrong_method_is_405(method: str, path: str) -> None:
    async with serve(Painter) as server:
        response = await server.http.request(method, path)

        assert response.status_code == 405
        assert response.json() == {"detail": "Method Not Allowed", "code": "method_not_allowed"}


async def test_health_and_schema() -> None:
    async with serve(Painter) as server:
        health = await server.http.get("/health")
        schema = await server.http.get("/schema")

        assert health.status_code == 200
        assert health.json() == {
            "status": "healthy",
            "model": "painter",
            "state": "READY",
            "errors_in_a_row": 0,
        }
        assert schema.status_code == 200
        assert schema.json()["openapi"] == "3.1.0"
        assert schema.json()["info"] == {"title": "painter", "version": "0.1.0"}


async def test_the_page_and_its_modules() -> None:
    async with serve(Painter) as server:
        page = await server.http.get("/")
        script = await server.http.get("/web/app.js")

        assert page.status_code == script.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert script.headers["content-type"].startswith("text/javascript")
        for response in (page, script):
            assert "default-src 'self'" in response.headers["content-security-policy"]
            assert response.headers["x-content-type-options"] == "nosniff"
