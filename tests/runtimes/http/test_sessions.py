"""`/start_session`, `/stop_session`, `/session`: status codes and literal JSON."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from reactor_runtime import VideoModel, __version__
from reactor_runtime.runtimes.http import HttpOptions
from reactor_runtime.session.states import State
from reactor_runtime.testing import LeapingClock, serve

from .models import Deaf, Failing, Painter, Returning, SlowToLoad, Unloadable
from .waiting import for_a_seat

ENDED = r"The model stopped because of an error \(reference [0-9a-f]{8}\)\."


@pytest.fixture(autouse=True)
def release() -> Iterator[None]:
    Deaf.release.clear()
    SlowToLoad.release.clear()
    yield
    Deaf.release.set()
    SlowToLoad.release.set()


async def test_start_session_answers_with_the_descriptor() -> None:
    async with serve(Painter) as server:
        response = await server.http.post("/start_session", json={})

        assert response.status_code == 200
        descriptor = response.json()
        assert descriptor.pop("started_at") <= time.time()
        assert 0 <= descriptor.pop("seed") < 2**32
        assert descriptor == {
            "session_id": "local",
            "state": "WAITING",
            "cluster": "local",
            "model": {"name": "painter"},
            "server_info": {"server_version": __version__},
            "selected_transport": {"protocol": "webrtc", "version": "1.0"},
            "number": 1,
            "capabilities": {
                "protocol_version": "1.0",
                "tracks": [
                    {"name": "main_video", "kind": "video", "direction": "recvonly"},
                    {"name": "webcam", "kind": "video", "direction": "sendonly"},
                ],
                "commands": [
                    {
                        "name": "set_level",
                        "description": "How bright.",
                        "schema": {"level": {"type": "integer", "required": True}},
                    },
                    {"name": "runs", "description": "", "schema": {}},
                    {"name": "crash", "description": "", "schema": {}},
                    {"name": "refuse", "description": "", "schema": {}},
                    {"name": "look", "description": "", "schema": {}},
                ],
                "emission_fps": None,
            },
        }


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "application/octet-stream"),
        (b"{}", "application/json"),
        (b'{"extra_args":{"a":1}}', "application/json"),
        (b"not json", "application/json"),
        (b"\xff\xfe", "text/plain"),
    ],
)
async def test_the_body_of_start_session_is_ignored(content: bytes, kind: str) -> None:
    async with serve(Painter) as server:
        headers = {"content-type": kind, "authorization": "Bearer local", "reactor-api-version": "1"}
        response = await server.http.post("/start_session", content=content, headers=headers)

        assert response.status_code == 200


async def test_a_second_start_is_refused_with_the_state() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        response = await server.http.post("/start_session")

        assert response.status_code == 409
        assert response.json() == {
            "detail": "A session is running (state WAITING); it must end before another starts.",
            "code": "session_running",
            "state": "WAITING",
        }
        client = server.client()
        await client.connect()
        response = await server.http.post("/start_session")
        assert response.json()["state"] == "STREAMING"
        assert server.worker.life.number == 1


async def test_of_two_starts_at_once_one_wins() -> None:
    async with serve(Painter) as server:
        responses = await asyncio.gather(*(server.http.post("/start_session") for _ in range(5)))

        assert sorted(response.status_code for response in responses) == [200, 409, 409, 409, 409]


async def test_while_the_model_loads() -> None:
    async with serve(SlowToLoad, ready=False) as server:
        start = await server.http.post("/start_session")
        health = await server.http.get("/health")
        stop = await server.http.post("/stop_session")
        SlowToLoad.release.set()
        await server.wait_state(State.READY)

        assert start.status_code == 503
        assert start.headers["retry-after"] == "1"
        assert start.json() == {
            "detail": "The model is still loading; try again in a moment.",
            "code": "loading",
            "state": "CREATED",
        }
        assert health.status_code == 503
        assert health.headers["retry-after"] == "1"
        assert health.json() == {
            "status": "loading",
            "model": "slow",
            "state": "CREATED",
            "code": "loading",
            "detail": "The model is loading.",
            "progress": None,
            "progress_message": "",
        }
        assert (stop.status_code, stop.json()) == (200, {"state": "CREATED"})


async def test_a_model_that_cannot_be_loaded() -> None:
    async with serve(Unloadable, ready=False) as server:
        await server.wait_state(State.TERMINATED)
        start = await server.http.post("/start_session")
        health = await server.http.get("/health")

        assert server.status == 1
        assert start.status_code == 503
        assert start.json()["code"] == "terminated"
        assert health.status_code == 503
        assert health.json()["status"] == "failed"
        assert health.json()["code"] == "model_load_failed"
        assert "no weights here" not in health.text
        at_home = await server.http.get("/health?why=true")
        assert "no weights here" in at_home.json()["detail"]
        for passed_on in (
            {"x-forwarded-for": "10.0.0.1"},
            {"via": "1.1 proxy"},
            {"x-forwarded-proto": "https"},
        ):
            assert (
                "no weights here" not in (await server.http.get("/health?why=true", headers=passed_on)).text
            )
        assert (await server.http.post("/stop_session")).status_code == 200


@pytest.mark.parametrize("model_class", [Painter, Unloadable])
async def test_the_process_is_told_to_leave_once(model_class: type[VideoModel]) -> None:
    """Told by a model that does not load, and by a signal, and by another."""
    async with serve(model_class, ready=False) as server:
        await server.wait_state(State.TERMINATED if model_class is Unloadable else State.READY)
        server.worker.leave()
        status, server.status = server.status, None
        server.worker.leave()

        assert status == (1 if model_class is Unloadable else 0)
        assert server.status is None


async def test_stopping_is_idempotent() -> None:
    async with serve(Painter) as server:
        for _ in range(2):
            response = await server.http.post("/stop_session")
            assert (response.status_code, response.json()) == (200, {"state": "READY"})
        await server.http.post("/start_session")
        for _ in range(2):
            response = await server.http.post("/stop_session")
            assert (response.status_code, response.json()) == (200, {"state": "READY"})


async def test_a_session_that_nobody_joined_never_runs_the_model() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        await server.http.post("/stop_session")
        client = await server.join()

        assert await client.command("runs") == 1


async def test_session_tells_how_it_stands_and_how_the_last_one_ended() -> None:
    async with serve(Painter) as server:
        before = (await server.http.get("/session")).json()
        assert (before["state"], before["last_end"], before["clients"], before["frames"]) == (
            "READY",
            None,
            [],
            0,
        )
        client = await server.join()
        await client.wait_frames(2)
        during = (await server.http.get("/session")).json()
        assert during["state"] == "STREAMING"
        assert [(c["role"], c["live"]) for c in during["clients"]] == [("controller", True)]
        assert during["frames"] >= 2
        await client.stop()
        after = (await server.http.get("/session")).json()

        assert after["state"] == "READY"
        assert after["last_end"] == {
            "session": 1,
            "reason": "stopped",
            "message": "The client ended the session.",
        }
        assert (after["clients"], after["frames"]) == ([], 0)
        await server.http.post("/start_session")
        assert (await server.http.get("/session")).json()["last_end"]["session"] == 1


async def test_a_session_that_ends_while_it_is_asked_for_is_told_as_one_that_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wires are asked first, which takes a while: what is told is how it stands after that, all of it."""
    async with serve(Painter) as server:
        await server.http.post("/start_session", json={})

        async def ends_meanwhile() -> None:
            await server.worker.stop_session()

        monkeypatch.setattr(server.worker.clients, "look", ends_meanwhile)
        told = (await server.http.get("/session")).json()
        assert (told["state"], told["frames"], told["lost"]) == ("READY", 0, {})
        assert told["last_end"]["reason"] == "stopped"


