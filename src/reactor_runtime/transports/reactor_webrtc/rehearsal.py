"""A connection of this process to itself: ICE, DTLS, a message and a picture, over one wire."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reactor_webrtc as rw

from reactor_runtime.clock import WALL
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.media.encoders.base import RTP_CLOCK_HZ
from reactor_runtime.transports.port import Engine, IceCandidate, PeerConfig, PeerEvent, Section
from reactor_runtime.transports.wire import MessageReceived, PeerState, StateChanged

from .engine import ReactorWebRtcEngine

STEP_S = 0.05
"""Between two pictures: the first may come before the receiver listens."""


@dataclass
class Rehearsed:
    """How far it came, in seconds from the start; None where it did not."""

    connected: float | None = None
    message: float | None = None
    picture: float | None = None


class _Events:
    """What a peer reports; most of it nothing is done about."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self.message = asyncio.Event()

    def handle(self, event: PeerEvent) -> None:
        if event == StateChanged(PeerState.CONNECTED):
            self.connected.set()
        elif isinstance(event, MessageReceived):
            self.message.set()


async def rehearse(
    engine: ReactorWebRtcEngine,
    serving: Engine,
    frame: EncodedFrame,
    within: float,
    *,
    completed: Callable[[str], str] = lambda answer: answer,
    from_loopback: bool = True,
) -> Rehearsed:
    """`serving` is `engine` or what is around it; `completed` puts into its answer where clients get through.

    `frame` is a VP8 keyframe. Returns what was reached when it was all reached, or `within` is over.
    """
    began = WALL.time()
    done = Rehearsed()
    events, client = _Events(), _Client(engine)
    peer = await serving.create_peer(PeerConfig(from_loopback=from_loopback), events.handle)
    try:
        async with asyncio.timeout(within):
            offer = await client.offer()
            answer = await peer.answer(offer, [Section("0", "probe", "video", True, (VideoCodec.VP8,))])
            client.candidates_to(lambda candidate: peer.add_candidate(candidate))
            answer = await peer.gathered(1)
            await client.accept(completed(answer))
            await events.connected.wait()
            done.connected = WALL.time() - began
            await client.send("hello", events.message)
            done.message = WALL.time() - began
            for index in itertools.count():
                if client.seen.is_set():
                    break
                at = int(WALL.time() * RTP_CLOCK_HZ)
                peer.video_senders[0].push(dataclasses.replace(frame, index=index, timestamp=at))
                await asyncio.sleep(STEP_S)
            done.picture = WALL.time() - began
    except (TimeoutError, IndexError):
        pass  # how far it came is in the result
    finally:
        await client.close()
        await peer.close()
    return done


class _Client:
    """The other side, as a browser would be."""

    def __init__(self, engine: ReactorWebRtcEngine) -> None:
        self._loop = asyncio.get_running_loop()
        self.seen = asyncio.Event()
        self._tracks: list[Any] = []
        self._found: list[IceCandidate] = []
        self._take: Callable[[IceCandidate], Any] | None = None
        self._sent: set[asyncio.Future[Any]] = set()
        observer = rw.PeerConnectionObserver()
        observer.on_track = self._on_track
        observer.on_ice_candidate = self._on_found
        self._pc: rw.PeerConnection | None = engine.connection(
            rw.RtcConfiguration(
                tcp_candidate_policy=rw.TcpCandidatePolicy.Enabled, frame_metadata=False, dc_chunking=False
            ),
            observer,
        )
        self._transceiver: Any = self._pc.add_transceiver(
            rw.MediaKind.Video, rw.TransceiverDirection.RecvOnly
        )
        self._channel: Any = self._pc.create_data_channel("data")

    async def offer(self) -> str:
        assert self._pc is not None
        offer = await self._pc.create_offer()
        await self._pc.set_local_description(offer)
        return str(offer.sdp)

    async def accept(self, answer: str) -> None:
        assert self._pc is not None
        await self._pc.set_remote_description(rw.SessionDescription("answer", answer))

    def candidates_to(self, take: Callable[[IceCandidate], Any]) -> None:
        self._take = take
        for found in self._found:
            self._on_candidate(found)

    async def send(self, text: str, heard: asyncio.Event) -> None:
        """Until it was heard: the channel opens a moment after the connection."""
        while not heard.is_set():
            if self._channel.state() == rw.DataChannelState.Open:
                self._channel.send(text.encode(), False)
            await asyncio.sleep(STEP_S)

    async def close(self) -> None:
        keep = [self._channel, self._transceiver, *self._tracks, self._pc]
        self._channel = self._transceiver = self._pc = None
        self._tracks.clear()
        # As in `peer`: the last reference closes, and that waits for native threads.
        await self._loop.run_in_executor(None, keep.clear)

    def _on_found(self, found: rw.IceCandidate) -> None:
        """Native thread."""
        named = IceCandidate(found.candidate, found.sdp_mid, found.sdp_mline_index)
        self._loop.call_soon_threadsafe(self._on_candidate, named)

    def _on_candidate(self, found: IceCandidate) -> None:
        if self._take is None:
            self._found.append(found)
            return
        sending = asyncio.ensure_future(self._take(found))
        self._sent.add(sending)
        sending.add_done_callback(self._sent.discard)

    def _on_track(self, kind: rw.MediaKind, track: rw.Track) -> None:
        """Native thread."""
        self._tracks.append(track)
        if kind == rw.MediaKind.Video:
            # The engine tries four arguments first and three then.
            track.on_video_frame(lambda bgra, width, height: self._on_picture())

    def _on_picture(self) -> None:
        """Native thread."""
        self._loop.call_soon_threadsafe(self.seen.set)
