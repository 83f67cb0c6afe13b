"""Encoders behind one small interface; `create_encoder` chooses one."""

from .base import EncodedFrame, VideoCodec, VideoEncoder
from .choice import codecs, create_encoder, warm_up
from .settings import EncoderChoice, EncoderSettings, Quality

__all__ = [
    "EncodedFrame",
    "EncoderChoice",
    "EncoderSettings",
    "Quality",
    "VideoCodec",
    "VideoEncoder",
    "codecs",
    "create_encoder",
    "warm_up",
]