async def test_two_sessions_in_a_row_share_nothing() -> None:
    async with serve(Painter) as server:
        for number in (1, 2):
            client = await server.join()
            assert server.worker.life.number == number
            assert await client.command("set_level", level=number * 100) == number * 100
            await client.wait_frames(3)
            assert client.frames()[0].index == 0
            assert client.frames()[0].key
            assert client.said == [{"type": "level", "data": {"level": number * 100}}]
            assert await client.stop() == "READY"
            assert client.end == {"reason": "stopped", "message": "The client ended the session."}
            assert client.wire.closed


# --- ends ---


async def test_what_is_sent_and_emitted_last_arrives_before_the_end() -> None:
    async with serve(Returning) as server:
        client = await server.join()
        end = await client.wait_end()
        await server.wait_state(State.READY)

        assert end == {"reason": "completed", "message": "The model has finished."}
        assert client.said == ["emitted", "finally", "reset"]
        assert client.received[-1]["data"]["type"] == "sessionEnded"
        arrived = [frame.index for frame in client.frames()]
        assert arrived == sorted(set(arrived))
        assert arrived[-2:] == [30, 31]
        # On a busy machine a picture may be skipped while the model still runs, never once it has ended.
        assert len(arrived) >= 29


async def test_the_tail_arrives_also_after_a_long_wait_for_the_client() -> None:
    clock = LeapingClock()
    async with serve(Returning, clock=clock) as server:
        await server.http.post("/start_session")
        clock.advance(1.5)
        client = server.client()
        await client.connect()
        await client.wait_end()

        assert len(client.frames()) >= 29
        assert client.frames()[-1].index == 31


