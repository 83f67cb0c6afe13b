"""What stands behind each port here, as the suites of the kit want it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from omegaconf import OmegaConf
from tests.executors.rig import Weights

from reactor_runtime import VideoModel
from reactor_runtime.clock import Clock
from reactor_runtime.executors.thread import ThreadExecutor
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.testing import ClockRig, VirtualClock
from reactor_runtime.transports.memory import MemoryEngine
from reactor_runtime.transports.port import Peer, PeerConfig, PeerEvent, Section
from reactor_runtime.transports.reactor_webrtc import ReactorWebRtcEngine
from reactor_runtime.transports.reactor_webrtc.rehearsal import _Client
from reactor_runtime.transports.wire import Door, Handle, MessageReceived, Wire

SECTIONS = [Section("0", "main_video", "video", True, (VideoCodec.VP8,))]


class Going:
    """A clock that goes by itself."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def move(self) -> None:
        pass


class Standing:
    """A clock that somebody moves."""

    def __init__(self) -> None:
        self.clock = VirtualClock()

    def move(self) -> None:
        self.clock.advance(0.01)


def going(make: Callable[[], Clock]) -> Callable[[], ClockRig]:
    return lambda: Going(make())


def thread_executor(cls: type[VideoModel]) -> ThreadExecutor:
    return ThreadExecutor(cls, OmegaConf.create({}), Weights())


class MemoryRig:
    def __init__(self, engine: Callable[[], MemoryEngine] = MemoryEngine) -> None:
        self._engine = engine()
        self._client = self._engine.client()
        self._peers: list[Peer] = []

    async def open(self, handle: Handle) -> Wire:
        door = Door()
        self._peers.append(await self._engine.create_peer(PeerConfig(from_loopback=True), door.handle))
        door.open(handle)
        return self._peers[0]

    async def connect(self) -> None:
        await self._peers[0].answer(self._client.create_offer(), SECTIONS)
        self._client.connect(await self._peers[0].gathered(1))

    async def say(self, text: str) -> None:
        self._client.send(text)

    async def close(self) -> None:
        self._client.close()
        while self._peers:
            await self._peers.pop().close()
        self._engine.close()


class WebRtcRig:
    def __init__(self) -> None:
        self._engine = ReactorWebRtcEngine()
        self._client = _Client(self._engine)
        self._heard = asyncio.Event()
        self._peers: list[Peer] = []

    async def open(self, handle: Handle) -> Wire:
        heard = self._heard  # and no rig: a circle would keep the engine alive, and there is one in a process

        def listened(event: PeerEvent) -> None:
            handle(event)
            if isinstance(event, MessageReceived):
                heard.set()

        door = Door()
        self._peers.append(await self._engine.create_peer(PeerConfig(from_loopback=True), door.handle))
        door.open(listened)
        return self._peers[0]

    async def connect(self) -> None:
        peer = self._peers[0]
        await peer.answer(await self._client.offer(), SECTIONS)
        self._client.candidates_to(peer.add_candidate)
        await self._client.accept(await peer.gathered(1))

    async def say(self, text: str) -> None:
        await self._client.send(text, self._heard)

    async def close(self) -> None:
        await self._client.close()
        while self._peers:
            await self._peers.pop().close()
        self._engine.close()
