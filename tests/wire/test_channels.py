"""Clients whose channel is not the one that we know, over a real wire: they look on, and are told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reactor_runtime.transports.wire import CHANNELS_LIMIT

from .client import PATH, Client, connected
from .server import Server

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("free_slot")]
PROJECT = "echo"


@pytest.mark.parametrize(
    ("label", "options", "code"),
    [("chat", {}, "wrong_channel"), ("data", {"negotiated": True, "id": 7}, "channel_not_open")],
)
def test_pictures_flow_and_the_client_is_told(
    server: Server, label: str, options: dict[str, Any], code: str
) -> None:
    async def play() -> None:
        client = Client(server.url, label=label, channel=options)
        await client.connect(await client.start())
        await client.until(lambda: len(client.frames.get("main_video", [])) > 5, "frames")
        session = (await client.http.get("/session")).json()
        assert [c["notice"]["code"] for c in session["clients"]] == [code]
        assert (await client.http.get(f"{PATH}/sdp_params")).json()["notice"]["code"] == code
        assert session["state"] == "STREAMING"
        await client.close()

    asyncio.run(play())


def test_more_channels_than_one_client_may_open_are_closed(server: Server) -> None:
    async def play() -> None:
        client = await connected(server)
        more = [client.pc.createDataChannel(f"more {number}") for number in range(CHANNELS_LIMIT + 3)]
        await client.until(lambda: [c.readyState for c in more].count("closed") == 4, "refusals")
        lost = (await client.http.get("/session")).json()["lost"]
        assert lost["channels"] == 4
        assert (await client.ask("state"))["data"]["ok"] is True
        await client.close()

    asyncio.run(play())
