"""The port that every wire stands behind: media out, messages out, and one door for all that comes in.

A wire is live when it is made. How it came about is no business of this port: offers, candidates and restarts
are WebRTC's own (`transports.port`). Words are those of the W3C's WebRTC 1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class StateChanged:
    state: PeerState


@dataclass(frozen=True, slots=True)
class Opened:
    """Messages can flow on a channel."""

    label: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The client has closed a channel."""

    label: str


@dataclass(frozen=True, slots=True)
class ChannelRefused:
    """The client opened a channel beyond `CHANNELS_LIMIT`; it was closed."""


@dataclass(frozen=True, slots=True)
class MessageReceived:
    label: str
    data: bytes
    binary: bool


@dataclass(frozen=True, slots=True)
class KeyframeRequested:
    """PLI or FIR (RFC 4585/5104), or a receiver that lost its place. Any thread."""

    mid: str


@dataclass(frozen=True, slots=True)
class RateEstimated:
    """What the network is thought to carry of one section. Any thread."""

    mid: str
    bits_per_second: int


@dataclass(frozen=True, slots=True, eq=False)
class VideoReceived:
    """``(H, W, 3)`` uint8 RGB that nobody writes to afterwards. A thread of the wire's."""

    mid: str
    rgb: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class AudioReceived:
    """``(channels, M)`` int16. A thread of the wire's."""

    mid: str
    block: NDArray[np.int16]
    rate: int


@dataclass(frozen=True, slots=True)
class PictureRefused:
    """The client sent a picture of a size that nobody decodes (`transports.pictures`); 0×0 for one that does
    not say its size. A thread of the wire's."""

    mid: str
    width: int
    height: int


WireEvent = (
    StateChanged
    | Opened
    | Closed
    | ChannelRefused
    | MessageReceived
    | KeyframeRequested
    | RateEstimated
    | VideoReceived
    | AudioReceived
    | PictureRefused
)
Handle = Callable[[Any], None]
"""Takes one event. Called on the event loop, unless the event says otherwise; then it must not block."""


class VideoSender(Protocol):
    """The sending half of one video section."""

    mid: str
    codec: VideoCodec
    gate: FrameGate
    """Which frames this wire carries; it counts those that it does not."""
    dropped: int
    """Frames that the gate let pass and the wire did not take."""

    def push(self, frame: EncodedFrame) -> None:
        """Send one frame, or drop it until the next keyframe. Any thread; does not block."""

    def rtp_timestamp(self, timestamp: int) -> int | None:
        """What a frame's `timestamp` is on the wire, where that is known."""


class AudioSender(Protocol):
    """The sending half of one audio section."""

    mid: str

    def push(self, pcm: bytes, rate: int, channels: int, at: float) -> None:
        """Send 10 ms of interleaved int16 that belong to `at` seconds of the session's clock.

        Any thread; does not block. Nothing happens before the wire is connected.
        """


class Wire(Protocol):
    """One client's media and messages."""

    @property
    def video_senders(self) -> Sequence[VideoSender]:
        """One for each video section that we send and that has a codec in common."""

    @property
    def audio_senders(self) -> Sequence[AudioSender]:
        """One for each audio section that we send and the client takes."""

    def send(self, label: str, data: bytes, *, binary: bool = False) -> bool:
        """Send on a channel; False when it is not open."""

    def buffered(self) -> int:
        """Bytes of messages and frames that have not left yet; frames are hurried on."""

    async def stats(self) -> dict[str, Any]:
        """`outbound`: for each section that we send its `mid` and, of video, `frames_sent`, of sound
        `packets_sent` and `bytes_sent`; more where the wire knows it. Raises `RefusedError` after the end."""

    async def close(self) -> None:
        """Ends everything; no event arrives afterwards. May be called twice."""


class Door:
    """Where a wire's events arrive from the moment it is made; `open` says who takes them.

    A wire reports nothing before its first answer, so whoever makes one has time to make what listens to it.
    """

    def __init__(self) -> None:
        self._inside: Handle = _nobody

    def handle(self, event: Any) -> None:
        self._inside(event)

    def open(self, handle: Handle) -> None:
        self._inside = handle


def _nobody(event: object) -> None:
    del event
