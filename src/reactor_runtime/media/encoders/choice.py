"""Which encoder serves a codec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import VideoCodec
from .settings import EncoderChoice, EncoderSettings

if TYPE_CHECKING:
    from .base import VideoEncoder

WARM_UP_SIZE = (256, 256)
"""NVENC takes nothing much smaller."""
WARM_UP_BPS = 100_000


def codecs(choice: EncoderChoice) -> tuple[VideoCodec, ...]:
    """What we offer, the preferred first: H.264 costs a third of VP8, and VP8 is what everybody has."""
    if choice is EncoderChoice.VP8:
        return (VideoCodec.VP8,)
    return (VideoCodec.H264, VideoCodec.VP8)


def warm_up(choice: EncoderChoice = EncoderChoice.AUTO) -> None:
    """Load FFmpeg and open each encoder once: the first viewer would wait a fifth of a second for it.

    Raises `EncoderUnavailableError` when the encoder that was asked for is not there.
    """
    for codec in codecs(choice):
        create_encoder(codec, *WARM_UP_SIZE, WARM_UP_BPS, EncoderSettings(choice=choice)).close()


def create_encoder(
    codec: VideoCodec,
    width: int,
    height: int,
    bits_per_second: int,
    settings: EncoderSettings | None = None,
) -> VideoEncoder:
    """Open the encoder for `codec`. Raises `EngineError` when it cannot take the size or is not there."""
    # Imported here: FFmpeg's libraries take 60 ms to load, and a schema needs none of them.
    from .pyav import NvencEncoder, Vp8Encoder, X264Encoder

    settings = settings or EncoderSettings()
    if codec is VideoCodec.VP8:
        return Vp8Encoder(width, height, bits_per_second, settings)
    encoder = NvencEncoder if settings.choice is EncoderChoice.NVENC else X264Encoder
    return encoder(width, height, bits_per_second, settings)
