"""Several clients in one session: who controls, who looks on, who comes back, what each is told."""

from __future__ import annotations

import asyncio
import functools
import re
import threading
import time
from typing import Any

import httpx
import numpy as np
import pytest

from reactor_runtime import VideoModel, VideoOut, command, get_ctx, model
from reactor_runtime.clients import pending as pending_module
from reactor_runtime.clients import seats as seats_module
from reactor_runtime.clients import signalling as signalling_module
from reactor_runtime.errors import CommandError
from reactor_runtime.media import plane as plane_module
from reactor_runtime.media.encoders import VideoCodec, create_encoder
from reactor_runtime.media.encoding import Encoding
from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.session.states import State
from reactor_runtime.testing import Client, LeapingClock, MemoryServer, decode, serve

from .models import Painter, rgb
from .waiting import for_a_seat, until

BASE = "/sessions/local/transport/webrtc"


async def beside(server: MemoryServer) -> Client:
    """A further client of the running session."""
    client = server.client()
    await client.connect()
    return client


async def announced(server: MemoryServer) -> int:
    """A connection id, as clients of the third generation ask for one."""
    response = await server.http.post(f"{BASE}/connections")
    assert response.status_code == 201
    return int(response.json()["connection_id"])


async def begun(server: MemoryServer) -> int:
    """A session, and the connection id that its first client will have."""
    await server.http.post("/start_session")
    return await announced(server)


async def connect_as(client: Client, connection: int, method: str = "POST", offer: str | None = None) -> None:
    body = await client.offer()
    if offer is not None:
        body["sdp_offer"] = offer
    path = f"{BASE}/connections/{connection}/sdp_params"
    response = await client.http.request(method, path, json=body)
    assert response.status_code == 202, response.text
    client.wire.connect((await client.http.get(path)).json()["sdp_answer"])


async def left_behind(server: MemoryServer) -> tuple[int, Client]:
    """The id of a controller that has left, and a viewer that knows it."""
    mine = await begun(server)
    first = server.client()
    await connect_as(first, mine)
    viewer = await beside(server)
    first.leave()
    await viewer.until(lambda: len(roles(viewer)) == 2)
    return mine, viewer


async def refused(client: Client, name: str, **arguments: Any) -> str:
    with pytest.raises(CommandError) as refusal:
        await client.command(name, **arguments)
    return refusal.value.code


def roles(client: Client) -> list[str]:
    return [message["role"] for message in client.runtime_messages("role")]


async def listed(server: MemoryServer) -> list[str]:
    return [client["role"] for client in (await server.http.get("/session")).json()["clients"]]


def take_control(client: Client) -> None:
    client.send({"scope": "runtime", "data": {"type": "takeControl", "data": {}}})


# --- roles ---


async def test_the_first_steers_and_the_next_look_on() -> None:
    async with serve(Painter) as server:
        first = await server.join()
        second = await beside(server)
        await second.wait_frames(2)

        await second.until(lambda: roles(second) == ["viewer"])
        assert roles(first) == []
        assert await first.command("set_level", level=7) == 7
        assert await refused(second, "set_level", level=9) == "not_controller"
        assert await listed(server) == ["controller", "viewer"]
        assert "connection" not in str((await server.http.get("/session")).json()["clients"])


async def test_viewers_receive_the_same_single_encode(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    create = create_encoder

    def counted(*arguments: Any, **more: Any) -> Any:
        opened.append(arguments)
        return create(*arguments, **more)

    monkeypatch.setattr(plane_module, "Encoding", functools.partial(Encoding, factory=counted))
    async with serve(Painter) as server:
        first = await server.join()
        await first.wait_frames(3)
        viewers = [await beside(server) for _ in range(5)]
        for viewer in viewers:
            await viewer.wait_frames(5)
        session = server.worker.session
        assert session is not None
        [encoding] = session.media.plane.encodings
        assert len(opened) == 1
        assert len(encoding.sinks) == 6
        # The very same objects went to everybody: nothing was encoded twice.
        sent = {id(frame) for frame in first.frames()}
        for viewer in viewers:
            assert {id(frame) for frame in viewer.frames()[:4]} <= sent
            assert viewer.frames()[0].key


async def test_viewers_bound() -> None:
    async with serve(Painter, options=HttpOptions(viewers=2)) as server:
        await server.join()
        viewers = [await beside(server) for _ in range(2)]
        late = server.client()
        response = await server.http.post(f"{BASE}/sdp_params", json=await late.offer())

        assert response.status_code == 503
        assert response.json()["code"] == "too_many_viewers"
        assert int(response.headers["retry-after"]) >= 1
        assert len(server.engine.peers) == 3

        viewers[0].leave()
        await gone(server, 2)
        await late.connect()
        await late.wait_frames(1)


async def gone(server: MemoryServer, left: int) -> None:
    """Wait until so many connections are left."""
    async with asyncio.timeout(5):
        while len(server.worker.clients.connections) != left:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.005)