async def test_a_model_that_raises_ends_its_session_and_the_next_one_works(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serve(Failing) as server:
        for number in (1, 2, 3):
            client = await server.join()
            end = await client.wait_end()
            await server.wait_state(State.READY)
            assert end["reason"] == "error"
            assert re.fullmatch(ENDED, end["message"])
            assert client.said == [number]
            health = (await server.http.get("/health")).json()
            assert health["errors_in_a_row"] == number
        assert health["status"] == "failing"
        client = await server.join()
        await client.wait_said()
        assert await client.stop() == "READY"

        health = (await server.http.get("/health")).json()
        assert (health["status"], health["errors_in_a_row"]) == ("healthy", 0)
    assert "a secret" in caplog.text


async def test_nobody_joins_in_time() -> None:
    async with serve(Painter, options=HttpOptions(orphan_timeout=0.1)) as server:
        await server.http.post("/start_session")
        await server.wait_state(State.READY)

        last = (await server.http.get("/session")).json()["last_end"]
        assert last == {"session": 1, "reason": "timed_out", "message": "No client connected within 0.1 s."}


async def test_a_client_that_is_gone_for_too_long_loses_its_session() -> None:
    clock, options = LeapingClock(), HttpOptions(orphan_timeout=60)
    async with serve(Painter, options=options, clock=clock) as server:
        client = await server.join()
        client.leave()
        await server.wait_state(State.ORPHANED)
        clock.advance(60)
        await server.wait_state(State.READY)

        last = (await server.http.get("/session")).json()["last_end"]
        assert last == {"session": 1, "reason": "timed_out", "message": "The client was gone for 60 s."}


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_client_that_comes_back_in_time_finds_the_same_session(method: str) -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await client.wait_frames(2)
        client.leave()
        await server.wait_state(State.ORPHANED)
        again = server.client()
        await again.connect(method)

        await server.wait_state(State.STREAMING)
        assert await again.command("runs") == 1
        await again.wait_frames(2)
        assert again.frames()[0].key
        assert again.frames()[0].index > 0
        assert server.worker.life.number == 1


async def test_a_reconnect_takes_the_place_of_the_connection_that_goes_meanwhile() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await client.wait_frames(1)
        again = server.client()
        connecting = asyncio.ensure_future(again.connect("PUT"))
        await for_a_seat(server)
        assert not connecting.done()
        client.wire.lose_network()  # its consent has failed
        await connecting
        await again.wait_frames(1)

        assert (await client.wait_end())["reason"] == "replaced"
        assert await again.command("runs") == 1
        assert server.worker.life.state is State.STREAMING


async def test_a_network_that_comes_back_goes_on_with_a_keyframe() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await client.wait_frames(2)
        client.wire.lose_network()
        await server.wait_state(State.ORPHANED)
        client.wire.find_network()
        await server.wait_state(State.STREAMING)
        seen = len(client.frames())

        await client.until(lambda: any(frame.key for frame in client.frames()[seen:]))
        assert await client.command("runs") == 1


async def test_a_network_that_is_given_up_ends_the_connection() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        client.wire.lose_network()
        client.wire.fail()
        await client.until(lambda: client.wire.closed)

        await server.wait_state(State.ORPHANED)
        assert not server.worker.clients.connections


async def test_max_session_duration() -> None:
    async with serve(Painter, options=HttpOptions(max_session_duration=0.2)) as server:
        client = await server.join()

        assert (await client.wait_end()) == {
            "reason": "time_cap",
            "message": "The session reached its limit of 0.2 s.",
        }
        await server.wait_state(State.READY)


async def test_leaving_ends_the_session_and_then_the_process() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await client.wait_frames(1)
        server.worker.leave()
        end = await client.wait_end()
        await server.wait_state(State.TERMINATED)

        assert end == {"reason": "shutdown", "message": "The server is shutting down."}
        assert server.status == 0
        assert (await server.http.post("/start_session")).status_code == 503
        health = await server.http.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "terminated")


