"""Several clients of one session over a real wire, and what a command's answer says about the picture."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest

from .client import PATH, Client
from .server import Server, running

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("free_slot")]
PROJECT = "indexed"
OPTIONS = ("--viewers", "3", "--offers-per-minute", "0")
BITS = 16


@asynccontextmanager
async def clients(server: Server, count: int, **options: Any) -> AsyncIterator[list[Client]]:
    """The one that steers, and others that look on."""
    everybody = [Client(server.url, **options) for _ in range(count)]
    try:
        await everybody[0].connect(await everybody[0].start())
        for client in everybody[1:]:
            await client.watch()
        yield everybody
    finally:
        await asyncio.gather(*(client.close() for client in everybody))


def painted(picture: np.ndarray[Any, Any]) -> tuple[int, str]:
    """The frame's own index and shade."""
    bits = [picture[8:24, bit * 16 + 4 : bit * 16 + 12].mean() > 128 for bit in range(BITS)]
    index = sum(bit << place for place, bit in enumerate(bits))
    return index, "light" if picture[40:60].mean() > 128 else "dark"


def told(client: Client, kind: str) -> list[dict[str, Any]]:
    return [
        m["data"]["data"]
        for m in client.messages
        if m["scope"] == "runtime" and m["data"].get("type") == kind
    ]


def test_the_answer_names_the_first_frame_that_shows_the_command(server: Server) -> None:
    async def play() -> None:
        async with clients(server, 1) as [client]:
            frames = client.frames["main_video"]
            await client.until(lambda: len(frames) > 3, "frames")
            for shade in ("light", "dark", "light", "dark"):
                before = len(frames)
                result = await client.ask("set_shade", {"shade": shade})
                at = result["data"]["frame"]
                seen = lambda: [painted(f) for f in frames]  # noqa: E731
                await client.until(lambda at=at, seen=seen: seen()[-1][0] >= at + 3, "frames after it")
                recent = seen()[max(0, before - 3) :]
                # Around the answer: the old shade up to it, the new one from it on.
                assert {s for index, s in recent if index >= at} == {shade}, (at, recent)
                assert shade not in {s for index, s in recent if index < at}, (at, recent)

    asyncio.run(play())


def test_viewers_see_the_same_frames_and_steer_nothing(server: Server) -> None:
    async def play() -> None:
        async with clients(server, 3, camera=200) as [first, *viewers]:
            for client in (first, *viewers):
                await client.until(lambda client=client: len(client.frames["main_video"]) > 10, "frames")
            await first.until(lambda: bool(first.frames), "frames")
            for viewer in viewers:
                # Pictures may be there before the first message.
                await viewer.until(lambda viewer=viewer: told(viewer, "role"), "a role")
                assert [t["role"] for t in told(viewer, "role")] == ["viewer"]
                refused = await viewer.ask("set_shade", {"shade": "light"})
                assert refused["data"]["code"] == "not_controller"
            await first.ask("set_shade", {"shade": "light"})
            for client in (first, *viewers):
                await client.until(
                    lambda client=client: painted(client.frames["main_video"][-1])[1] == "light", "new shade"
                )
            session = (await first.http.get("/session")).json()
            assert sorted(c["role"] for c in session["clients"]) == ["controller", "viewer", "viewer"]
            late = [Client(server.url), Client(server.url)]
            await late[0].watch()
            with pytest.raises(AssertionError, match="too_many_viewers"):
                await late[1].watch()
            await asyncio.gather(*(client.close() for client in late))

    asyncio.run(play())


def test_a_viewers_camera_stays_outside_until_it_steers(server: Server) -> None:
    async def play() -> None:
        async with clients(server, 2) as [first, viewer]:
            await viewer.close()
            viewer = Client(server.url, camera=240)
            await viewer.watch()
            await viewer.until(lambda: len(viewer.frames["main_video"]) > 15, "frames")
            assert (await first.ask("seen"))["data"].get("result") is None
            viewer.channel.send(json.dumps({"scope": "runtime", "data": {"type": "takeControl", "data": {}}}))
            await first.until(lambda: [t["role"] for t in told(first, "role")][-1:] == ["viewer"], "the loss")
            deadline = time.monotonic() + 10
            while (shade := (await viewer.ask("seen"))["data"].get("result")) is None:
                assert time.monotonic() < deadline
            assert abs(shade - 240) < 15
            await viewer.close()

    asyncio.run(play())


def test_a_dead_viewer_slows_nobody_and_a_leaving_one_disturbs_nobody(server: Server) -> None:
    async def play() -> None:
        async with clients(server, 2) as [first, dead]:
            frames = first.frames["main_video"]
            await first.until(lambda: len(frames) > 5, "frames")
            # Its packets fall on the floor from now on, in both directions.
            for transport in {t.receiver.transport.transport for t in dead.pc.getTransceivers()}:
                transport._send = _swallow
                for protocol in transport._connection._protocols:
                    socket = protocol.transport.get_extra_info("socket")
                    asyncio.get_running_loop()._remove_reader(socket.fileno())  # type: ignore[attr-defined]  # Debian's 3.11.2 cannot pause
            leaving = Client(server.url)
            await leaving.watch()
            await leaving.until(lambda: len(leaving.frames["main_video"]) > 2, "frames")
            await leaving.close()
            rates: list[float] = []
            while not rates or (rates[-1] <= 20 and len(rates) < 4):  # other tests run beside this one
                begun, at = painted(frames[-1])[0], time.monotonic()
                await asyncio.sleep(3)
                rates.append((painted(frames[-1])[0] - begun) / (time.monotonic() - at))
            assert rates[-1] > 20, f"{rates} frames a second beside a dead viewer"
            assert (await first.ask("set_shade", {"shade": "light"}))["data"]["ok"] is True

    asyncio.run(play())


