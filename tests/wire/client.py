"""A client of the 1.7 generation on aiortc, written from the wire's record: a peer that is not our engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import httpx
import numpy as np
from aiortc import (
    AudioStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpreceiver import RTCRtpReceiver

from .server import Server

PATH = "/sessions/local/transport/webrtc"


class Camera(VideoStreamTrack):
    """A grey picture of one value, 15 times a second."""

    def __init__(self, value: int) -> None:
        super().__init__()
        self.value = value
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(1 / 15)
        frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), self.value, np.uint8), format="rgb24")
        frame.pts, frame.time_base = self._count * 6000, Fraction(1, 90000)
        self._count += 1
        return frame


class Microphone(AudioStreamTrack):
    """A tone, as a microphone would give it: 20 ms at a time, 48 kHz mono."""

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self.hertz = hertz
        self._count = 0
        self._began = 0.0

    async def recv(self) -> av.AudioFrame:
        now = asyncio.get_running_loop().time()
        self._began = self._began or now
        await asyncio.sleep(max(0.0, self._began + self._count / 48_000 - now))
        time = np.arange(self._count, self._count + 960) / 48_000
        samples = np.rint(12_000 * np.sin(2 * np.pi * self.hertz * time)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._count, Fraction(1, 48_000)
        self._count += 960
        return frame


class Client:
    """Connects, counts frames by track, collects messages and sounds."""

    def __init__(
        self,
        url: str,
        *,
        camera: int | None = None,
        microphone: float | None = None,
        codec: str | None = None,
        configuration: RTCConfiguration | None = None,
        label: str = "data",
        channel: dict[str, Any] | None = None,
    ) -> None:
        """`camera` is a grey, `microphone` a pitch in Hz; `label` and `channel` are of the data channel."""
        self.http = httpx.AsyncClient(base_url=url, timeout=20)
        self.frames: dict[str, list[np.ndarray]] = {}
        self.messages: list[dict[str, Any]] = []
        # aiortc asks a public STUN server unless it is told not to.
        self.pc = RTCPeerConnection(configuration or RTCConfiguration(iceServers=[]))
        self.sounds: dict[str, list[np.ndarray]] = {}
        """The last seconds by track: blocks (2, M) int16 at 48 kHz."""
        self.heard_at: dict[str, list[tuple[float, int]]] = {}
        """When each block came, in seconds, and its RTP timestamp."""
        self.camera = camera
        self.microphone = microphone
        self.codec = codec
        self.channel = self.pc.createDataChannel(label, **(channel or {}))
        self.open = asyncio.Event()
        self.closed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._arrived = asyncio.Event()
        self.channel.on("open", self.open.set)
        self.channel.on("close", self.closed.set)
        self.channel.on("message", self._on_message)

    async def start(self) -> dict[str, Any]:
        response = await self.http.post("/start_session", json={})
        response.raise_for_status()
        return response.json()

    async def watch(self) -> None:
        """Join the session that is there."""
        await self.connect((await self.http.get("/session")).json())

    async def connect(self, descriptor: dict[str, Any], method: str = "POST") -> None:
        mapping = []
        for track in descriptor["capabilities"]["tracks"]:
            transceiver = self.pc.addTransceiver(track["kind"], direction=track["direction"])
            if track["direction"] == "sendonly":
                self._publish(track["kind"], transceiver.sender)
            if self.codec and (track["kind"], track["direction"]) == ("video", "recvonly"):
                known = RTCRtpReceiver  # capabilities of what this peer decodes
                codecs = [c for c in known.getCapabilities("video").codecs if c.name in (self.codec, "rtx")]  # type: ignore[union-attr]  # there are some
                transceiver.setCodecPreferences(codecs)
            mapping.append((transceiver, track))
        await self.pc.setLocalDescription(await self.pc.createOffer())
        body = {
            "sdp_offer": self.pc.localDescription.sdp,
            "client_info": {"sdk_version": "0", "sdk_type": "python"},
            "track_mapping": [{"mid": t.mid, **track} for t, track in mapping],
        }
        response = await self.http.request(method, f"{PATH}/sdp_params", json=body)
        assert response.status_code == 202, response.text
        answer = await self.http.get(f"{PATH}/sdp_params")
        while answer.status_code == 202:
            answer = await self.http.get(f"{PATH}/sdp_params")
        assert answer.status_code == 200, answer.text
        await self.pc.setRemoteDescription(RTCSessionDescription(answer.json()["sdp_answer"], "answer"))
        for transceiver, track in mapping:
            if track["direction"] == "recvonly":
                self._tasks.append(
                    asyncio.ensure_future(self._receive(track["name"], transceiver.receiver.track))
                )
        await asyncio.wait_for(self.open.wait(), 20)

    def _publish(self, kind: str, sender: Any) -> None:
        if kind == "video" and self.camera is not None:
            sender.replaceTrack(Camera(self.camera))
        if kind == "audio" and self.microphone is not None:
            sender.replaceTrack(Microphone(self.microphone))

    def send(self, name: str, arguments: Any = None, request: str | None = None) -> None:
        data: dict[str, Any] = {"type": name, "data": arguments or {}}
        if request is not None:
            data["id"] = request
        self.channel.send(json.dumps({"scope": "application", "data": data}))

    async def until(self, ready: Callable[[], Any], what: str, within: float = 30) -> Any:
        """Wait until `ready()` is true and return it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not (result := ready()):
            assert loop.time() < deadline, f"no {what} within {within} s; messages: {self.messages[-5:]}"
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), 0.2)
            except TimeoutError:
                continue
        return result

    async def answer(self, request: str) -> dict[str, Any]:
        """The runtime's answer to a command sent with this id."""

        def find() -> dict[str, Any] | None:
            for message in self.messages:
                inner = message["data"]
                if message["scope"] == "runtime" and inner.get("data", {}).get("id") == request:
                    return inner
            return None

        return await self.until(find, f"answer to {request}")

    async def ask(self, name: str, arguments: Any = None, request: str = "r") -> dict[str, Any]:
        request = f"{request}-{len(self.messages)}-{name}"
        self.send(name, arguments, request)
        return await self.answer(request)

    async def arrived(self) -> None:
        """Return when the runtime has read all that was sent so far: it answers in order."""
        asking = {"scope": "runtime", "data": {"type": "requestCapabilities", "data": {}}}
        told = len(self.messages)
        self.channel.send(json.dumps(asking))
        await self.until(
            lambda: any(m["data"].get("type") == "modelCapabilities" for m in self.messages[told:]),
            "capabilities",
        )

    async def shade(self, track: str, value: int, tolerance: int = 12) -> None:
        """Wait until the newest frame of `track` has about this grey."""

        def near() -> bool:
            frames = self.frames.get(track)
            return bool(frames) and abs(float(frames[-1].mean()) - value) <= tolerance  # type: ignore[index]  # asked for before it

        await self.until(near, f"picture of {value} on {track}")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pc.close()
        await self.http.aclose()

    def _on_message(self, data: str | bytes) -> None:
        self.messages.append(json.loads(data))
        self._arrived.set()

    async def _receive(self, name: str, track: Any) -> None:
        frames = self.frames.setdefault(name, [])
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, av.AudioFrame):
                self._hear(name, frame)
            else:
                frames.append(frame.to_ndarray(format="rgb24"))
                del frames[:-100]
            self._arrived.set()

    def _hear(self, name: str, frame: av.AudioFrame) -> None:
        blocks, times = self.sounds.setdefault(name, []), self.heard_at.setdefault(name, [])
        blocks.append(frame.to_ndarray().reshape(-1, 2).T)
        times.append((asyncio.get_running_loop().time(), frame.pts or 0))
        del blocks[:-400]


async def connected(server: Server, **options: Any) -> Client:
    """The first client of a new session."""
    client = Client(server.url, **options)
    await client.connect(await client.start())
    return client
