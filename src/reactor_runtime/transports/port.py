"""WebRTC's own port: offers, answers, candidates and restarts of a wire, and what makes such wires.

Words are those of the W3C's WebRTC 1.0. Everything that is `async` runs on the event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from .wire import Handle, Wire, WireEvent

if TYPE_CHECKING:
    from reactor_runtime.media.encoders import VideoCodec


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


@dataclass(frozen=True, slots=True)
class CandidateFound:
    """One of ours; the answer carries them, see `Peer.gathered`."""

    candidate: IceCandidate


@dataclass(frozen=True, slots=True)
class CandidatesRefused:
    """So many of the client's candidates did not reach the engine."""

    count: int


@dataclass(frozen=True, slots=True)
class TrackRefused:
    """The answer leaves a track without media, for want of a codec; `message` is for the client."""

    track: str
    message: str


PeerEvent = WireEvent | CandidateFound | CandidatesRefused | TrackRefused


class Peer(Wire, Protocol):
    """A wire over WebRTC, and how it comes about. There are senders from the answer on, and events too."""

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


class Engine(Protocol):
    """A WebRTC implementation; one per process."""

    name: str
    descriptors_per_peer: int
    """File descriptors that a peer takes, generously."""

    async def create_peer(self, config: PeerConfig, handle: Handle) -> Peer: ...

    def close(self) -> None: ...