async def test_no_viewers_at_all() -> None:
    async with serve(Painter, options=HttpOptions(viewers=0)) as server:
        await server.join()
        response = await server.http.post(f"{BASE}/sdp_params", json=await server.client().offer())

        assert (response.status_code, response.json()["code"]) == (503, "too_many_viewers")


async def test_offers_that_became_nothing_make_room() -> None:
    clock = LeapingClock()
    async with serve(Painter, options=HttpOptions(viewers=1), clock=clock) as server:
        first = await server.join()
        await server.http.post(f"{BASE}/sdp_params", json=await server.client().offer())
        fresh = await server.http.post(f"{BASE}/sdp_params", json=await server.client().offer())
        assert fresh.status_code == 503
        clock.advance(signalling_module.STALE_OFFER_S)
        viewer = await beside(server)

        await viewer.wait_frames(1)
        assert await first.command("runs") == 1


async def test_of_two_offers_at_once_only_as_many_as_fit_come_in() -> None:
    async with serve(Painter, options=HttpOptions(viewers=1)) as server:
        await server.join()
        ids = [await announced(server) for _ in range(4)]
        create = server.engine.create_peer

        waiting, go_on = 0, asyncio.Event()

        async def slow(*arguments: Any) -> Any:
            nonlocal waiting
            waiting += 1
            await go_on.wait()
            return await create(*arguments)

        server.engine.create_peer = slow  # type: ignore[method-assign] # who is admitted waits here
        bodies = [await server.client().offer() for _ in ids]
        requests = [
            server.http.post(f"{BASE}/connections/{i}/sdp_params", json=body)
            for i, body in zip(ids, bodies, strict=True)
        ]
        asking = [asyncio.ensure_future(request) for request in requests]
        await until(lambda: sum(each.done() for each in asking) == 3)
        assert waiting == 1
        go_on.set()
        codes = [response.status_code for response in await asyncio.gather(*asking)]

        assert sorted(codes) == [202, 503, 503, 503]


async def test_taking_control_is_told_to_both() -> None:
    async with serve(Painter) as server:
        first = await server.join()
        second = await beside(server)
        take_control(second)
        await second.until(lambda: roles(second) == ["viewer", "controller"])
        await first.until(lambda: roles(first) == ["viewer"])

        assert "took control" in first.runtime_messages("role")[0]["reason"]
        assert await second.command("set_level", level=3) == 3
        assert await refused(first, "set_level", level=4) == "not_controller"
        assert await listed(server) == ["viewer", "controller"]
        take_control(second)
        await second.until(lambda: roles(second) == ["viewer", "controller", "controller"])
        assert roles(first) == ["viewer"]


async def test_a_viewers_camera_never_reaches_the_model_and_control_takes_it_along() -> None:
    async with serve(Painter) as server:
        first = await server.join()
        second = await beside(server)
        second.send_video("webcam", rgb(200))
        first.send_video("webcam", rgb(100))
        assert await first.command("look") == 100
        second.send_video("webcam", rgb(200))
        assert await first.command("look") == 100

        take_control(second)
        await second.until(lambda: roles(second)[-1] == "controller")
        second.send_video("webcam", rgb(50))
        assert await second.command("look") == 50
        first.send_video("webcam", rgb(100))
        assert await second.command("look") == 50


async def test_shared_control() -> None:
    async with serve(Painter, options=HttpOptions(shared_control=True)) as server:
        first = await server.join()
        second = await beside(server)

        assert await first.command("set_level", level=1) == 1
        assert await second.command("set_level", level=2) == 2


