from __future__ import annotations

import subprocess
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from reactor_runtime.errors import FrameError
from reactor_runtime.media.frames import MAX_SIDE, to_rgb_batch

PICTURE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def test_a_picture_becomes_a_batch_of_one_without_a_copy() -> None:
    batch = to_rgb_batch(PICTURE)

    assert batch.shape == (1, 4, 6, 3)
    assert np.shares_memory(batch, PICTURE)


def test_a_batch_stays_a_batch() -> None:
    pictures = np.stack([PICTURE, PICTURE[::-1]])

    assert np.array_equal(to_rgb_batch(pictures), pictures)


@pytest.mark.parametrize("shape", [(0, 4, 6, 3), (0, 0, 0, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_empty_batch_is_nothing_to_emit(shape: tuple[int, ...], dtype: Any) -> None:
    assert len(to_rgb_batch(np.zeros(shape, dtype))) == 0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_floats_are_scaled_and_rounded(dtype: Any) -> None:
    values = np.array([0.0, 0.25, 0.5, 0.999, 1.0], dtype)
    picture = np.broadcast_to(values[:, None, None], (5, 4, 3))

    scaled = to_rgb_batch(picture)[0, :, 0, 0]

    assert scaled.dtype == np.uint8
    assert np.abs(scaled.astype(float) - np.asarray(values, float) * 255).max() <= 0.6


def test_a_decoder_may_overshoot_by_rounding() -> None:
    picture = np.full((2, 2, 3), 1.003, np.float32)
    picture[0] = -0.003

    assert to_rgb_batch(picture)[0, 0].max() == 0
    assert to_rgb_batch(picture)[0, 1].min() == 255


@pytest.mark.parametrize(
    ("value", "given"),
    [
        (np.nan, "nan"),
        (np.inf, "inf"),
        (-np.inf, "-inf"),
        (2.0, "2"),
        (-1.0, "-1"),
        (255.0, "255"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_out_of_range_are_refused(value: float, given: str, dtype: Any) -> None:
    picture = np.full((2, 2, 3), 0.5, dtype)
    picture[1, 1, 1] = value

    with pytest.raises(FrameError, match=r"\[0, 1\]") as caught:
        to_rgb_batch(picture)

    assert given in caught.value.message


@pytest.mark.parametrize(
    "shape",
    [
        (),
        (3,),
        (4, 6),
        (3, 4, 6),
        (4, 6, 1),
        (4, 6, 4),
        (2, 3, 4, 6),
        (1, 2, 4, 6, 3),
    ],
)
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(FrameError) as caught:
        to_rgb_batch(np.zeros(shape, np.uint8))

    assert str(shape) in caught.value.message
    assert "accepted: (H, W, 3) or (N, H, W, 3)" in caught.value.message


@pytest.mark.parametrize("shape", [(0, 6, 3), (4, 0, 3), (2, 0, 6, 3), (1, MAX_SIDE + 1, 3)])
def test_sides_out_of_range_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(FrameError, match=f"1 to {MAX_SIDE} pixels") as caught:
        to_rgb_batch(np.zeros(shape, np.uint8))

    assert str(shape) in caught.value.message


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.int64, np.bool_, np.complex64, object])
def test_other_dtypes_are_refused(dtype: Any) -> None:
    with pytest.raises(FrameError) as caught:
        to_rgb_batch(np.zeros((2, 2, 3), dtype))

    assert str(np.dtype(dtype)) in caught.value.message
    assert "accepted:" in caught.value.message


@pytest.mark.parametrize("frame", ["frame.png", b"\x00" * 12, 7, [[[0, 0, 0]]], object(), {"data": 1}])
def test_other_things_are_refused(frame: Any) -> None:
    with pytest.raises(FrameError, match="accepted:") as caught:
        to_rgb_batch(frame)

    assert type(frame).__name__ in caught.value.message


@pytest.mark.parametrize(
    "mode", ["RGB", "RGBA", "RGBX", "RGBa", "L", "1", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "LA"]
)
def test_pil_images_of_every_mode(mode: str) -> None:
    image = Image.new("RGB", (6, 4), (255, 255, 255)).convert(mode)

    batch = to_rgb_batch(image)

    assert batch.shape == (1, 4, 6, 3)
    assert batch.dtype == np.uint8


def test_a_pil_image_that_is_too_large_says_its_size() -> None:
    with pytest.raises(FrameError, match=str(MAX_SIDE + 1)):
        to_rgb_batch(Image.new("L", (1, MAX_SIDE + 1)))


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64, ">f4"])
def test_views_of_planes_are_what_their_copies_are(dtype: Any) -> None:
    pictures = np.random.default_rng(3).integers(0, 256, (3, 5, 7, 3), np.uint8)
    pixels = pictures if dtype == np.uint8 else (pictures / 255).astype(dtype)
    planes = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    assert not planes.flags.c_contiguous

    np.testing.assert_array_equal(to_rgb_batch(planes), to_rgb_batch(pixels))
    np.testing.assert_array_equal(to_rgb_batch(planes[1]), to_rgb_batch(pixels)[1:2])
    np.testing.assert_array_equal(to_rgb_batch(planes[::-2, ::2]), to_rgb_batch(pixels)[::-2, ::2])
    np.testing.assert_array_equal(to_rgb_batch(pixels), pictures)


class FakeTensor:
    """What `to_rgb_batch` uses of a torch tensor; it can claim to be on a GPU."""

    def __init__(self, array: np.ndarray[Any, Any], on_gpu: bool = False, wants_grad: bool = False) -> None:
        self._array, self._on_gpu, self._wants_grad = array, on_gpu, wants_grad

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def dtype(self) -> Any:
        class Dtype:
            is_floating_point = np.issubdtype(self._array.dtype, np.floating)

        return Dtype

    def movedim(self, source: int, target: int) -> FakeTensor:
        return FakeTensor(np.moveaxis(self._array, source, target), self._on_gpu, self._wants_grad)

    def detach(self) -> FakeTensor:
        return FakeTensor(self._array, self._on_gpu)

    def resolve_neg(self) -> FakeTensor:
        return self

    def resolve_conj(self) -> FakeTensor:
        return self

    def cpu(self) -> FakeTensor:
        return FakeTensor(self._array, False, self._wants_grad)

    def float(self) -> FakeTensor:
        return FakeTensor(self._array.astype(np.float32), self._on_gpu, self._wants_grad)

    def numpy(self) -> np.ndarray[Any, Any]:
        if self._on_gpu or self._wants_grad:
            raise TypeError("can't convert this tensor to numpy")
        return self._array


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("torch")
    module.Tensor = FakeTensor  # type: ignore[attr-defined] # a stand-in
    monkeypatch.setitem(sys.modules, "torch", module)


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("on_gpu", [False, True])
@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32])
def test_tensors(on_gpu: bool, channels_first: bool, batched: bool, dtype: Any) -> None:
    picture = PICTURE if dtype == np.uint8 else (PICTURE / 255).astype(dtype)
    array = np.moveaxis(picture, -1, 0) if channels_first else picture
    array = array[np.newaxis] if batched else array

    batch = to_rgb_batch(FakeTensor(array, on_gpu=on_gpu, wants_grad=dtype != np.uint8))

    assert batch.shape == (1, 4, 6, 3)
    assert np.abs(batch[0].astype(int) - PICTURE).max() <= (0 if dtype == np.uint8 else 1)


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("shape", [(), (4, 6), (4, 6, 4), (1, 4, 6), (5, 5, 5, 5)])
def test_tensors_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(FrameError, match="accepted:") as caught:
        to_rgb_batch(FakeTensor(np.zeros(shape, np.uint8)))

    assert str(shape) in caught.value.message


ARRAYS = hnp.arrays(
    dtype=hnp.scalar_dtypes() | st.just(np.dtype(np.uint8)),
    shape=hnp.array_shapes(min_dims=0, max_dims=5, max_side=4)
    | st.tuples(st.integers(0, 4), st.integers(0, 4), st.just(3)),
)


@given(ARRAYS)
def test_any_array_is_taken_or_refused_with_a_sentence(array: np.ndarray[Any, Any]) -> None:
    try:
        batch = to_rgb_batch(array)
    except FrameError:
        return
    assert batch.dtype == np.uint8
    assert batch.ndim == 4
    assert batch.shape[-1] == 3
    if array.dtype == np.uint8:
        assert np.array_equal(batch.reshape(array.shape), array)


def test_torch_is_not_imported_for_authors_who_do_not_use_it() -> None:
    code = "import sys, reactor_runtime.media.plane; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
