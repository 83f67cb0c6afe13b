"""Which encoder serves a codec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import VideoCodec

WARM_UP_SIZE = (64, 64)
WARM_UP_BPS = 100_000

if TYPE_CHECKING:
    from .base import VideoEncoder


def warm_up() -> None:
    """Load FFmpeg and open each encoder once: the first viewer would wait a fifth of a second for it."""
    for codec in VideoCodec:
        create_encoder(codec, *WARM_UP_SIZE, WARM_UP_BPS).close()


def create_encoder(codec: VideoCodec, width: int, height: int, bits_per_second: int) -> VideoEncoder:
    """Open the encoder for `codec`. Raises `EngineError` when it cannot take the size."""
    # Imported here: FFmpeg's libraries take 60 ms to load, and a schema needs none of them.
    from .pyav import Vp8Encoder, X264Encoder

    encoders = {VideoCodec.VP8: Vp8Encoder, VideoCodec.H264: X264Encoder}
    return encoders[codec](width, height, bits_per_second)