async def test_the_controller_leaves_and_comes_back_under_its_id() -> None:
    async with serve(Painter) as server:
        mine, viewer = await left_behind(server)
        assert "Nobody controls" in viewer.runtime_messages("role")[1]["reason"]
        assert await refused(viewer, "runs") == "not_controller"
        assert server.worker.life.state is State.STREAMING

        again = server.client()
        await connect_as(again, mine, "PUT")
        assert await again.command("set_level", level=5) == 5
        assert await refused(viewer, "runs") == "not_controller"


async def test_a_viewer_may_take_what_the_controller_left_and_keeps_it() -> None:
    async with serve(Painter) as server:
        mine, viewer = await left_behind(server)
        take_control(viewer)
        assert await viewer.command("set_level", level=5) == 5
        again = server.client()
        await connect_as(again, mine, "PUT")

        assert await refused(again, "runs") == "not_controller"


async def test_an_id_of_the_last_session_means_nothing_in_the_next() -> None:
    async with serve(Painter) as server:
        mine = await begun(server)
        client = server.client()
        await connect_as(client, mine)
        await client.stop()
        await server.http.post("/start_session")
        response = await server.http.put(
            f"{BASE}/connections/{mine}/sdp_params", json=await server.client().offer()
        )

        assert (response.status_code, response.json()["code"]) == (404, "unknown_connection")


# --- who is slow, dead or leaves ---


async def test_a_slow_viewer_slows_nobody() -> None:
    async with serve(Painter) as server:
        first = await server.join()
        viewer = await beside(server)
        await viewer.wait_frames(2)
        viewer.wire.reading = False
        for sender in server.engine.peers[1].video_senders:
            sender.gate.set_rate(1)
        seen = len(first.frames())
        began = time.monotonic()
        await first.wait_frames(seen + 30)
        took = time.monotonic() - began
        assert took < 3
        assert await first.command("set_level", level=9) == 9
        indices = [frame.index for frame in first.frames()]

        assert indices == sorted(indices)
        assert len(viewer.frames()) < len(first.frames())
        lost = (await server.http.get("/session")).json()["lost"]["network"]
        assert lost > 0
        viewer.leave()
        await gone(server, 1)
        text = (await server.http.get("/metrics")).text
        counted = re.search(r'reactor_dropped_total\{place="network"\} (\d+)', text)
        assert counted is not None
        assert int(counted[1]) >= lost


async def test_viewers_that_leave_while_frames_go_out_disturb_nobody() -> None:
    async with serve(Painter, options=HttpOptions(offers_per_minute=0)) as server:
        first = await server.join()
        await first.wait_frames(1)
        for _ in range(20):
            viewer = await beside(server)
            await viewer.wait_frames(1)
            viewer.leave()
            await gone(server, 1)
        await first.wait_frames(len(first.frames()) + 5)
        indices = [frame.index for frame in first.frames()]
        session = server.worker.session
        assert session is not None
        lost = session.losses()

        assert indices == sorted(indices)
        # What a busy machine has no time to encode is not begun; nothing else may be missing.
        late = lost["encoder"] + lost["playout"]
        assert len(set(indices)) + late >= indices[-1] - indices[0] + 1
        assert lost["flushed"] == 0
        assert await first.command("runs") == 1


# --- connections without an id ---


async def test_beside_a_live_client_a_post_and_a_put_are_further_clients() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        first = await server.join()
        second = await beside(server)
        await second.wait_frames(1)
        third = server.client()
        connecting = asyncio.ensure_future(third.connect("PUT"))
        await for_a_seat(server)
        clock.advance(seats_module.CONSENT_WAIT_S)
        await connecting
        await third.wait_frames(1)

        assert not first.wire.closed
        assert not second.wire.closed
        assert await first.command("runs") == 1
        assert await refused(third, "runs") == "not_controller"
        assert await listed(server) == ["controller", "viewer", "viewer"]


async def test_a_put_of_the_controller_that_left_throws_no_viewer_out() -> None:
    async with serve(Painter) as server:
        first = await server.join()
        viewer = await beside(server)
        first.leave()
        await gone(server, 1)
        again = server.client()
        await again.connect("PUT")

        assert await again.command("runs") == 1
        assert not viewer.wire.closed


