"""What goes over the data channel of a running session."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import numpy as np
import pytest

from reactor_runtime import VideoModel, command, get_ctx, model
from reactor_runtime.clients.connection import EARLY_MESSAGES
from reactor_runtime.clients.conversation import HELD_MESSAGES
from reactor_runtime.clients.presence import PING_TIMEOUT_S
from reactor_runtime.clients.ratelimit import COMMAND_BURST
from reactor_runtime.errors import CommandError
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.protocol.jsonable import MESSAGE_LIMIT
from reactor_runtime.session.states import State
from reactor_runtime.testing import LeapingClock, MemoryServer, VirtualClock, decode, serve
from reactor_runtime.worker.worker import WATCHDOG_S

from .models import Painter
from .waiting import in_one_moment, until


async def test_a_command_changes_the_picture_and_is_answered_after_what_it_said() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        request = client.post("set_level", level=200)
        await client.until(lambda: client.outcome(request) is not None)
        outcome = client.outcome(request)
        assert outcome is not None
        shown = await client.wait_frames(outcome["frame"] + 3)

        assert client.received[0] == {
            "scope": "application",
            "data": {"type": "level", "data": {"level": 200}},
        }
        assert outcome == {
            "id": request,
            "command": "set_level",
            "ok": True,
            "result": 200,
            "frame": outcome["frame"],
        }
        pictures = decode(shown)
        assert abs(int(pictures[0].mean()) - 0) < 5
        by_index = {frame.index: picture for frame, picture in zip(shown, pictures, strict=True)}
        assert abs(int(by_index[outcome["frame"] + 1].mean()) - 200) < 8


@pytest.mark.parametrize(
    ("name", "arguments", "code", "field"),
    [
        ("nothing", {}, "unknown_command", None),
        ("set_level", {}, "invalid_command", "level"),
        ("set_level", {"level": "5"}, "invalid_command", "level"),
        ("set_level", {"level": True}, "invalid_command", "level"),
        ("set_level", {"level": 5.5}, "invalid_command", "level"),
        ("set_level", {"level": 1, "more": 2}, "invalid_command", "more"),
        ("crash", {}, "internal_error", None),
        ("refuse", {}, "too_fast", None),
    ],
)
async def test_refusals(name: str, arguments: dict[str, Any], code: str, field: str | None) -> None:
    async with serve(Painter) as server:
        client = await server.join()
        with pytest.raises(CommandError) as caught:
            await client.command(name, **arguments)

        assert (caught.value.code, caught.value.field) == (code, field)
        assert "secret" not in caught.value.message
        assert await client.command("set_level", level=3.0) == 3


async def test_without_an_id_the_result_comes_as_a_message_of_the_model() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        client.send({"scope": "application", "data": {"type": "runs", "data": {}}})
        client.send({"type": "set_level", "data": {"level": 7}})
        await client.wait_said(3)

        assert client.said == [1, {"type": "level", "data": {"level": 7}}, 7]
        assert client.runtime_messages("commandResult") == []


async def test_without_an_id_a_refusal_is_still_told() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        client.send({"scope": "application", "data": {"type": "nothing", "data": {}}})
        await client.until(lambda: bool(client.runtime_messages("commandError")))

        assert client.runtime_messages("commandError") == [
            {
                "id": None,
                "command": "nothing",
                "code": "unknown_command",
                "message": "The model has no command 'nothing'. Its commands: crash, look, refuse, runs, "
                "set_level.",
            }
        ]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\x00\x01",
        b"{",
        b"[]",
        b"null",
        b'{"type":1}',
        b'{"scope":"runtime","data":7}',
        b"x" * 70_000,
    ],
)
async def test_undecodable_messages_get_one_log_line_and_the_connection_lives(
    payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(Painter) as server:
        client = await server.join()
        with caplog.at_level(logging.WARNING):
            client.wire.peer.deliver("data", payload, False)  # type: ignore[union-attr] # it is connected
            await client.until(lambda: bool(client.runtime_messages("commandError") and caplog.records))

        assert client.runtime_messages("commandError")[0]["code"] == "invalid_message"
        assert len(caplog.records) == 1
        assert caplog.records[0].exc_info is None
        assert await client.command("runs") == 1


async def test_runtime_messages() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        descriptor = (await server.http.get("/session")).json()
        schema = (await server.http.get("/schema")).json()
        for kind in ("ping", "requestCapabilities", "requestSchema"):
            client.send({"scope": "runtime", "data": {"type": kind, "data": {}}})
        await client.until(lambda: len(client.received) == 2)

        assert client.runtime_messages("modelCapabilities") == [descriptor["capabilities"]]
        assert client.runtime_messages("modelSchema") == [schema]


async def test_ping_limit() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        never_pinged = await server.join()
        clock.advance(2 * PING_TIMEOUT_S)
        assert await never_pinged.command("runs") == 1
        assert server.worker.life.state is State.STREAMING
        never_pinged.send({"scope": "runtime", "data": {"type": "ping", "data": {}}})
        clock.advance(PING_TIMEOUT_S + WATCHDOG_S)

        await never_pinged.until(lambda: never_pinged.wire.closed)
        await server.wait_state(State.ORPHANED)


async def test_command_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    in_one_moment(monkeypatch)
    async with serve(Painter) as server:
        client = await server.join()
        requests = [client.post("runs") for _ in range(COMMAND_BURST + 300)]
        await client.until(lambda: len(client.wire.messages) == len(requests), within=20)

        refused = client.runtime_messages("commandError")
        assert {answer["code"] for answer in refused} == {"rate_limited"}
        assert 1 <= len(refused) <= 300
        assert len(client.runtime_messages("commandResult")) + len(refused) == COMMAND_BURST + 300


async def test_messages_before_the_connection_is_ready_are_kept_in_order() -> None:
    async with serve(Painter) as server:
        client = server.client()
        await client.start()
        await client.http.post("/sessions/local/transport/webrtc/sdp_params", json=await client.offer())
        client.wire.connect(await client.answer(), open_channels=False)
        requests = [client.post("set_level", level=level) for level in range(5)]
        assert server.worker.life.state is State.WAITING
        client.wire.peer.open_channel("data")  # type: ignore[union-attr] # it is connected
        await client.until(lambda: client.outcome(requests[-1]) is not None)

        assert [client.outcome(request)["result"] for request in requests] == [0, 1, 2, 3, 4]  # type: ignore[index] # answered


async def lost(server: MemoryServer) -> dict[str, int]:
    return dict((await server.http.get("/session")).json()["lost"])


async def test_early_messages_limit() -> None:
    async with serve(Painter) as server:
        client = server.client()
        await client.start()
        await client.http.post("/sessions/local/transport/webrtc/sdp_params", json=await client.offer())
        client.wire.connect(await client.answer(), open_channels=False)
        requests = [client.post("runs") for _ in range(EARLY_MESSAGES + 3)]
        client.wire.peer.open_channel("data")  # type: ignore[union-attr] # it is connected
        await client.until(lambda: all(client.outcome(request) is not None for request in requests))

        kept, refused = requests[:EARLY_MESSAGES], requests[EARLY_MESSAGES:]
        assert all(client.outcome(request)["ok"] for request in kept)  # type: ignore[index] # answered
        assert [client.outcome(request)["code"] for request in refused] == ["rate_limited"] * 3  # type: ignore[index] # answered
        assert (await lost(server))["messages_early"] == 3


async def test_streaming_means_that_messages_can_flow() -> None:
    async with serve(Painter) as server:
        client = server.client()
        await client.start()
        await client.http.post("/sessions/local/transport/webrtc/sdp_params", json=await client.offer())
        client.wire.connect(await client.answer(), open_channels=False)
        assert (await server.http.get("/health")).status_code == 200
        assert server.worker.life.state is State.WAITING

        client.wire.peer.open_channel("data")  # type: ignore[union-attr] # it is connected
        await server.wait_state(State.STREAMING)


async def test_a_client_that_offers_no_channel_gets_its_picture() -> None:
    async with serve(Painter) as server:
        client = server.client(channels=())
        await client.start()
        await client.connect()

        await client.wait_frames(2)


@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_a_client_gets_the_codec_it_knows(codec: VideoCodec) -> None:
    async with serve(Painter) as server:
        client = server.client(codecs=(codec,))
        await client.start()
        await client.connect()
        await client.command("set_level", level=180)
        shade, count = 0, 0
        while abs(shade - 180) >= 8:
            count += 8
            assert count <= 160, f"the newest picture is {shade}"
            frames = await client.wait_frames(count)
            shade = int(decode(frames)[-1].mean())

        assert {frame.codec for frame in frames} == {codec}


async def test_the_clients_camera_reaches_the_model_and_only_this_session() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await asyncio.to_thread(client.send_video, "webcam", np.full((24, 32, 3), 99, np.uint8))
        assert await client.command("look") == 99
        await client.stop()
        again = await server.join()

        assert await again.command("look") == -1


async def test_a_keyframe_on_request() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        client = await server.join()
        clock.advance(1)  # no more than two a second are made
        seen = len(client.frames())
        await asyncio.to_thread(client.wire.request_keyframe, "0")

        await client.until(lambda: any(frame.key for frame in client.frames()[seen:]))


@model("loud")
class Loud(VideoModel):
    def start_session(self) -> None:
        get_ctx().wait_stop(20)

    @command("say")
    def say(self, size: int) -> None:
        get_ctx().send("x" * size)

    @command("get")
    def get(self, size: int) -> str:
        return "ü" * size


async def test_the_largest_message_arrives() -> None:
    async with serve(Loud) as server:
        client = await server.join()
        await client.command("say", size=MESSAGE_LIMIT - 2)
        assert len(client.said[0]) == MESSAGE_LIMIT - 2
        assert len(await client.command("get", size=MESSAGE_LIMIT // 2 - 1)) == MESSAGE_LIMIT // 2 - 1
        for name in ("say", "get"):
            with pytest.raises(CommandError) as caught:
                await client.command(name, size=MESSAGE_LIMIT)
            assert caught.value.code == "internal_error"


async def test_farewells_are_drained_but_not_for_ever() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        await client.wait_frames(1)
        client.wire.reading = False
        stopping = asyncio.ensure_future(client.stop())
        await server.wait_state(State.CLOSING)
        peer = client.wire.peer
        assert peer is not None
        await until(peer.buffered)
        assert not stopping.done()
        client.wire.reading = True

        assert await stopping == "READY"
        assert client.end is not None
        assert client.end["reason"] == "stopped"


async def test_a_client_that_reads_nothing_holds_nobody_up() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        client.wire.reading = False
        began = asyncio.get_running_loop().time()
        assert await client.stop() == "READY"

        assert asyncio.get_running_loop().time() - began < 4


async def test_random_messages_leave_the_connection_alive() -> None:
    noise = np.random.default_rng(5)
    async with serve(Painter) as server:
        client = await server.join()
        for _ in range(100):
            client.wire.send(noise.bytes(int(noise.integers(0, 60))).decode("latin-1"))
        client.wire.send(json.dumps({"scope": "runtime", "data": {"type": "\ud800", "data": None}}))

        assert await client.command("runs") == 1


# --- what nobody heard, and what one client cannot take ---


@model("talker")
class Talker(VideoModel):
    """Says a number whenever it is asked to, and once nobody is connected any more."""

    def start_session(self) -> None:
        ctx = get_ctx()
        while not ctx.should_stop():
            if not ctx.connected:
                for number in range(3):
                    ctx.send({"nobody": number})
                ctx.wait_stop(60)
            ctx.wait_stop(0.01)

    @command("say")
    def say(self, size: int) -> str:
        get_ctx().send("x" * size)
        return "y" * size


async def test_messages_that_nobody_hears_are_counted_and_shown() -> None:
    async with serve(Talker) as server:
        client = await server.join()
        assert (await lost(server))["messages_unheard"] == 0
        client.leave()
        async with asyncio.timeout(5):
            while (await lost(server))["messages_unheard"] < 3:  # noqa: ASYNC110 - asked over HTTP
                await asyncio.sleep(0.01)

        metrics = (await server.http.get("/metrics")).text
        assert 'reactor_dropped_total{place="messages_unheard"} 3.0' in metrics
        again = server.client()
        await again.connect("PUT")
        assert again.said == []
        await again.stop()


async def test_a_message_larger_than_a_client_takes_is_dropped_for_that_client_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serve(Talker) as server:
        client = await server.join()
        small = server.client()
        body = await small.offer()
        body["sdp_offer"] = body["sdp_offer"].replace("max-message-size:262144", "max-message-size:1000")
        await small.http.post("/sessions/local/transport/webrtc/sdp_params", json=body)
        small.wire.connect(await small.answer())

        assert await client.command("say", size=500) == "y" * 500
        assert await client.command("say", size=5000) == "y" * 5000
        assert await client.command("say", size=5000) == "y" * 5000
        assert [len(text) for text in client.said] == [500, 5000, 5000]
        assert [len(text) for text in small.said] == [500]
        assert (await lost(server))["messages_unsent"] == 2
        assert sum("takes messages of 1000 bytes" in record.message for record in caplog.records) == 1


async def test_a_result_that_its_client_cannot_take_is_answered_all_the_same() -> None:
    async with serve(Talker) as server:
        client = server.client()
        await client.start()
        body = await client.offer()
        body["sdp_offer"] = body["sdp_offer"].replace("max-message-size:262144", "max-message-size:1000")
        await client.http.post("/sessions/local/transport/webrtc/sdp_params", json=body)
        client.wire.connect(await client.answer())

        with pytest.raises(CommandError) as caught:
            await client.command("say", size=5000)
        assert caught.value.code == "result_too_large"
        assert await client.command("say", size=5) == "yyyyy"


@model("greeter")
class Greeter(VideoModel):
    """Says more at once than is held for a client that has not shown how it writes."""

    def start_session(self) -> None:
        for number in range(HELD_MESSAGES + 7):
            get_ctx().send(number)
        get_ctx().wait_stop(60)


async def test_held_messages_limit() -> None:
    # Time stands still: nobody settles how the client writes before it says something.
    async with serve(Greeter, clock=VirtualClock()) as server:
        client = server.client()
        await client.start()
        path = "/sessions/local/transport/webrtc/connections"
        number = (await server.http.post(path)).json()["connection_id"]
        await server.http.post(f"{path}/{number}/sdp_params", json=await client.offer())
        client.wire.connect((await server.http.get(f"{path}/{number}/sdp_params")).json()["sdp_answer"])
        async with asyncio.timeout(5):
            while (await lost(server))["messages_unsent"] < 7:  # noqa: ASYNC110 - asked over HTTP
                await asyncio.sleep(0.01)
        assert client.received == []
        client.send({"scope": "runtime", "data": {"type": "ping", "data": {}}})
        await client.wait_said(HELD_MESSAGES)

        assert client.said == list(range(7, HELD_MESSAGES + 7))
        assert (await lost(server))["messages_unsent"] == 7
