"""The one small port that every WebRTC engine stands behind.

Words are those of the W3C's WebRTC 1.0. Everything that is `async` runs on the event loop; events arrive
there too, except media, which stays on the engine's own threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reactor_runtime.media.encoders import EncodedFrame, VideoCodec

    from .gate import FrameGate


CHANNELS_LIMIT = 8
"""Data channels that one client may open; two are what any SDK uses. Further ones are closed."""


class PeerState(StrEnum):
    """`RTCPeerConnectionState`."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True)
class IceServer:
    """`RTCIceServer`: a STUN or TURN server."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""


@dataclass(frozen=True)
class IceCandidate:
    """`RTCIceCandidateInit`."""

    candidate: str
    sdp_mid: str | None = None
    sdp_mline_index: int | None = None


@dataclass(frozen=True)
class PeerConfig:
    """What an engine needs to know before it makes a peer."""

    ice_servers: tuple[IceServer, ...] = ()
    relay_only: bool = False
    port_range: tuple[int, int] | None = None
    reveal_timestamps: bool = False
    """Whether the senders' `rtp_timestamp` shall be known; it costs a little for each frame."""
    from_loopback: bool = False
    """Whether the client is on this machine, so that loopback candidates may lead to it."""
    tcp: bool = False
    """Whether the engine also listens on TCP ports, for whoever passes clients' connections on to them."""
    sender_turns: bool = True
    """Whether the client turns its pictures upright when the answer does not offer to."""


@dataclass(frozen=True)
class Section:
    """One media section of the offer that belongs to a declared track.

    `sends` is our side: True for a track of the model that goes to the client.
    """

    mid: str
    track: str
    kind: str
    sends: bool
    codecs: tuple[VideoCodec, ...] = field(default=())
    """For a video that we send: what we can encode, the preferred first."""
    back: str | None = None
    """The input track that the client sends on the same section, where it offered `sendrecv` for both."""
    channels: int = 0
    """For sound: how many channels the track has."""


class PeerEvents(Protocol):
    """What a peer reports. Called on the event loop unless a method says otherwise."""

    def state_changed(self, state: PeerState) -> None: ...

    def candidate_found(self, candidate: IceCandidate) -> None: ...

    def channel_opened(self, label: str) -> None: ...

    def channel_closed(self, label: str) -> None: ...

    def channel_refused(self) -> None:
        """The client opened a channel beyond `CHANNELS_LIMIT`; it was closed."""

    def message_received(self, label: str, data: bytes, binary: bool) -> None: ...

    def track_refused(self, track: str, message: str) -> None:
        """The answer leaves a track without media, for want of a codec; `message` is for the client."""

    def candidates_refused(self, count: int) -> None:
        """So many of the client's candidates did not reach the engine."""

    def picture_refused(self, mid: str, width: int, height: int) -> None:
        """Engine thread. The client sent a picture of a size that nobody decodes (`transports.pictures`); 0×0
        for one that does not say its size."""

    def keyframe_requested(self, mid: str) -> None:
        """Engine thread. Must not block."""

    def bitrate_changed(self, mid: str, bits_per_second: int) -> None:
        """Engine thread. Must not block."""

    def video_received(self, mid: str, rgb: NDArray[np.uint8]) -> None:
        """Engine thread. ``(H, W, 3)`` uint8 RGB that nobody writes to afterwards."""

    def audio_received(self, mid: str, block: NDArray[np.int16], rate: int) -> None:
        """Engine thread. ``(channels, M)`` int16."""


class VideoSender(Protocol):
    """The sending half of one video section, after the answer."""

    mid: str
    codec: VideoCodec
    gate: FrameGate
    """Which frames this peer's network carries; it counts those that it does not."""
    dropped: int
    """Frames that the gate let pass and the engine did not take."""

    def push(self, frame: EncodedFrame) -> None:
        """Send one frame, or drop it until the next keyframe. Any thread; does not block."""

    def rtp_timestamp(self, timestamp: int) -> int | None:
        """What a frame's `timestamp` is on the wire, where the engine tells; None where it does not."""


class AudioSender(Protocol):
    """The sending half of one audio section, after the answer. The engine encodes (Opus)."""

    mid: str

    def push(self, pcm: bytes, rate: int, channels: int, at: float) -> None:
        """Send 10 ms of interleaved int16 that belong to `at` seconds of `time.monotonic`.

        Any thread; does not block. Nothing happens before the peer is connected.
        """


class Peer(Protocol):
    """One connection to one client."""

    @property
    def audio_senders(self) -> Sequence[AudioSender]:
        """One for each audio section that we send and the client takes; empty before the answer."""

    @property
    def senders(self) -> Sequence[VideoSender]:
        """One for each video section that we send and that has a codec in common; empty before the answer."""

    async def answer(self, offer: str, sections: Sequence[Section]) -> str:
        """Take an SDP offer, begin gathering and return the answer at once; candidates trickle.

        Raises `RefusedError` when the offer cannot be used.
        """

    async def restart(self, offer: str, sections: Sequence[Section]) -> str:
        """Take a further offer of the same client (RFC 8829 section 5.2.2) and answer it: an ICE restart,
        sections that are new, and sections that are not in `sections` any more. Senders that stay are the
        same objects as before.

        Raises `RefusedError`; then everything goes on as it was.
        """

    async def add_candidate(self, candidate: IceCandidate) -> None:
        """Unusable candidates (see `transports.candidates`) are reported and ignored."""

    async def gathered(self, within: float) -> str:
        """The answer with the candidates found `within` so many seconds, for clients that do not trickle."""

    def send(self, label: str, data: bytes, *, binary: bool = False) -> bool:
        """Send on a data channel; False when it is not open."""

    def buffered(self) -> int:
        """Bytes of messages and pictures that have not left yet; pictures are hurried on."""

    async def stats(self) -> dict[str, Any]: ...

    async def close(self) -> None:
        """Ends everything; no event arrives afterwards. May be called twice."""


class Engine(Protocol):
    """A WebRTC implementation; one per process."""

    name: str
    descriptors_per_peer: int
    """File descriptors that a peer takes, generously."""

    async def create_peer(self, config: PeerConfig, events: PeerEvents) -> Peer: ...

    def close(self) -> None: ...
