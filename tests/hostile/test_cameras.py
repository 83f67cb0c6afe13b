"""Pictures of clients that claim a size nobody could pay for: dropped, counted, and the client is told."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.runtimes.http.models import Painter

from reactor_runtime.testing import serve
from reactor_runtime.transports.pictures import LONG_SIDE, SHORT_SIDE, picture_size, too_large
from reactor_runtime.transports.port import CandidatesRefused
from reactor_runtime.transports.reactor_webrtc.receiver import VideoReceiver
from reactor_runtime.transports.wire import PictureRefused

ENCODERS = {"VP8": "libvpx", "VP9": "libvpx-vp9", "AV1": "libsvtav1"}


def encoded(codec: str, width: int, height: int, count: int = 3) -> list[bytes]:
    """Real pictures: a keyframe and those after it."""
    # SVT-AV1 takes the highest real-time priority for the thread that opens it, where it may.
    with ThreadPoolExecutor(1) as its_own:
        return its_own.submit(_encoded, codec, width, height, count).result()


def _encoded(codec: str, width: int, height: int, count: int) -> list[bytes]:
    encoder: Any = av.CodecContext.create(ENCODERS[codec], "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, 30)
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "usage": "realtime"}
    packets = []
    for index in range(count):
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([90 + index]) * plane.buffer_size)
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [bytes(packet) for packet in packets]


@pytest.mark.parametrize("codec", ENCODERS)
@pytest.mark.parametrize("size", [(320, 240), (176, 1000), (16, 16)])
def test_the_size_is_that_of_the_header(codec: str, size: tuple[int, int]) -> None:
    first, *others = encoded(codec, *size)

    assert picture_size(codec, first) == size
    assert [picture_size(codec, other) for other in others] == [None] * len(others)


def test_a_vp8_header_may_claim_more_than_it_holds() -> None:
    first = encoded("VP8", 320, 240, 1)[0]
    bomb = first[:6] + (16383).to_bytes(2, "little") * 2 + first[10:]

    assert picture_size("VP8", bomb) == (16383, 16383)


def test_a_superframe_hides_nothing() -> None:
    """Annex B: a small picture, a large one behind it, and an index of both."""
    small, large = encoded("VP9", 64, 64, 1)[0], encoded("VP9", 4160, 64, 1)[0]
    sizes = len(small).to_bytes(2, "little") + len(large).to_bytes(2, "little")
    marker = bytes([0b11001001])

    assert picture_size("VP9", small + large + marker + sizes + marker) == (4160, 64)


@given(codec=st.sampled_from(sorted(ENCODERS)), data=st.binary(max_size=400))
def test_whatever_is_sent_as_a_picture(codec: str, data: bytes) -> None:
    for text in (data, b"\x12\x00\x0a" + data, b"\x82\x49\x83\x42" + data):
        try:
            size = picture_size(codec, text)
        except ValueError:
            continue
        assert size is None or min(size) >= 0


def test_which_sizes_are_too_large() -> None:
    assert not too_large((LONG_SIDE, SHORT_SIDE))
    assert not too_large((SHORT_SIDE, LONG_SIDE))
    assert too_large((LONG_SIDE + 1, 16))
    assert too_large((SHORT_SIDE + 1, SHORT_SIDE + 1))


class Frame:
    """Stands where the engine's compressed picture would."""

    def __init__(self, data: bytes) -> None:
        self.data = data


def test_what_follows_a_large_picture_is_dropped_until_a_small_one() -> None:
    refused: list[tuple[int, int]] = []
    taken: list[NDArray[np.uint8]] = []
    receiver = VideoReceiver("VP8", taken.append, lambda *size: refused.append(size))
    small = encoded("VP8", 320, 240, 2)
    large = [small[0][:6] + (8192).to_bytes(2, "little") * 2 + small[0][10:], small[1]]
    garbage = bytes([small[0][0] & 0xFE]) + random.Random(1).randbytes(40)

    def passed(*pictures: bytes) -> list[bool]:
        frames: list[Any] = [Frame(data) for data in pictures]
        return [str(receiver.check(frame)).endswith("Forward") for frame in frames]

    assert passed(*small, *large, *small, garbage, small[1], *small) == [
        *(True, True, False, False, True, True, False, False, True, True)
    ]
    assert refused == [(8192, 8192), (0, 0)]
    receiver.take(b"", 8192, 8192)  # looked at before anything is made of it
    receiver.take(bytes(16 * 16 * 4), 16, 16)
    assert [picture.shape for picture in taken] == [(16, 16, 3)]
    assert refused[-1] == (8192, 8192)


async def test_the_client_is_told_and_it_is_counted() -> None:
    async with serve(Painter) as server:
        client = await server.join()
        [peer] = server.engine.peers
        for _ in range(50):
            await asyncio.to_thread(peer.handle, PictureRefused("1", 8192, 8192))
        peer.handle(CandidatesRefused(3))
        await client.until(lambda: bool(client.runtime_messages("mediaRefused")))

        [told] = client.runtime_messages("mediaRefused")
        assert (told["track"], told["code"]) == ("webcam", "picture_too_large")
        assert "8192×8192" in told["message"]
        lost = (await server.http.get("/session")).json()["lost"]
        assert (lost["pictures_too_large"], lost["candidates_refused"]) == (50, 3)
        metrics = (await server.http.get("/metrics")).text
        assert 'reactor_dropped_total{place="pictures_too_large"} 50.0' in metrics
