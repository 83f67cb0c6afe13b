"""Play one visit with the `reactor-sdk` that is on the path: ``python play.py VERSION [BASE_URL]``.

Runs in the SDK's own environment. Prints one JSON object: for every check "ok", or what was seen instead.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from reactor_sdk import Reactor

SERVER = sys.argv[2] if len(sys.argv) > 2 else "http://localhost:8080"
FRAMES = 60
LIMIT_S = 12
DARK, MID, LIGHT = 40, 120, 220
FILE = bytes(range(256)) * 1000
CAMERA = 200
CAMERA_BACK = 255 - CAMERA


class Client:
    """What all releases can do, whatever they call it. Frames are kept as their mean brightness."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.frames: dict[str, int] = {}
        self.shade: dict[str, float] = {}
        self.tasks: list[asyncio.Task[None]] = []

    def see(self, track: str, picture: Any) -> None:
        self.frames[track] = self.frames.get(track, 0) + 1
        self.shade[track] = float(np.asarray(picture).mean())

    def find(self, wanted: Callable[[Any], bool]) -> Any:
        return next((message for message in self.messages if _is(wanted, message)), None)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()


class Native(Client):
    """1.x, around a native library; commands are awaited."""

    ask_again = "reconnect"

    def __init__(self) -> None:
        super().__init__()
        self.sdk = Reactor("echo", local=True, api_url=SERVER)
        self.sdk.on("message", self.messages.append)
        self.sdk.on("runtime_message", self.messages.append)
        for name in ("main_video", "webcam_back"):
            self.sdk.track(name).on_frame(self._seer(name))

    async def connect(self) -> None:
        await self.sdk.connect()

    async def command(self, name: str, **arguments: Any) -> Any:
        return await self.sdk.send_command(name, arguments)

    async def ask(self, name: str, **arguments: Any) -> dict[str, Any]:
        reply = await self.command(name, **arguments)
        return dict(reply["data"])

    async def error(self, name: str, **arguments: Any) -> tuple[str, str]:
        try:
            await self.command(name, **arguments)
        except Exception as error:
            return error.code, error.message  # type: ignore[attr-defined]  # of the SDK's own base class
        raise AssertionError("the command was taken")

    async def camera(self) -> None:
        camera = await self.sdk.publish_track("webcam")
        self.tasks.append(asyncio.ensure_future(self._film(camera)))

    async def come_back(self) -> None:
        await self.close()
        await self.sdk.reconnect()

    async def leave(self) -> None:
        await self.close()
        await self.sdk.disconnect()

    def _seer(self, name: str) -> Callable[[Any], None]:
        """A handler of one argument: the SDK counts them."""
        return lambda frame: self.see(name, frame)

    async def _film(self, camera: Any) -> None:
        while True:
            camera.push_frame(np.full((240, 320, 3), CAMERA, np.uint8))
            await asyncio.sleep(1 / 15)


