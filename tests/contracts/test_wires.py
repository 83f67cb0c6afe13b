"""What every wire does; a new one is one more rig here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import pytest

from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.transports.memory import MemoryEngine
from reactor_runtime.transports.port import Engine, Peer, PeerConfig, Section
from reactor_runtime.transports.reactor_webrtc import ReactorWebRtcEngine
from reactor_runtime.transports.reactor_webrtc.rehearsal import _Client
from reactor_runtime.transports.wire import (
    Door,
    KeyframeRequested,
    MessageReceived,
    Opened,
    PeerState,
    StateChanged,
    Wire,
)

WITHIN = 20.0
SECTIONS = [Section("0", "main_video", "video", True, (VideoCodec.VP8,))]
SIGNALLING = ("CandidateFound", "CandidatesRefused", "TrackRefused")
"""Of WebRTC's own port."""


class Far(Protocol):
    """A client of the wire."""

    async def send(self, text: str, heard: asyncio.Event) -> None: ...

    async def close(self) -> None: ...


class MemoryFar:
    def __init__(self, engine: MemoryEngine) -> None:
        self.client = engine.client()

    async def connect(self, peer: Peer) -> None:
        await peer.answer(self.client.create_offer(), SECTIONS)
        self.client.connect(await peer.gathered(1))

    async def send(self, text: str, heard: asyncio.Event) -> None:
        del heard
        self.client.send(text)

    async def close(self) -> None:
        self.client.close()


class WebRtcFar:
    def __init__(self, engine: ReactorWebRtcEngine) -> None:
        self.client = _Client(engine)

    async def connect(self, peer: Peer) -> None:
        await peer.answer(await self.client.offer(), SECTIONS)
        self.client.candidates_to(peer.add_candidate)
        await self.client.accept(await peer.gathered(1))

    async def send(self, text: str, heard: asyncio.Event) -> None:
        await self.client.say(text, heard)

    async def close(self) -> None:
        await self.client.close()


RIGS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "memory": (MemoryEngine, MemoryFar),
    "webrtc": (ReactorWebRtcEngine, WebRtcFar),
}


class Heard:
    """Everything that a wire reported."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.message = asyncio.Event()
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def handle(self, event: Any) -> None:
        self.events.append(event)
        self._loop.call_soon_threadsafe(self._changed.set)
        if isinstance(event, MessageReceived):
            self.message.set()

    async def until(self, event: Any) -> None:
        async with asyncio.timeout(WITHIN):
            while event not in self.events:
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def made(name: str) -> AsyncIterator[tuple[Peer, Any, Heard]]:
    """A wire whose client has not offered yet."""
    new_engine, new_far = RIGS[name]
    engine: Engine = new_engine()
    far, heard, door = new_far(engine), Heard(), Door()
    peer = await engine.create_peer(PeerConfig(from_loopback=True), door.handle)
    door.open(heard.handle)
    try:
        yield peer, far, heard
    finally:
        await far.close()
        await peer.close()
        engine.close()


@asynccontextmanager
async def connected(name: str) -> AsyncIterator[tuple[Wire, Far, Heard]]:
    async with made(name) as (peer, far, heard):
        await far.connect(peer)
        await heard.until(StateChanged(PeerState.CONNECTED))
        await heard.until(Opened("data"))
        yield peer, far, heard


def frame(index: int, *, key: bool = False) -> EncodedFrame:
    return EncodedFrame(VideoCodec.VP8, b"x" * 200, key, 64, 36, 90_000 + index * 3000, index)


@pytest.fixture(params=RIGS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_wire_is_silent_until_somebody_offers(name: str) -> None:
    async with made(name) as (peer, _, heard):
        await asyncio.sleep(0)
        assert heard.events == []
        assert (list(peer.video_senders), list(peer.audio_senders)) == ([], [])
        assert not peer.send("data", b"early")
        assert peer.buffered() == 0


async def test_messages_go_both_ways_on_open_channels_alone(name: str) -> None:
    async with connected(name) as (wire, far, heard):
        await far.send("hello", heard.message)
        await heard.until(MessageReceived("data", b"hello", False))
        assert wire.send("data", b"back")
        assert not wire.send("another", b"back")
        async with asyncio.timeout(WITHIN):
            while wire.buffered():  # noqa: ASYNC110  # no wire has an event that says "empty"
                await asyncio.sleep(0.01)


async def test_a_state_is_reported_before_what_it_makes_possible(name: str) -> None:
    async with connected(name) as (_, _, heard):
        states = [event.state for event in heard.events if isinstance(event, StateChanged)]
        assert states[-1] is PeerState.CONNECTED
        assert PeerState.CLOSED not in states


async def test_a_sender_asks_for_the_keyframe_that_it_begins_with(name: str) -> None:
    async with connected(name) as (wire, _, heard):
        [sender] = wire.video_senders
        assert (sender.mid, sender.codec) == ("0", VideoCodec.VP8)
        sender.push(frame(0))
        await heard.until(KeyframeRequested("0"))
        sender.push(frame(1, key=True))
        assert sender.gate.dropped + sender.dropped >= 1
        assert [each["mid"] for each in (await wire.stats())["outbound"]] == ["0"]


async def test_after_its_end_a_wire_reports_and_takes_nothing(name: str) -> None:
    async with connected(name) as (wire, _, heard):
        [sender] = wire.video_senders
        await wire.close()
        await wire.close()
        before = len(heard.events)
        assert not wire.send("data", b"late")
        await asyncio.to_thread(sender.push, frame(0, key=True))
        await asyncio.sleep(0.05)
        late = [event for event in heard.events[before:] if type(event).__name__ not in SIGNALLING]
        assert late == []
