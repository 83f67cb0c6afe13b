"""What waits between `emit` and the encoders."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_runtime.media import rgb as rgb_module
from reactor_runtime.media.i420 import BufferPool, I420Frame, black, to_i420
from reactor_runtime.media.rgb import Pools, RgbFrame


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the frames that were converted."""
    converted: list[int] = []

    def counted(rgb: NDArray[np.uint8], pool: BufferPool, index: int) -> I420Frame:
        converted.append(index)
        return to_i420(rgb, pool, index)

    monkeypatch.setattr(rgb_module, "to_i420", counted)
    return converted


@pytest.mark.parametrize("size", [(16, 32), (17, 32), (16, 33), (1, 1)])
def test_it_is_what_a_conversion_at_once_would_be(size: tuple[int, int]) -> None:
    picture = noise(*size)
    expected = to_i420(picture, BufferPool(), 7)
    frame = RgbFrame(picture, Pools(), 7)
    picture[:] = 0

    got = frame.i420()
    assert np.array_equal(got.data, expected.data)
    assert (frame.width, frame.height, frame.index) == (got.width, got.height, got.index)
    assert (got.width, got.height, got.index) == (expected.width, expected.height, 7)


VIEWS: dict[str, Any] = {
    "mirrored": lambda a: a[:, ::-1],
    "BGR": lambda a: a[:, :, ::-1],
    "every second pixel": lambda a: a[::2, ::2],
    "rows with gaps": lambda a: a[:, :20],
    "channels first": lambda a: np.ascontiguousarray(a.transpose(2, 0, 1)).transpose(1, 2, 0),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_any_layout_is_copied(view: Any) -> None:
    picture = noise(32, 48)
    expected = to_i420(view(picture).copy(), BufferPool(), 0).data
    seen = view(picture)
    frame = RgbFrame(seen, Pools(), 0)
    seen[:] = 0

    assert np.array_equal(frame.i420().data, expected)


def test_two_encoders_share_one_conversion(conversions: list[int]) -> None:
    frame = RgbFrame(noise(64, 64), Pools(), 3)
    start = threading.Barrier(4)
    got: list[I420Frame] = []

    def encoder() -> None:
        start.wait(5)
        got.append(frame.i420())

    threads = [threading.Thread(target=encoder) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)

    assert conversions == [3]
    assert len(got) == 4
    assert all(each is got[0] for each in got)


def test_the_copy_goes_back_when_it_has_been_converted_and_the_planes_when_nobody_needs_them() -> None:
    pools = Pools()
    frame = RgbFrame(noise(16, 16), pools, 0)
    assert (len(pools.rgb), len(pools.i420)) == (0, 0)
    planes = frame.i420()
    assert (len(pools.rgb), len(pools.i420)) == (1, 0)
    del frame
    assert (len(pools.rgb), len(pools.i420)) == (1, 0)
    del planes
    assert (len(pools.rgb), len(pools.i420)) == (1, 1)


def test_a_frame_that_nobody_took_gives_its_copy_back(conversions: list[int]) -> None:
    pools = Pools()
    frame = RgbFrame(noise(16, 16), pools, 0)
    del frame

    assert len(pools.rgb) == 1
    assert conversions == []


def test_a_failed_copy_leaves_nothing_behind() -> None:
    pools = Pools()
    with pytest.raises((ValueError, AttributeError, IndexError)):
        RgbFrame(np.zeros((0,), np.uint8), pools, 0)

    assert len(pools.rgb) == 0


def test_what_is_i420_already_is_itself() -> None:
    frame = black(4, 4, BufferPool(), 0)

    assert frame.i420() is frame
