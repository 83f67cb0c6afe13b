from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reactor_runtime.media.i420 import POOL_LIMIT, BufferPool, I420Frame, black, to_i420

RNG = np.random.default_rng(7)
Picture = np.ndarray[Any, np.dtype[np.uint8]]


def noise(height: int, width: int) -> Picture:
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def planes(frame: I420Frame) -> tuple[Picture, Picture, Picture]:
    half = (frame.height // 2, frame.width // 2)
    luma, rest = frame.data[: frame.height], frame.data[frame.height :].reshape(-1)
    return luma, rest[: half[0] * half[1]].reshape(half), rest[half[0] * half[1] :].reshape(half)


def reference(rgb: Picture) -> tuple[np.ndarray[Any, Any], ...]:
    """BT.601, limited range; chroma of the mean of each block of two by two. Odd sides are repeated."""
    rgb = np.pad(rgb, ((0, rgb.shape[0] % 2), (0, rgb.shape[1] % 2), (0, 0)), mode="edge").astype(float)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255
    u = 128 + (-37.797 * red - 74.203 * green + 112.0 * blue) / 255
    v = 128 + (112.0 * red - 93.786 * green - 18.214 * blue) / 255
    height, width = luma.shape
    halves = [plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) for plane in (u, v)]
    return luma, *halves


SIZES = [(1, 1), (1, 2), (2, 1), (2, 2), (17, 19), (16, 18), (481, 641), (480, 832), (3, 640)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_luma_follows_bt601(height: int, width: int) -> None:
    rgb = noise(height, width)

    frame = to_i420(rgb, BufferPool(), index=5)

    assert (frame.height, frame.width) == (height + height % 2, width + width % 2)
    assert frame.index == 5
    assert np.abs(planes(frame)[0].astype(float) - reference(rgb)[0]).max() <= 3


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("color", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (9, 130, 77)])
def test_colors_follow_bt601(height: int, width: int, color: tuple[int, int, int]) -> None:
    rgb = np.full((height, width, 3), color, np.uint8)

    frame = to_i420(rgb, BufferPool(), 0)

    for got, wanted in zip(planes(frame), reference(rgb), strict=True):
        assert np.abs(got.astype(float) - wanted).max() <= 3


@pytest.mark.parametrize("color", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (200, 100, 50)])
def test_there_and_back(color: tuple[int, int, int]) -> None:
    rgb = np.full((32, 48, 3), color, np.uint8)

    back = to_i420(rgb, BufferPool(), 0).to_rgb()

    assert np.abs(back.astype(int) - rgb).max() <= 3


BIG = noise(60, 80)
LAYOUTS = {
    "strided rows": BIG[::2],
    "strided columns": BIG[:, ::2],
    "reversed rows": BIG[::-1],
    "reversed columns": BIG[:, ::-1],
    "BGR read backwards": BIG[..., ::-1],
    "a window": BIG[5:25, 7:37],
    "an odd window": BIG[5:24, 7:38],
    "four channels cut to three": RNG.integers(0, 256, (20, 30, 4), np.uint8)[..., :3],
    "transposed": BIG.transpose(1, 0, 2),
    "channels first in memory": np.ascontiguousarray(BIG.transpose(2, 0, 1)).transpose(1, 2, 0),
    "one row repeated": np.broadcast_to(BIG[:1], (20, 80, 3)),
    "one pixel repeated": np.broadcast_to(BIG[:1, :1], (20, 30, 3)),
    "Fortran order": np.asfortranarray(BIG),
    "read only": np.frombuffer(BIG.tobytes(), np.uint8).reshape(BIG.shape),
    "read only and odd": np.frombuffer(BIG[:59, :79].tobytes(), np.uint8).reshape(59, 79, 3),
    "from PIL": np.asarray(Image.fromarray(BIG)),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_picture(name: str) -> None:
    rgb = LAYOUTS[name]

    frame = to_i420(rgb, BufferPool(), 0)

    assert np.array_equal(frame.data, to_i420(rgb.copy(order="C"), BufferPool(), 0).data)


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40))
def test_any_size(height: int, width: int) -> None:
    rgb = noise(height, width)

    frame = to_i420(rgb, BufferPool(), 0)

    assert frame.data.shape == (frame.height * 3 // 2, frame.width)
    assert np.abs(planes(frame)[0].astype(float) - reference(rgb)[0]).max() <= 3


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_author_may_reuse_the_array(height: int, width: int) -> None:
    rgb = noise(height, width)
    frame = to_i420(rgb, BufferPool(), 0)
    before = frame.data.copy()

    rgb[:] = 0

    assert np.array_equal(frame.data, before)


def test_black_is_black() -> None:
    frame = black(33, 63, BufferPool(), 4)

    assert (frame.height, frame.width, frame.index) == (34, 64, 4)
    assert frame.to_rgb().max() == 0


def test_a_buffer_comes_back_when_its_frame_dies() -> None:
    pool = BufferPool()
    frame = to_i420(noise(16, 16), pool, 0)
    buffer = frame.data
    died = weakref.ref(frame)

    del frame

    assert died() is None
    assert len(pool) == 1
    assert pool.take((24, 16)) is buffer


def test_a_living_frame_keeps_its_buffer() -> None:
    pool = BufferPool()
    first = to_i420(noise(16, 16), pool, 0)
    second = to_i420(noise(16, 16), pool, 1)

    assert not np.shares_memory(first.data, second.data)


def test_buffers_of_an_old_size_are_let_go() -> None:
    pool = BufferPool()
    to_i420(noise(16, 16), pool, 0)

    assert pool.take((48, 32)).shape == (48, 32)
    assert len(pool) == 0


def test_pool_limit() -> None:
    pool = BufferPool()
    frames = [to_i420(noise(2, 2), pool, index) for index in range(POOL_LIMIT + 10)]

    frames.clear()

    assert len(pool) == POOL_LIMIT


def test_a_frame_may_die_while_the_pool_is_in_use() -> None:
    """The collector runs wherever memory is taken, also inside of the pool."""
    pool = BufferPool()
    gc.disable()
    try:
        for index in range(4):
            cycle: list[Any] = [to_i420(noise(2, 2), pool, index)]
            cycle.append(cycle)
        del cycle

        class Collecting(np.ndarray[Any, Any]):
            @property
            def shape(self) -> tuple[int, ...]:  # type: ignore[override]
                gc.collect()
                return (3, 2)

        pool.give_back(np.zeros((3, 2), np.uint8).view(Collecting))
        pool.take((3, 2))
    finally:
        gc.enable()

    assert len(pool) >= 4
