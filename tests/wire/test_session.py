"""Whole sessions over a real WebRTC wire, with a client that is not our engine."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from .client import PATH, Client, connected
from .server import Server

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("free_slot")]
PROJECT = "echo"
OPTIONS = ("--orphan-timeout", "20")


@pytest.mark.parametrize("codec", ["VP8", "H264", None])
def test_frames_follow_commands(server: Server, codec: str | None) -> None:
    async def play() -> None:
        client = await connected(server, codec=codec)
        await client.shade("main_video", 120)
        result = await client.ask("set_shade", {"shade": "light"})
        assert result["type"] == "commandResult"
        assert result["data"]["ok"] is True
        assert result["data"]["frame"] > 0
        await client.shade("main_video", 220)
        await client.close()

    asyncio.run(play())


def test_video_of_the_client_reaches_the_model_and_comes_back(server: Server) -> None:
    async def play() -> None:
        client = await connected(server, camera=200)
        await client.shade("webcam_back", 55)
        state = await client.ask("state")
        assert state["data"]["result"]["received"] > 0
        await client.close()

    asyncio.run(play())


def test_every_command_is_answered(server: Server) -> None:
    async def play() -> None:
        client = await connected(server)
        added = await client.ask("add", {"a": 2})
        assert added["data"]["result"] == {"sum": 3}
        wrong = await client.ask("add", {"a": 101})
        assert (wrong["type"], wrong["data"]["code"], wrong["data"]["field"]) == (
            "commandError",
            "invalid_command",
            "a",
        )
        assert (await client.ask("nothing"))["data"]["code"] == "unknown_command"
        refused = await client.ask("refuse")
        assert (refused["data"]["code"], refused["data"]["message"]) == ("not_today", "Come back tomorrow.")
        broken = await client.ask("break")
        assert broken["data"]["code"] == "internal_error"
        assert "secret" not in str(broken)
        client.channel.send("no json at all")
        await client.until(
            lambda: any(m["data"].get("data", {}).get("code") == "invalid_message" for m in client.messages),
            "refusal of garbage",
        )
        assert (await client.ask("add", {"a": 1}))["data"]["ok"] is True
        await client.close()

    asyncio.run(play())


def test_a_command_without_an_id_answers_as_older_clients_expect(server: Server) -> None:
    async def play() -> None:
        client = await connected(server)
        client.send("add", {"a": 4})
        await client.until(
            lambda: {"scope": "application", "data": {"sum": 5}} in client.messages, "the bare result"
        )
        client.send("nothing")
        await client.until(
            lambda: any(m["data"].get("type") == "commandError" for m in client.messages), "an error"
        )
        await client.close()

    asyncio.run(play())


def test_two_users_in_a_row_share_nothing(server: Server) -> None:
    async def play() -> None:
        first = await connected(server, camera=200)
        await first.shade("webcam_back", 55)
        await first.ask("set_shade", {"shade": "light"})
        await first.shade("main_video", 220)
        await first.http.post("/stop_session")
        await first.until(lambda: ended(first), "the reason of the end")
        assert ended(first) == "stopped"
        await first.close()

        second = await connected(server, camera=None)
        hello = await second.until(
            lambda: next((m for m in second.messages if m["data"].get("type") == "hello"), None), "hello"
        )
        assert hello["data"] == {"type": "hello", "shade": "mid", "received": 0}
        await second.shade("main_video", 120)
        await second.shade("webcam_back", 120)
        await second.close()

    asyncio.run(play())


def test_a_client_that_comes_back_finds_its_session(server: Server) -> None:
    async def play() -> None:
        client = await connected(server)
        await client.ask("set_shade", {"shade": "dark"})
        await client.close()
        await asyncio.to_thread(server.wait_state, "ORPHANED")
        again = Client(server.url)
        descriptor = (await again.http.get("/session")).json()
        await again.connect(descriptor, "PUT")
        await again.shade("main_video", 40)
        assert (await again.ask("state"))["data"]["result"]["shade"] == "dark"
        await again.close()

    asyncio.run(play())


@pytest.mark.parametrize(("order", "reason"), [("crash", "error"), ("finish", "completed")])
def test_the_end_has_a_reason_and_the_next_session_works(server: Server, order: str, reason: str) -> None:
    async def play() -> None:
        client = await connected(server)
        await client.shade("main_video", 120)
        client.send(order)
        await client.until(lambda: ended(client), "the reason of the end")
        assert ended(client) == reason
        if order == "finish":
            assert {"scope": "application", "data": {"type": "goodbye"}} in client.messages
        await asyncio.to_thread(server.wait_state, "READY")
        last = (await client.http.get("/session")).json()["last_end"]
        assert last["reason"] == reason
        await client.close()
        after = await connected(server)
        await after.shade("main_video", 120)
        await after.close()

    asyncio.run(play())


def test_garbage_offers_start_nothing(server: Server) -> None:
    def offer(body: object) -> httpx.Response:
        return httpx.post(f"{server.url}{PATH}/sdp_params", json=body)

    assert offer({"sdp_offer": "garbage"}).status_code == 400
    httpx.post(f"{server.url}/start_session")
    for body in ({"sdp_offer": "garbage"}, {"sdp_offer": "v=0\r\nm=video"}, {"sdp_offer": "v=0\r\n" * 9}):
        response = offer(body)
        assert response.status_code == 400, response.text
        assert response.json()["code"] == "invalid_sdp"
    assert server.state() == "WAITING"


def ended(client: Client) -> str | None:
    for message in client.messages:
        if message["data"].get("type") == "sessionEnded":
            return str(message["data"]["data"]["reason"])
    return None