async def test_a_put_of_the_controller_whose_network_went_takes_its_own_place() -> None:
    async with serve(Painter) as server:
        first = await server.join()
        viewer = await beside(server)
        first.wire.lose_network()
        again = server.client()
        await again.connect("PUT")

        assert await again.command("runs") == 1
        assert not viewer.wire.closed
        assert sorted(await listed(server)) == ["controller", "viewer"]


async def test_a_post_while_another_client_is_still_connecting_leaves_it_alone() -> None:
    async with serve(Painter) as server:
        first, second = server.client(), server.client()
        await first.start()
        await server.http.post(f"{BASE}/sdp_params", json=await first.offer())
        answer = asyncio.ensure_future(first.answer())
        await second.connect()
        first.wire.connect(await answer)

        await first.wait_frames(1)
        await second.wait_frames(1)


async def test_two_at_once_get_their_own_answers() -> None:
    async with serve(Painter) as server:
        clients = [server.client() for _ in range(3)]
        await clients[0].start()
        await asyncio.gather(*(client.connect() for client in clients))
        for client in clients:
            await client.wait_frames(1)

        assert len({client.wire.peer for client in clients}) == 3


# --- candidates ---


def candidate(user: str = "", port: int = 9) -> dict[str, Any]:
    ufrag = f" ufrag {user}" if user else ""
    text = f"candidate:1 1 udp 2113937151 10.0.0.1 {port} typ host generation 0{ufrag}"
    return {"candidate": text, "sdp_mid": "0", "sdp_mline_index": 0}


async def send_candidates(server: MemoryServer, connection: int, *entries: dict[str, Any]) -> int:
    response = await server.http.post(
        f"{BASE}/connections/{connection}/ice_candidates", json={"candidates": list(entries)}
    )
    return response.status_code


async def test_candidates_before_the_offer_reach_it() -> None:
    async with serve(Painter) as server:
        mine = await begun(server)
        assert await send_candidates(server, mine, candidate()) == 202
        await connect_as(server.client(), mine)

        assert len(server.engine.peers[0].candidates) == 1


async def test_candidates_while_the_engine_answers_reach_the_offer() -> None:
    async with serve(Painter) as server:
        mine = await begun(server)
        create, asked, gate = server.engine.create_peer, asyncio.Event(), asyncio.Event()

        async def slow(*arguments: Any) -> Any:
            peer = await create(*arguments)
            answer = peer.answer

            async def wait(*more: Any) -> str:
                asked.set()
                await gate.wait()
                return await answer(*more)

            peer.answer = wait  # type: ignore[method-assign] # the engine takes its time
            return peer

        server.engine.create_peer = slow  # type: ignore[method-assign] # see above
        connecting = asyncio.ensure_future(connect_as(server.client(), mine))
        await asked.wait()
        assert await send_candidates(server, mine, candidate()) == 202
        gate.set()
        await connecting

        assert len(server.engine.peers[0].candidates) == 1


async def test_candidates_of_the_next_offer_do_not_go_to_the_last_one() -> None:
    async with serve(Painter) as server:
        mine = await begun(server)
        first, second = server.client(), server.client()
        await connect_as(first, mine)
        await send_candidates(server, mine, candidate(first.wire.key, 1), candidate(second.wire.key, 2))
        await connect_as(second, mine, "PUT")
        ports = [[c.candidate.split()[5] for c in peer.candidates] for peer in server.engine.peers]

        assert ports == [["1"], ["2"]]


async def test_early_candidates_limit() -> None:
    async with serve(Painter) as server:
        mine = await begun(server)
        for _ in range(5):
            assert await send_candidates(server, mine, *[candidate()] * 64) == 202
        await connect_as(server.client(), mine)

        assert len(server.engine.peers[0].candidates) == pending_module.CANDIDATES_LIMIT


async def test_candidates_of_one_offer_limit() -> None:
    async with serve(Painter) as server:
        mine = await begun(server)
        await connect_as(server.client(), mine)
        for _ in range(5):
            assert await send_candidates(server, mine, *[candidate()] * 64) == 202

        assert len(server.engine.peers[0].candidates) == 128


async def test_announced_connections_limit() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        ids = [await announced(server) for _ in range(pending_module.PENDING_LIMIT + 1)]

        assert await send_candidates(server, ids[0], candidate()) == 404
        assert await send_candidates(server, ids[1], candidate()) == 202
        assert len(set(ids)) == len(ids)