async def test_leaving_without_a_session_is_immediate() -> None:
    async with serve(Painter) as server:
        server.worker.leave()

        assert server.status == 0


async def test_a_model_that_ignores_should_stop(caplog: pytest.LogCaptureFixture) -> None:
    async with serve(Deaf, options=HttpOptions(stuck_warning=0.2)) as server:
        client = await server.join()
        stopping = asyncio.ensure_future(client.stop())
        await server.wait_state(State.CLOSING)
        times: list[float] = []
        with caplog.at_level(logging.WARNING):
            while client.end is None or len(times) < 20:
                began = time.perf_counter()
                assert (await server.http.get("/health")).json()["state"] == "CLOSING"
                times.append(time.perf_counter() - began)
                await asyncio.sleep(0.01)
            end = await client.wait_end()
        assert end["reason"] == "stopped", "the client is told although the model goes on"
        assert "a_long_step" in caplog.text
        # Not the slowest: that one tells how busy this machine is.
        assert sorted(times)[len(times) // 2] < 0.05
        Deaf.release.set()

        assert await stopping == "READY"


async def test_a_model_that_never_returns_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    exits: list[int] = []
    monkeypatch.setattr("os._exit", exits.append)
    async with serve(Deaf, options=HttpOptions(stuck_warning=0.05, kill_timeout=0.2)) as server:
        client = await server.join()
        stopping = asyncio.ensure_future(client.stop())
        await server.wait_state(State.TERMINATED)
        Deaf.release.set()
        await stopping

        assert exits == [70]


async def test_a_wire_that_cannot_be_closed_does_not_keep_the_slot(caplog: pytest.LogCaptureFixture) -> None:
    async with serve(Painter) as server:
        client = await server.join()

        async def broken() -> None:
            raise RuntimeError("the engine is broken")

        server.engine.peers[0].close = broken  # type: ignore[method-assign] # a broken engine
        assert await client.stop() == "READY"
        again = await server.join()
        assert await again.command("runs") == 2
    assert "the engine is broken" in caplog.text


async def test_an_offer_that_is_answered_too_late_does_not_touch_the_next_session() -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        late = server.client()
        create, asked, gate = server.engine.create_peer, asyncio.Event(), asyncio.Event()

        async def slow(*args: Any) -> Any:
            asked.set()
            await gate.wait()
            return await create(*args)

        server.engine.create_peer = slow  # type: ignore[method-assign] # a slow engine
        offering = asyncio.ensure_future(late.connect())
        await asked.wait()
        server.engine.create_peer = create  # type: ignore[method-assign] # fast again
        assert await late.stop() == "READY"
        client = await server.join()
        await client.wait_frames(1)
        gate.set()
        with pytest.raises(Exception, match="409"):
            await offering

        assert await client.command("runs") == 1
        assert client.end is None
        assert [c.session.number for c in server.worker.clients.connections.values()] == [2]
