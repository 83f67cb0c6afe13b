"""From encoded frames back to pictures, to see what a client would see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import av
import numpy as np

from reactor_runtime.media.encoders import VideoCodec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reactor_runtime.media.encoders import EncodedFrame

_NAMES = {VideoCodec.VP8: "vp8", VideoCodec.H264: "h264"}


def decode(frames: Iterable[EncodedFrame]) -> list[NDArray[np.uint8]]:
    """The pictures ``(H, W, 3)`` uint8 RGB of one stream that begins with a keyframe."""
    pictures: list[NDArray[np.uint8]] = []
    decoder: av.VideoCodecContext | None = None
    for frame in frames:
        if decoder is None:
            context = av.CodecContext.create(_NAMES[frame.codec], "r")
            assert isinstance(context, av.VideoCodecContext)
            decoder = context
            decoder.thread_count = 1
        pictures += [_rgb(picture) for picture in decoder.decode(av.Packet(frame.data))]
    if decoder is not None:
        pictures += [_rgb(picture) for picture in decoder.decode(None)]
    return pictures


def _rgb(picture: av.VideoFrame) -> NDArray[np.uint8]:
    return np.asarray(picture.to_ndarray(format="rgb24"), dtype=np.uint8)
