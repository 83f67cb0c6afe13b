"""What every video encoder does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reactor_runtime.media.i420 import I420Frame

RTP_CLOCK_HZ = 90_000
"""The clock of every video payload format (RFC 7741, RFC 6184)."""
REOPEN_UP = 1.5
"""Soon after it was opened, an encoder is opened again only for a rise above this multiple of its rate: each
opening costs a keyframe. One that can follow rises while open goes so far by itself."""


class VideoCodec(StrEnum):
    """Codecs that we encode, by their name in SDP."""

    VP8 = "VP8"
    H264 = "H264"


@dataclass(slots=True)
class EncodedFrame:
    """One compressed picture: a VP8 frame, or H.264 in Annex B with its parameter sets in front of an IDR.

    Its encoding adds the times; from then on many threads have it, and nobody changes it.
    """

    codec: VideoCodec
    data: bytes
    key: bool
    width: int
    height: int
    timestamp: int
    """In `RTP_CLOCK_HZ` ticks of the clock that `Encoding.push` is given: `clock.WALL`."""
    index: int
    """The frame's number on its track."""
    encode_s: float = 0.0
    """How long the encoder took for it,"""
    queue_s: float = 0.0
    """and how long after the model had emitted it that began."""


class VideoEncoder(Protocol):
    """One stream of pictures of one size. Used by one thread; native work releases the GIL."""

    codec: VideoCodec
    width: int
    height: int

    def encode(self, frame: I420Frame, timestamp: int, key: bool) -> list[EncodedFrame]:
        """Compress one picture; `key` forces a keyframe. Usually returns one frame."""

    def set_bitrate(self, bits_per_second: int) -> bool:
        """Follow a new target. False when this encoder has to be opened again to do so."""

    def close(self) -> None: ...
