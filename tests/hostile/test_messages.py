"""Everybody is answered: whatever an author raises, on every wire, and whatever a client's channel takes."""

from __future__ import annotations

import asyncio
import enum
import json
from typing import Any

import pytest
from tests.runtimes.http.models import Painter

from reactor_runtime import CommandError, UploadedFile, VideoModel, VideoOut, command, get_ctx, model
from reactor_runtime.clients import channels
from reactor_runtime.protocol import reactor_wire
from reactor_runtime.session.states import State
from reactor_runtime.testing import Client, LeapingClock, MemoryServer, serve
from reactor_runtime.transports.wire import CHANNELS_LIMIT

WEBRTC = "/sessions/local/transport/webrtc"


class Status(enum.IntEnum):
    GONE = 410


class Word(enum.Enum):
    BAD = "bad_word"


class Nameless:
    def __str__(self) -> str:
        raise ValueError("no text")


class OwnError(CommandError):
    """What an author's own class may leave out."""

    code = 404  # type: ignore[assignment] # as authors write it

    def __init__(self) -> None:
        Exception.__init__(self, "gone")


CODES: list[tuple[Any, str]] = [
    (404, "404"),
    (None, "command_refused"),
    (Status.GONE, "410"),
    (Word.BAD, "bad_word"),
    (b"bytes", "b'bytes'"),
    (Nameless(), "Nameless"),
    ("\ud800", "?"),
]


@model("refuser")
class Refuser(VideoModel):
    main_video = VideoOut()

    def start_session(self) -> None:
        get_ctx().wait_stop(60)

    @command("refuse")
    def refuse(self, which: int) -> None:
        code = CODES[which][0]
        # Half a surrogate pair in a log record stops pytest-xdist.
        raise CommandError(code, "No." if isinstance(code, str) else code, field=code)

    @command("own")
    def own(self) -> None:
        raise OwnError

    @command("fail")
    def fail(self, size: int) -> None:
        raise CommandError("bad_tensor", "x" * size)

    @command("look")
    def look(self, file: UploadedFile) -> str:
        return file.name


async def binary_client(server: MemoryServer) -> Client:
    client = server.client(channels=("control", "data"))
    await client.start()
    number = (await server.http.post(f"{WEBRTC}/connections")).json()["connection_id"]
    path = f"{WEBRTC}/connections/{number}/sdp_params"
    await server.http.post(path, json=await client.offer())
    client.wire.connect((await server.http.get(path)).json()["sdp_answer"])
    return client


async def ask_binary(client: Client, name: str, arguments: dict[str, Any]) -> Any:
    message = reactor_wire.new("DataClientMessage")
    message.request_id, message.kind, message.command.type = "r1", reactor_wire.REQUEST, name
    message.command.data.update(arguments)
    before = len(client.wire.messages)
    client.wire.send(message.SerializeToString())
    await client.until(lambda: len(client.wire.messages) > before)
    reply = reactor_wire.new("DataServerMessage")
    reply.ParseFromString(client.wire.messages[-1][1])
    assert reply.request_id == "r1"
    return reply


@pytest.mark.parametrize("which", range(len(CODES)), ids=lambda i: repr(CODES[i][1]))
async def test_a_code_that_is_no_text_is_answered_on_every_wire(which: int) -> None:
    async with serve(Refuser) as server:
        client = await server.join()
        with pytest.raises(CommandError) as refusal:
            await client.command("refuse", which=which)
        plain = refusal.value.code.encode("utf-8", "replace").decode()
        assert plain == CODES[which][1]
        assert isinstance(refusal.value.message, str)
        await client.stop()

        reply = await ask_binary(await binary_client(server), "refuse", {"which": which})
        assert (reply.WhichOneof("payload"), reply.error.code) == ("error", CODES[which][1])


async def test_an_authors_own_class_of_errors_is_answered() -> None:
    async with serve(Refuser) as server:
        client = await server.join()
        with pytest.raises(CommandError, match="gone") as refusal:
            await client.command("own")
        assert refusal.value.code == "404"


# --- too large ---


async def small_client(server: MemoryServer, size: int) -> Client:
    """One whose offer says that it takes messages of `size` bytes."""
    client = server.client()
    await client.start()
    body = await client.offer()
    body["sdp_offer"] = body["sdp_offer"].replace("max-message-size:262144", f"max-message-size:{size}")
    await client.http.post(f"{WEBRTC}/sdp_params", json=body)
    client.wire.connect(await client.answer())
    return client


async def test_refusals_that_are_too_large_are_answered_in_short() -> None:
    async with serve(Refuser) as server:
        client = await small_client(server, 1000)
        with pytest.raises(CommandError, match="bad_tensor") as refusal:
            await client.command("fail", size=400_000)
        assert refusal.value.code == "error_too_large"
        assert "GET /schema" in refusal.value.message


@pytest.mark.parametrize(
    ("asked", "code"),
    [("requestSchema", "schema_too_large"), ("requestCapabilities", "capabilities_too_large")],
)
async def test_descriptions_that_are_too_large_say_where_they_are(asked: str, code: str) -> None:
    async with serve(Refuser) as server:
        client = await small_client(server, 600)
        client.send({"scope": "runtime", "data": {"type": asked, "data": {}, "id": "7"}})
        await client.until(lambda: bool(client.runtime_messages("commandError")))
        [answer] = client.runtime_messages("commandError")
        assert answer["code"] == code
        assert "GET /schema" in answer["message"]


