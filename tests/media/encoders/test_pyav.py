"""Real encoders, decoded again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reactor_runtime.errors import EngineError
from reactor_runtime.media.encoders import (
    EncodedFrame,
    EncoderSettings,
    VideoCodec,
    VideoEncoder,
    create_encoder,
)
from reactor_runtime.media.i420 import BufferPool, I420Frame, to_i420
from reactor_runtime.testing import decode

CODECS = list(VideoCodec)
TICKS = 3000


def moving(count: int, height: int, width: int) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """A colourful gradient that moves, with a number of bright bars that tells the frames apart."""
    y, x = np.mgrid[0:height, 0:width]
    pictures = []
    for index in range(count):
        planes = [(x * 2 + index * 3) % 200, (y * 2) % 200, ((x + y) + index) % 200]
        picture = np.stack(planes, axis=-1).astype(np.uint8)
        picture[: height // 4, : (index + 1) * width // (count + 1)] = 235
        pictures.append(picture)
    return pictures


def encode(
    codec: VideoCodec, pictures: list[Any], keys: tuple[int, ...] = (), bitrate: int = 4_000_000
) -> list[list[EncodedFrame]]:
    pool = BufferPool()
    frames = [to_i420(rgb, pool, index) for index, rgb in enumerate(pictures)]
    encoder = create_encoder(codec, frames[0].width, frames[0].height, bitrate)
    out = [encoder.encode(f, f.index * TICKS, f.index in keys) for f in frames]
    encoder.close()
    return out


def psnr(one: Any, other: Any) -> float:
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("height", "width"), [(240, 320), (480, 832), (242, 322), (2, 2), (50, 18)])
def test_the_decoded_pictures_are_those_that_were_encoded(codec: VideoCodec, height: int, width: int) -> None:
    pictures = moving(10, height, width)

    encoded = encode(codec, pictures)

    assert [len(frames) for frames in encoded] == [1] * 10
    decoded = decode(frame for frames in encoded for frame in frames)
    assert [picture.shape for picture in decoded] == [picture.shape for picture in pictures]
    if height >= 240:
        # Against the picture itself, so that wrong colours and swapped frames show.
        assert min(psnr(a, b) for a, b in zip(decoded, pictures, strict=True)) > 24


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("height", "width"), [(720, 1280), (1080, 1920)])
def test_large_pictures_come_out_at_once_too(codec: VideoCodec, height: int, width: int) -> None:
    encoded = encode(codec, moving(2, height, width), bitrate=20_000_000)

    assert [[frame.index for frame in frames] for frames in encoded] == [[0], [1]]


@pytest.mark.parametrize("codec", CODECS)
def test_keyframes_come_first_and_when_asked_and_not_otherwise(codec: VideoCodec) -> None:
    encoded = [frames[0] for frames in encode(codec, moving(12, 48, 64), keys=(5, 6))]

    assert [frame.index for frame in encoded if frame.key] == [0, 5, 6]
    assert [frame.timestamp for frame in encoded] == [index * TICKS for index in range(12)]
    assert {(frame.width, frame.height, frame.codec) for frame in encoded} == {(64, 48, codec)}


@pytest.mark.parametrize("codec", CODECS)
def test_a_receiver_may_begin_at_any_keyframe(codec: VideoCodec) -> None:
    pictures = moving(8, 240, 320)
    encoded = [frames[0] for frames in encode(codec, pictures, keys=(4,))]

    decoded = decode(encoded[4:])

    assert len(decoded) == 4
    assert psnr(decoded[-1], pictures[-1]) > 24


def test_h264_is_what_every_browser_decodes() -> None:
    encoded = [frames[0] for frames in encode(VideoCodec.H264, moving(3, 240, 320), keys=(2,))]

    for frame in (encoded[0], encoded[2]):
        assert frame.data.startswith(b"\x00\x00\x00\x01\x67"), "no parameter set in front of the IDR"
        profile, constraints = frame.data[5], frame.data[6]
        assert profile == 66
        assert constraints & 0x40, "constrained baseline"


@pytest.mark.parametrize("codec", CODECS)
def test_a_cut_of_the_scene_is_decoded_right(codec: VideoCodec) -> None:
    dark = np.full((240, 320, 3), 20, np.uint8)
    bright = np.full((240, 320, 3), 230, np.uint8)
    pictures = [dark, dark, bright, bright, dark]

    decoded = decode(frames[0] for frames in encode(codec, pictures))

    assert [abs(int(d.mean()) - int(p.mean())) <= 6 for d, p in zip(decoded, pictures, strict=True)] == [
        True
    ] * 5


def demanding(first: int, count: int) -> list[Any]:
    """Pictures of 320x240 that take all the bits there are."""
    blocks = np.random.default_rng(3).integers(0, 256, (60, 80, 3), np.uint8)
    wall = np.kron(blocks, np.ones((8, 8, 1), np.uint8))
    return [wall[3 * i % 200 :, 5 * i % 300 :][:240, :320] for i in range(first, first + count)]


def bits_a_second(encoder: VideoEncoder, first: int, count: int) -> float:
    frames = [to_i420(rgb, BufferPool(), first + n) for n, rgb in enumerate(demanding(first, count))]
    encoded = [encoder.encode(frame, frame.index * TICKS, False)[0] for frame in frames]
    return sum(len(frame.data) * 8 for frame in encoded) * 30 / count


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("bitrate", [300_000, 1_000_000])
def test_the_rate_is_kept(codec: VideoCodec, bitrate: int) -> None:
    encoded = [frames[0] for frames in encode(codec, demanding(0, 90), bitrate=bitrate)]

    assert sum(len(frame.data) * 8 for frame in encoded) / 3 == pytest.approx(bitrate, rel=0.2)


def test_x264_follows_a_lower_rate_while_open_and_vp8_says_that_it_cannot() -> None:
    h264 = create_encoder(VideoCodec.H264, 64, 48, 1_000_000)
    vp8 = create_encoder(VideoCodec.VP8, 64, 48, 1_000_000)

    assert h264.set_bitrate(600_000)
    assert h264.set_bitrate(1_000_000)
    assert not h264.set_bitrate(2_000_000)
    assert not h264.set_bitrate(100_000)
    assert vp8.set_bitrate(1_000_000)
    assert not vp8.set_bitrate(600_000)


@pytest.mark.parametrize(("first", "follows"), [(700_000, True), (500_000, False)])
def test_x264_that_was_opened_for_a_first_guess_goes_up_to_what_is_wanted(first: int, follows: bool) -> None:
    """Unless that is far above it: its buffer would let bursts through that the network does not carry."""
    settings = EncoderSettings(bitrate=1_000_000)
    encoder = create_encoder(VideoCodec.H264, 320, 240, first, settings)
    assert encoder.set_bitrate(1_000_000) == follows
    assert encoder.set_bitrate(first)

    assert bits_a_second(encoder, 0, 90) == pytest.approx(first, rel=0.2)
    if follows:
        encoder.set_bitrate(1_000_000)
        assert bits_a_second(encoder, 90, 90) == pytest.approx(1_000_000, rel=0.2)
    encoder.close()


@pytest.mark.parametrize("codec", CODECS)
def test_a_size_that_cannot_be_encoded_is_an_error_that_names_it(codec: VideoCodec) -> None:
    with pytest.raises(EngineError, match="40000x40000"):
        create_encoder(codec, 40000, 40000, 1_000_000)


@pytest.mark.parametrize("codec", CODECS)
def test_the_buffer_may_be_used_again_as_soon_as_it_is_encoded(codec: VideoCodec) -> None:
    pictures = moving(6, 240, 320)
    pool = BufferPool(limit=1)
    encoder = create_encoder(codec, 320, 240, 4_000_000)
    encoded = []
    for index, rgb in enumerate(pictures):
        frame: I420Frame | None = to_i420(rgb, pool, index)
        encoded += encoder.encode(frame, index * TICKS, False)  # type: ignore[arg-type] # it is a frame here
        frame = None
        pool.give_back(np.zeros((360, 320), np.uint8))

    decoded = decode(encoded)

    assert min(psnr(a, b) for a, b in zip(decoded, pictures, strict=True)) > 24
