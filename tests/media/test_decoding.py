"""What was encoded can be looked at again."""

from __future__ import annotations

import numpy as np
import pytest

from reactor_runtime.media.decoding import decode
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec, create_encoder
from reactor_runtime.media.i420 import BufferPool, to_i420


def encoded(codec: VideoCodec, levels: list[int]) -> list[EncodedFrame]:
    pool, encoder = BufferPool(), create_encoder(codec, 64, 48, 1_000_000)
    try:
        return [
            frame
            for number, level in enumerate(levels)
            for frame in encoder.encode(
                to_i420(np.full((48, 64, 3), level, np.uint8), pool, number), number * 3000, number == 0
            )
        ]
    finally:
        encoder.close()


@pytest.mark.parametrize("codec", [VideoCodec.VP8, VideoCodec.H264])
def test_pictures_come_back_in_order(codec: VideoCodec) -> None:
    pictures = decode(encoded(codec, [40, 120, 200]))

    assert [picture.shape for picture in pictures] == [(48, 64, 3)] * 3
    assert [round(float(picture.mean()) / 40) for picture in pictures] == [1, 3, 5]


def test_nothing_is_no_pictures() -> None:
    assert decode([]) == []
