"""A wire inside one process, for tests: what a client would get lands in a `MemoryClient`.

The SDP is real text and goes through the same parsing as any other; only ICE, DTLS and packets are left out.
A client and its peer find each other by the `ice-ufrag` of the offer. An offer of somebody else is answered
too, and then nobody connects.
"""

from __future__ import annotations

import asyncio
import itertools
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reactor_runtime.errors import EngineError, Refusal, RefusedError
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec

from . import sdp
from .candidates import CandidateGate
from .memory_wire import MESSAGE_LIMIT, MemoryAudioSender, MemorySender, MemoryWire
from .port import CandidatesRefused, IceCandidate, PeerConfig, Section
from .wire import AudioReceived, Handle, KeyframeRequested, PeerState, StateChanged, VideoReceived

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .far_end import FarEnd

DATA_CHANNEL = "data"
PAYLOAD_TYPES = {VideoCodec.VP8: 96, VideoCodec.H264: 97}
CANDIDATE = "candidate:1 1 udp 2113937151 127.0.0.1 9 typ host"


@dataclass(frozen=True)
class OfferedSection:
    """One media section of a client's offer; the direction is the client's."""

    kind: str
    direction: str


class MemoryEngine:
    """Implements `transports.port.Engine`. A client lives as long as the test holds it."""

    name = "memory"
    descriptors_per_peer = 0

    def __init__(self) -> None:
        self.peers: list[MemoryPeer] = []
        """Those that are not closed, for tests to look at."""
        self.closed = False
        self._clients: weakref.WeakValueDictionary[str, MemoryClient] = weakref.WeakValueDictionary()
        self._keys = itertools.count(1)

    async def create_peer(self, config: PeerConfig, handle: Handle) -> MemoryPeer:
        if self.closed:
            raise EngineError("The media engine is closed.")
        peer = MemoryPeer(config, handle, self.peers.remove)
        self.peers.append(peer)
        return peer

    def client(
        self,
        sections: Sequence[OfferedSection] = (OfferedSection("video", "recvonly"),),
        *,
        codecs: Sequence[VideoCodec] = (VideoCodec.VP8, VideoCodec.H264),
        channels: Sequence[str] = (DATA_CHANNEL,),
    ) -> MemoryClient:
        """A client that offers these sections, in this order. Call on the event loop."""
        key = f"memory{next(self._keys)}"
        client = self._clients[key] = MemoryClient(key, sections, codecs, channels, self.peers)
        return client

    def close(self) -> None:
        self.closed = True


