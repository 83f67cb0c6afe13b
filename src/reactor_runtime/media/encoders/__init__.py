"""Encoders behind one small interface; `create_encoder` chooses one."""

from .base import EncodedFrame, VideoCodec, VideoEncoder
from .choice import create_encoder, warm_up

__all__ = ["EncodedFrame", "VideoCodec", "VideoEncoder", "create_encoder", "warm_up"]