async def test_announced_connections_are_forgotten() -> None:
    clock, options = LeapingClock(), HttpOptions(orphan_timeout=300)
    async with serve(Painter, options=options, clock=clock) as server:
        await server.http.post("/start_session")
        mine = await announced(server)

        assert await send_candidates(server, mine, candidate()) == 202
        clock.advance(pending_module.PENDING_S)
        assert await send_candidates(server, mine, candidate()) == 404


# --- the same peer again ---


def with_identity(offer: str, session: str = "1", fingerprint: str = "AA:BB") -> str:
    return offer.replace("o=- 1 2", f"o=- {session} 2").replace(
        "a=sctp-port", f"a=fingerprint:sha-256 {fingerprint}\r\na=sctp-port"
    )


async def test_an_ice_restart_keeps_the_peer() -> None:
    async with serve(Painter) as server:
        mine = await begun(server)
        client = server.client()
        offer = with_identity(client.wire.create_offer())
        await connect_as(client, mine, offer=offer)
        path = f"{BASE}/connections/{mine}/sdp_params"
        restarted = offer.replace(f"a=ice-ufrag:{client.wire.key}", "a=ice-ufrag:fresh")
        body = {**await client.offer(), "sdp_offer": restarted}
        assert (await server.http.put(path, json=body)).status_code == 202
        assert (await server.http.get(path)).status_code == 200
        await send_candidates(server, mine, candidate("fresh", 5))

        assert len(server.engine.peers) == 1
        assert [c.candidate.split()[5] for c in server.engine.peers[0].candidates] == ["5"]
        assert await client.command("runs") == 1


@pytest.mark.parametrize("change", [{"session": "2"}, {"fingerprint": "CC:DD"}])
async def test_another_peer_under_the_same_id_replaces(change: dict[str, str]) -> None:
    async with serve(Painter) as server:
        mine = await begun(server)
        first, second = server.client(), server.client()
        await connect_as(first, mine, offer=with_identity(first.wire.create_offer()))
        await connect_as(second, mine, "PUT", with_identity(second.wire.create_offer(), **change))

        assert (await first.wait_end())["reason"] == "replaced"
        assert await second.command("runs") == 1


async def restarted(server: MemoryServer, client: Client, mine: int, **change: Any) -> httpx.Response:
    """A further offer of the same peer; `change` is what differs in its body."""
    body = {**await client.offer(), **change}
    return await server.http.put(f"{BASE}/connections/{mine}/sdp_params", json=body)


async def test_a_section_keeps_its_track() -> None:
    async with serve(Painter) as server:
        mine = await begun(server)
        client = server.client()
        offer = with_identity(client.wire.create_offer())
        await connect_as(client, mine, offer=offer)
        mapping = (await client.offer())["track_mapping"]
        swapped = [{**mapping[0], "mid": mapping[1]["mid"]}, {**mapping[1], "mid": mapping[0]["mid"]}]
        response = await restarted(server, client, mine, sdp_offer=offer, track_mapping=swapped)

        assert (response.status_code, response.json()["code"]) == (400, "sections_changed")
        assert await client.command("runs") == 1


async def test_a_track_that_comes_later_or_goes_is_negotiated() -> None:
    async with serve(Painter) as server:
        mine = await begun(server)
        client = server.client()
        offer = with_identity(client.wire.create_offer())
        mapping = (await client.offer())["track_mapping"]
        first = mapping[0]["mid"]
        path = f"{BASE}/connections/{mine}/sdp_params"
        body = {**await client.offer(), "sdp_offer": offer, "track_mapping": mapping[:1]}
        assert (await server.http.post(path, json=body)).status_code == 202
        client.wire.connect((await server.http.get(path)).json()["sdp_answer"])
        await client.wire.wait_for(lambda: bool(client.wire.frames.get(first)))
        [peer] = server.engine.peers
        [kept] = peer.video_senders

        later = await restarted(server, client, mine, sdp_offer=offer, track_mapping=mapping)
        assert later.status_code == 202
        assert kept in peer.video_senders
        assert await client.command("runs") == 1

        gone = await restarted(server, client, mine, sdp_offer=offer, track_mapping=mapping[1:])
        assert gone.status_code == 202
        assert kept not in peer.video_senders
        assert await client.command("runs") == 1