class MemoryClient:
    """The far end of a `MemoryPeer`. Event loop only, unless a method says otherwise."""

    def __init__(
        self,
        key: str,
        sections: Sequence[OfferedSection],
        codecs: Sequence[VideoCodec],
        channels: Sequence[str],
        peers: Sequence[MemoryPeer],
    ) -> None:
        self.key = key
        self.messages: list[tuple[str, bytes]] = []
        self.frames: dict[str, list[EncodedFrame]] = {}
        """What was received, by mid."""
        self.sounds: dict[str, list[tuple[float, NDArray[np.int16]]]] = {}
        """When each block ``(channels, M)`` belongs to and what it is, by mid; 48 kHz."""
        self.reading = True
        """While False, messages stay in the server's buffers, as on a network that has gone."""
        self.closed = False
        """Whether the server has ended the connection."""
        self.peer: MemoryPeer | None = None
        self._sections = tuple(sections)
        self._codecs = tuple(codecs)
        self._channels = tuple(channels)
        self._peers = peers
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    def create_offer(self) -> str:
        mids = [str(index) for index in range(len(self._sections) + bool(self._channels))]
        lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids)}"]
        for mid, section in zip(mids, self._sections, strict=False):
            lines += self._media_lines(mid, section)
        if self._channels:
            lines += [
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
                "c=IN IP4 0.0.0.0",
                f"a=mid:{mids[-1]}",
                f"a=ice-ufrag:{self.key}",
                "a=sctp-port:5000",
                f"a=max-message-size:{MESSAGE_LIMIT}",
            ]
        return "\r\n".join(lines) + "\r\n"

    def connect(self, answer: str, *, open_channels: bool = True) -> None:
        """Take the server's answer: the wire is up when this returns."""
        peer = next((peer for peer in self._peers if peer.key == _ufrag(answer)), None)
        if peer is None:
            raise ValueError("this answer is not from a MemoryPeer")
        self.peer = peer
        peer.link(self)
        if open_channels:
            for label in self._channels:
                peer.open_channel(label)

    def send(self, data: str | bytes, label: str = DATA_CHANNEL) -> None:
        peer = self._require_peer()
        payload = data.encode("utf-8") if isinstance(data, str) else data
        peer.deliver(label, payload, isinstance(data, bytes))

    def send_video(self, mid: str, rgb: NDArray[np.uint8]) -> None:
        """Send a picture ``(H, W, 3)`` uint8 RGB. Any thread: it plays the engine's."""
        self._require_peer().handle(VideoReceived(mid, rgb))

    def send_audio(self, mid: str, block: NDArray[np.int16], rate: int = 48_000) -> None:
        """Send sound ``(channels, M)`` int16. Any thread: it plays the engine's."""
        self._require_peer().handle(AudioReceived(mid, block, rate))

    def request_keyframe(self, mid: str) -> None:
        """PLI. Any thread: it plays the engine's."""
        self._require_peer().handle(KeyframeRequested(mid))

    def lose_network(self) -> None:
        """Nothing arrives any more, in either direction; the server has not given up yet."""
        self._require_peer().report(StateChanged(PeerState.DISCONNECTED))

    def find_network(self) -> None:
        self._require_peer().report(StateChanged(PeerState.CONNECTED))

    def fail(self) -> None:
        """The server has given up on the network."""
        self._require_peer().report(StateChanged(PeerState.FAILED))

    def close(self) -> None:
        """Leave, as a page that is closed does."""
        peer, self.peer = self.peer, None
        if peer is not None:
            peer.unlink()

    async def wait_for(self, condition: Callable[[], bool], within: float = 5.0) -> None:
        """Return when `condition()` holds; looked at whenever something arrives. Raises `TimeoutError`."""
        async with asyncio.timeout(within):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def take(self, label: str, data: bytes) -> None:
        """A message arrives."""
        self.messages.append((label, data))
        self._wake()

    def take_frame(self, mid: str, frame: EncodedFrame) -> None:
        """A picture arrives. Encoder thread."""
        self.frames.setdefault(mid, []).append(frame)
        self._wake()

    def take_sound(self, mid: str, at: float, block: NDArray[np.int16]) -> None:
        """Sound arrives. Audio thread."""
        self.sounds.setdefault(mid, []).append((at, block))
        self._wake()

    def lose_wire(self) -> None:
        """The server has ended the connection."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._changed.set)

    def _require_peer(self) -> MemoryPeer:
        if self.peer is None:
            raise RuntimeError("this client is not connected")
        return self.peer

    def _media_lines(self, mid: str, section: OfferedSection) -> list[str]:
        formats = {PAYLOAD_TYPES[codec]: f"{codec}/90000" for codec in self._codecs}
        if section.kind == "audio":
            formats = {111: "opus/48000/2"}
        return [
            f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, formats))}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a=ice-ufrag:{self.key}",
            f"a={section.direction}",
            "a=rtcp-mux",
            *(f"a=rtpmap:{number} {name}" for number, name in formats.items()),
        ]


class MemoryPeer(MemoryWire):
    """Implements `transports.port.Peer`."""

    def __init__(self, config: PeerConfig, handle: Handle, let_go: Callable[[MemoryPeer], None]) -> None:
        """`let_go` is called once, when the peer has been closed."""
        super().__init__(handle)
        self.config = config
        self.key = f"peer{id(self):x}"
        self.candidates: list[IceCandidate] = []
        self.slow_gathering = 0.0
        """Seconds that `gathered` takes."""
        self._gate = CandidateGate(config.from_loopback)
        self._let_go = let_go
        self._answer = ""

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        head, media = sdp.parse(offer)
        by_mid = {section.mid: section for section in sections}
        self.video_senders = [sender for sender in self.video_senders if sender.mid in by_mid]
        self.audio_senders = [sender for sender in self.audio_senders if sender.mid in by_mid]
        known = {s.mid for s in self.video_senders} | {s.mid for s in self.audio_senders}
        for part in media:
            part.lines = self._gate.filter(part.lines)
            section = by_mid.get(part.mid)
            if section is not None and section.sends and section.mid not in known:
                self._add_sender(section, part)
            if section is not None and part.kind == "audio":
                sdp.set_opus(part, sdp.opus(section.channels))
            part.lines = self._answer_lines(part, section)
        self._answer = sdp.join(head, media)
        return self._answer

    async def restart(self, offer: str, sections: Sequence[Section]) -> str:
        return await self.answer(offer, sections)

    async def add_candidate(self, candidate: IceCandidate) -> None:
        if self._gate.admit(candidate.candidate) is None:
            self.handle(CandidatesRefused(1))
        else:
            self.candidates.append(candidate)

    async def gathered(self, within: float) -> str:
        await asyncio.sleep(min(self.slow_gathering, within))
        return sdp.with_candidates(self._answer, [(CANDIDATE, None)])

    async def close(self) -> None:
        if not self.closed:
            self._let_go(self)
        await super().close()

    def link(self, far: FarEnd) -> None:
        """ICE and DTLS are up."""
        if self.closed:
            raise RefusedError(
                Refusal.CONFLICT, "connection_closed", "The server has closed this connection."
            )
        super().link(far)

    def _add_sender(self, section: Section, part: sdp.MediaSection) -> None:
        if part.kind == "audio" and "OPUS" in part.codecs.values():
            self.audio_senders = [*self.audio_senders, MemoryAudioSender(section.mid, self)]
        common = [codec for codec in section.codecs if codec in part.codecs.values()]
        if part.kind == "video" and common:
            self.video_senders = [*self.video_senders, MemorySender(section.mid, common[0], self)]

    def _answer_lines(self, part: sdp.MediaSection, section: Section | None) -> list[str]:
        direction = "inactive"
        if section is not None:
            direction = "sendonly" if section.sends else "recvonly"
        kept = ("a=ice-ufrag:", "a=candidate:", "a=end-of-candidates", f"a={part.direction}")
        lines = [line for line in part.lines if not line.startswith(kept)]
        extra = [f"a={direction}"] if part.kind in ("audio", "video") else []
        if direction == "sendonly":
            # One stream for all: browsers put sound and picture of one stream together.
            extra.append(f"a=msid:memory {part.mid}")
        return [*lines, f"a=ice-ufrag:{self.key}", *extra]


def _ufrag(text: str) -> str:
    prefix = "a=ice-ufrag:"
    return next((line[len(prefix) :] for line in text.splitlines() if line.startswith(prefix)), "")