class Pure(Client):
    """0.3 to 0.8, around aiortc; answers come as messages."""

    def __init__(self) -> None:
        super().__init__()
        self.sdk = self.make()
        self.listen()

    def make(self) -> Any:
        return Reactor("echo", local=True)

    def listen(self) -> None:
        self.sdk.on("message", self.messages.append)
        self.sdk.on("runtime_message", self.messages.append)
        self.sdk.on("track_received", self._watch)

    async def connect(self) -> None:
        await self.sdk.connect()
        await until(lambda: str(self.sdk.get_status().value) == "ready", "the client is ready")

    async def command(self, name: str, **arguments: Any) -> None:
        await self.sdk.send_command(name, arguments)

    async def ask(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The value that comes back, told from other messages by having no type."""
        self.messages.clear()
        await self.command(name, **arguments)
        return dict(await until(lambda: self.find(lambda m: "type" not in m), f"{name} is answered"))

    async def error(self, name: str, **arguments: Any) -> tuple[str, str]:
        self.messages.clear()
        await self.command(name, **arguments)
        found = await until(lambda: self.find(lambda m: bool(_command_error(m)["code"])), "the error arrives")
        return _command_error(found)["code"], _command_error(found)["message"]

    async def camera(self) -> None:
        await self.sdk.publish_track("webcam", Picture())

    async def come_back(self) -> None:
        await self.sdk.disconnect(recoverable=True)
        await asyncio.sleep(0.5)
        await self.sdk.reconnect()
        await until(lambda: str(self.sdk.get_status().value) == "ready", "the client is ready again")

    async def leave(self) -> None:
        await self.sdk.disconnect()
        await self.close()

    def _watch(self, name: str, track: Any) -> None:
        self.tasks.append(asyncio.ensure_future(self._receive(name, track)))

    async def _receive(self, name: str, track: Any) -> None:
        from aiortc.mediastreams import MediaStreamError

        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            self.see(name, frame.to_ndarray(format="rgb24"))


class Declared(Pure):
    """0.3: the application names the tracks."""

    def make(self) -> Any:
        from reactor_sdk import video

        return Reactor(
            "echo", local=True, receive=[video("main_video"), video("webcam_back")], send=[video("webcam")]
        )


class Single(Pure):
    """0.1: one picture each way, and only messages of the model."""

    def listen(self) -> None:
        self.sdk.on("new_message", self.messages.append)
        self.sdk.on("stream_changed", lambda track: track and self._watch("main_video", track))

    async def camera(self) -> None:
        await self.sdk.publish_track(Picture())


def Picture() -> Any:
    """A camera for aiortc."""
    import av
    from aiortc import VideoStreamTrack

    class Grey(VideoStreamTrack):
        async def recv(self) -> Any:
            pts, time_base = await self.next_timestamp()
            frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), CAMERA, np.uint8), format="rgb24")
            frame.pts, frame.time_base = pts, time_base
            return frame

    return Grey()


def client_for(version: str) -> Client:
    major, minor = (int(part) for part in version.split(".")[:2])
    if major >= 1:
        return Native()
    if minor <= 1:
        return Single()
    return Declared() if minor <= 3 else Pure()


class Visit:
    """The checks, in their order. A check that fails ends the visit: the ones after it need it."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.client: Any = client_for(version)
        self.found: dict[str, str] = {}

    async def play(self) -> None:
        checks = (
            self.connect, self.frames, self.message, self.command, self.reply, self.error, self.camera,
            self.upload, self.reconnect, self.disconnect, self.again,
        )  # fmt: skip
        for check in checks:
            try:
                result = await asyncio.wait_for(check(), 2 * LIMIT_S)
            except Exception as error:
                self.found[check.__name__] = f"{type(error).__name__}: {error}"
                return
            self.found[check.__name__] = result or "ok"

    async def connect(self) -> None:
        await self.client.connect()

    async def frames(self) -> None:
        await until(lambda: self.client.frames.get("main_video", 0) >= FRAMES, f"{FRAMES} frames")
        await self.picture(MID)

    async def message(self) -> None:
        hello = await self.hello()
        assert (hello["shade"], hello["received"]) == ("mid", 0), hello

    async def command(self) -> None:
        await self.client.command("set_shade", shade="light")
        await self.picture(LIGHT)

    async def reply(self) -> None:
        reply = await self.client.ask("add", a=2)
        assert reply == {"sum": 3}, reply

    async def error(self) -> None:
        code, message = await self.client.error("add", a=101)
        assert (code, "100" in message) == ("invalid_command", True), (code, message)

    async def camera(self) -> None:
        await self.client.camera()
        if not isinstance(self.client, Single):
            await self.picture(CAMERA_BACK, "webcam_back")
        state = await self.client.ask("state")
        deadline = time.monotonic() + LIMIT_S
        while not state["received"]:
            assert time.monotonic() < deadline, state
            state = await self.client.ask("state")

    async def upload(self) -> str | None:
        if not hasattr(self.client.sdk, "upload_file"):
            return "cannot"
        file = await self.client.sdk.upload_file(FILE, name="photo.png", mime_type="image/png")
        reply = await self.client.ask("weigh", file=file)
        expected = {"name": "photo.png", "mime_type": "image/png", "size": len(FILE), "sum": sum(FILE)}
        assert reply == expected, reply
        return None

    async def reconnect(self) -> None:
        await self.client.command("set_shade", shade="dark")
        await self.picture(DARK)
        number = session()["number"]
        await self.client.come_back()
        self.client.shade.clear()  # not before: the first connection still showed the same picture
        await self.picture(DARK)
        state = await self.client.ask("state")
        assert (state["shade"], session()["number"]) == ("dark", number), (state, session())

    async def disconnect(self) -> None:
        await self.client.leave()
        await until(lambda: session()["state"] == "READY", "the server is free")
        assert session()["last_end"]["reason"] == "stopped", session()["last_end"]

    async def again(self) -> None:
        number = session()["number"]
        self.client = client_for(self.version)
        await self.client.connect()
        await self.picture(MID)
        await self.message()
        assert session()["number"] == number + 1
        await self.client.leave()

    async def picture(self, shade: int, track: str = "main_video") -> None:
        seen = self.client.shade
        await until(
            lambda: abs(seen.get(track, -99) - shade) <= 12,
            f"a picture of {shade} on {track}",
            lambda: f"it is {seen.get(track)} after {self.client.frames.get(track, 0)} frames",
        )

    async def hello(self) -> dict[str, Any]:
        """`{"type": "hello", …}`; what is not type and data is put into data for SDK 1.x."""
        found = await until(lambda: self.client.find(lambda m: m["type"] == "hello"), "hello")
        return dict(found.get("data", found))


async def until(ready: Callable[[], Any], what: str, seen: Callable[[], str] = str) -> Any:
    deadline = time.monotonic() + LIMIT_S
    while not (result := ready()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never came true: {what}; {seen()}")
        await asyncio.sleep(0.05)
    return result


def session() -> dict[str, Any]:
    with urllib.request.urlopen(f"{SERVER}/session", timeout=5) as response:
        return dict(json.load(response))


def _is(wanted: Callable[[Any], bool], message: Any) -> bool:
    try:
        return bool(wanted(message))
    except (KeyError, TypeError):
        return False


def _command_error(message: Any) -> dict[str, str]:
    """0.1 hands out what it does not know with the envelope around it."""
    inner = message["data"] if message.get("scope") == "runtime" else message
    if inner["type"] != "commandError":
        raise KeyError
    return dict(inner["data"])


async def main(version: str) -> None:
    visit = Visit(version)
    run: Awaitable[None] = visit.play()
    await run
    print(json.dumps(visit.found), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