# --- what each is told ---


async def test_a_client_that_has_not_spoken_yet_hears_the_end() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        client = server.client()
        await connect_as(client, await announced(server))
        await client.wait_frames(1)
        assert client.received == []
        await server.http.post("/stop_session")

        assert (await client.wait_end())["reason"] == "stopped"


async def test_every_viewer_hears_the_end_and_what_the_model_says() -> None:
    async with serve(Painter) as server:
        first = await server.join()
        viewers = [await beside(server) for _ in range(3)]
        await first.command("set_level", level=1)
        for viewer in viewers:
            await viewer.until(lambda viewer=viewer: viewer.said == [{"type": "level", "data": {"level": 1}}])
        await first.stop()

        for client in [first, *viewers]:
            assert (await client.wait_end())["reason"] == "stopped"


@model("hanging")
class Hanging(VideoModel):
    """A handler that never returns by itself."""

    main_video = VideoOut()
    release = threading.Event()
    hanging = threading.Event()

    def start_session(self) -> None:
        get_ctx().wait_stop(30)

    @command("hang")
    def hang(self) -> None:
        Hanging.hanging.set()
        Hanging.release.wait(20)

    @command("quick")
    def quick(self) -> int:
        return 1


async def test_commands_that_are_pending_at_the_end_are_answered() -> None:
    Hanging.release.clear()
    Hanging.hanging.clear()
    try:
        async with serve(Hanging, options=HttpOptions(stuck_warning=0.2)) as server:
            client = await server.join()
            requests = [client.post("hang"), client.post("quick"), client.post("quick")]
            assert await asyncio.to_thread(Hanging.hanging.wait, 5)
            stopping = asyncio.ensure_future(server.http.post("/stop_session"))
            await client.wait_end()
            codes = [(client.outcome(request) or {}).get("code") for request in requests]
            Hanging.release.set()
            await stopping

        assert codes == ["session_ended"] * 3
    finally:
        Hanging.release.set()


async def test_a_command_after_the_end_is_answered() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await client.wait_frames(1)
        client.wire.reading = False  # the end cannot leave, so the wire stays open for the drain
        client.wire.peer.send("data", b"x")  # type: ignore[union-attr] # it is connected
        stopping = asyncio.ensure_future(server.http.post("/stop_session"))
        await server.wait_state(State.CLOSING)
        unread = client.wire.peer._unread  # type: ignore[union-attr] # as above
        request = client.post("runs")
        await until(lambda: any(request.encode() in data for _, data in unread))
        client.wire.reading = True
        await stopping

        messages = [data for _, data in client.wire.messages if request.encode() in data]
        assert len(messages) == 1
        assert b"session_ended" in messages[0]


async def test_a_client_that_connects_while_the_session_ends_hears_it_too() -> None:
    async with serve(Painter) as server:
        first = await server.join()
        late = server.client()
        await server.http.post(f"{BASE}/sdp_params", json=await late.offer())
        answer = await late.answer()
        first.wire.reading = False  # the drain lasts
        stopping = asyncio.ensure_future(server.http.post("/stop_session"))
        await server.wait_state(State.CLOSING)
        late.wire.connect(answer)

        assert (await late.wait_end())["reason"] == "stopped"
        await stopping


async def test_pictures_of_all_clients_are_right() -> None:
    async with serve(Painter) as server:
        first = await server.join()
        await first.command("set_level", level=120)
        viewer = await beside(server)
        await viewer.wait_frames(10)

        assert abs(float(np.mean(decode(viewer.frames())[-1])) - 120) < 6


async def test_an_encoder_is_opened_before_there_is_an_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second session on: for the codec and the size of the first one's pictures."""
    opened: list[tuple[Any, ...]] = []

    def opens(*arguments: Any) -> Any:
        opened.append(arguments[:3])
        return create_encoder(*arguments)

    monkeypatch.setattr(plane_module, "create_encoder", opens)
    async with serve(Painter) as server:
        first = await server.join()
        await first.wait_frames()
        assert opened == []
        await first.stop()
        await server.http.post("/start_session")
        await until(lambda: opened == [(VideoCodec.H264, 64, 48)])