async def _swallow(data: bytes) -> None:
    return


def test_a_reconnecting_controller_keeps_its_role(server: Server) -> None:
    async def play() -> None:
        async with clients(server, 2) as [first, viewer]:
            await viewer.until(lambda: len(viewer.frames["main_video"]) > 3, "frames")
            await first.close()
            await viewer.until(lambda: len(told(viewer, "role")) == 2, "the vacancy")
            again = Client(server.url)
            await again.connect((await again.http.get("/session")).json(), "PUT")
            assert (await again.ask("set_shade", {"shade": "light"}))["data"]["ok"] is True
            assert (await viewer.ask("set_shade", {"shade": "dark"}))["data"]["code"] == "not_controller"
            await again.close()

    asyncio.run(play())


def ended(client: Client) -> str | None:
    return next((end["reason"] for end in told(client, "sessionEnded")), None)


def test_an_offer_beside_a_live_client_looks_on_and_inherits_its_role(server: Server) -> None:
    async def play() -> None:
        async with clients(server, 1) as [first]:
            again = Client(server.url)
            await again.connect((await again.http.get("/session")).json(), "PUT")
            assert (await again.ask("set_shade", {"shade": "light"}))["data"]["code"] == "not_controller"
            assert ended(first) is None
            assert (await first.ask("set_shade", {"shade": "light"}))["data"]["ok"] is True
            await first.close()
            await again.until(lambda: told(again, "role")[-1:] == [{"role": "controller"}], "the role")
            assert (await again.ask("set_shade", {"shade": "dark"}))["data"]["ok"] is True
            await again.close()

    asyncio.run(play())


@pytest.mark.parametrize(
    ("option", "reason"), [(("--max-session-duration", "1"), "time_cap"), ((), "shutdown")]
)
def test_every_client_hears_the_end_before_its_wire_closes(option: tuple[str, ...], reason: str) -> None:
    async def play(server: Server) -> None:
        async with clients(server, 2) as everybody:
            if reason == "shutdown":
                server.process.terminate()
            for client in everybody:
                await client.until(lambda client=client: ended(client), "the reason")
                assert ended(client) == reason
            if reason == "shutdown":
                assert await asyncio.to_thread(server.process.wait, 20) == 0
            else:
                await asyncio.to_thread(server.wait_state, "READY")
                last = (await everybody[0].http.get("/session")).json()["last_end"]
                assert (last["session"], last["reason"]) == (1, reason)

    with running("indexed", *option) as server:
        asyncio.run(play(server))


def test_a_session_that_nobody_comes_back_to_times_out() -> None:
    async def play(server: Server) -> None:
        async with clients(server, 1) as [client]:
            await client.until(lambda: len(client.frames["main_video"]) > 2, "frames")

    with running("indexed", "--orphan-timeout", "1") as server:
        asyncio.run(play(server))
        server.wait_state("READY")
        assert httpx.get(f"{server.url}/session").json()["last_end"]["reason"] == "timed_out"


def test_commands_that_wait_at_the_end_are_answered(server: Server) -> None:
    async def play() -> None:
        async with clients(server, 1) as [client]:
            client.send("wait", {"seconds": 20.0}, "first")
            client.send("set_shade", {"shade": "light"}, "second")
            await client.arrived()
            await client.http.post("/stop_session")
            assert (await client.answer("second"))["data"]["code"] == "session_ended"
            assert (await client.answer("first"))["data"]["id"] == "first"
            await client.until(lambda: ended(client) == "stopped", "the end")

    asyncio.run(play())


def test_offers_without_an_id_at_once(server: Server) -> None:
    async def play() -> None:
        everybody = [Client(server.url) for _ in range(3)]
        descriptor = await everybody[0].start()
        await asyncio.gather(*(client.connect(descriptor) for client in everybody))
        for client in everybody:
            await client.until(lambda client=client: len(client.frames["main_video"]) > 1, "frames")
        await asyncio.gather(*(client.close() for client in everybody))

    asyncio.run(play())
    assert httpx.get(f"{server.url}{PATH}/sdp_params").status_code in (200, 400, 404, 409)


def test_clients_that_leave_while_they_connect_leave_the_next_one_its_picture(server: Server) -> None:
    """The engine gives its next encoder to the oldest track without one: that of a client that left in the
    middle must be gone by then."""

    async def leave(after: float) -> None:
        client = Client(server.url)
        connected = asyncio.Event()
        client.pc.on(
            "connectionstatechange", lambda: client.pc.connectionState != "connected" or connected.set()
        )
        connecting = asyncio.ensure_future(client.connect(await client.start()))
        await asyncio.wait_for(connected.wait(), 10)
        await asyncio.sleep(after)
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await client.http.post("/stop_session")
        await client.close()
        await asyncio.to_thread(server.wait_state, "READY")

    async def play() -> None:
        for attempt in range(16):
            await leave(after=0.002 * attempt)
        async with clients(server, 2) as [first, viewer]:
            for client in (first, viewer):
                await client.until(lambda client=client: len(client.frames["main_video"]) > 1, "frames")

    asyncio.run(play())