# --- channels ---


async def without_data(server: MemoryServer, labels: tuple[str, ...], *, opened: bool = True) -> Client:
    client = server.client(channels=labels)
    await client.start()
    await client.http.post(f"{WEBRTC}/sdp_params", json=await client.offer())
    client.wire.connect(await client.answer(), open_channels=opened)
    return client


@pytest.mark.parametrize(
    ("labels", "opened", "code"),
    [
        (("chat",), True, "wrong_channel"),
        (("data",), False, "channel_not_open"),  # negotiated by the client alone
        ((), True, "no_channel"),
    ],
)
async def test_a_client_without_the_channel_sees_pictures_and_is_told(
    caplog: pytest.LogCaptureFixture,
    labels: tuple[str, ...],
    opened: bool,
    code: str,
) -> None:
    assert channels.CHANNEL_WAIT_S < 5
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        client = await without_data(server, labels, opened=opened)
        clock.advance(channels.CHANNEL_WAIT_S)
        await client.wait_frames(2)

        assert server.worker.life.state is State.STREAMING
        [shown] = (await server.http.get("/session")).json()["clients"]
        assert (shown["role"], shown["live"], shown["notice"]["code"]) == ("viewer", True, code)
        poll = (await server.http.get(f"{WEBRTC}/sdp_params")).json()
        assert poll["notice"] == shown["notice"]
        assert "channel" in poll["notice"]["detail"]
        [noted] = [e for e in server.worker.journal.since(0) if e.kind == "no_messages"]
        assert noted.data["code"] == code
        assert shown["notice"]["detail"] in caplog.text
        assert "chat" not in json.dumps([e.data for e in server.worker.journal.since(0)])

        # Who can speak steers, and a channel that comes late is used.
        second = server.client()
        await second.connect()
        assert await second.command("runs") == 1


async def test_a_channel_that_comes_late_is_used() -> None:
    clock = LeapingClock()
    async with serve(Painter, clock=clock) as server:
        client = await without_data(server, ("data",), opened=False)
        clock.advance(channels.CHANNEL_WAIT_S)
        await client.wait_frames(1)
        assert client.wire.peer is not None
        client.wire.peer.open_channel("data")

        assert await client.command("runs") == 1
        assert {"role": "controller"} in client.runtime_messages("role")
        [shown] = (await server.http.get("/session")).json()["clients"]
        assert (shown["role"], "notice" in shown) == ("controller", False)


async def test_messages_on_other_channels_are_refused() -> None:
    async with serve(Painter) as server:
        client = server.client(channels=("data", "chat"))
        await client.start()
        await client.connect()
        client.wire.send(json.dumps({"type": "runs", "data": {}}), label="chat")
        await client.until(lambda: bool(client.runtime_messages("commandError")))
        assert '"data"' in client.runtime_messages("commandError")[0]["message"]


async def test_channels_are_bounded_and_counted() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        assert client.wire.peer is not None
        for number in range(CHANNELS_LIMIT + 4):
            client.wire.peer.open_channel(f"extra {number}")
        assert (await server.http.get("/session")).json()["lost"]["channels"] == 5
        assert await client.command("runs") == 1


# --- bodies ---


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sessions/local/uploads", {"name": "a", "size": True}),
        ("/sessions/local/uploads", {"name": "a", "size": "3"}),
        ("/sessions/local/uploads", {"name": "a", "size": 3.5}),
        ("/sessions/local/uploads", {"name": 7, "size": 3}),
        (f"{WEBRTC}/ice_candidates", {"candidates": [{"candidate": "x", "sdp_mline_index": True}]}),
        (f"{WEBRTC}/ice_candidates", {"candidates": [{"candidate": "x", "sdp_mline_index": "0"}]}),
        (f"{WEBRTC}/ice_candidates", {"candidates": [], "is_final": 1}),
        (f"{WEBRTC}/ice_candidates", {"candidates": [], "is_final": "yes"}),
    ],
)
async def test_true_is_no_number_and_a_number_no_text(path: str, body: dict[str, Any]) -> None:
    async with serve(Painter) as server:
        await server.http.post("/start_session")
        response = await server.http.post(path, json=body)
        assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


# --- files ---


async def test_a_file_that_drips_in_ends_with_its_session() -> None:
    async with serve(Refuser) as server:
        await server.http.post("/start_session")
        about = {"name": "a", "size": 100_000}
        path = (await server.http.post("/sessions/local/uploads", json=about)).json()["path"]

        async def drip() -> Any:
            while True:
                yield b"y"
                await asyncio.sleep(0.05)

        sending = asyncio.ensure_future(server.http.put(path, content=drip()))
        session = server.worker.session
        assert session is not None
        uploads = session.uploads._uploads
        while not any(u.stage.name == "ARRIVING" for u in uploads.values()):  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.01)
        await server.http.post("/stop_session")
        response = await asyncio.wait_for(sending, 5)

        assert (response.status_code, response.json()["code"]) == (409, "session_ended")
        assert response.headers["connection"] == "close"


# --- the kit ---


async def test_the_kit_lets_go_of_its_peers_and_counts_no_offers() -> None:
    async with serve(Painter) as server:
        for _ in range(25):
            client = await server.join()
            await client.stop()
            del client
        assert server.engine.peers == []
        assert len(server.engine._clients) <= 1
