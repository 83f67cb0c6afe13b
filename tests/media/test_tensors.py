"""The conversion for accelerators, run on the CPU: the code is the same."""

from __future__ import annotations

import warnings
from typing import Any

import cv2
import numpy as np
import pytest

from reactor_runtime.errors import FrameError
from reactor_runtime.media import plane as plane_module
from reactor_runtime.media.frames import to_rgb_batch
from reactor_runtime.media.i420 import BufferPool, to_i420
from reactor_runtime.media.plane import MediaPlane, VideoTrackConfig
from reactor_runtime.media.tensors import is_on_accelerator, to_i420_batch

torch: Any = None
"""Imported by the first test that needs it: it takes seconds, which no other file of tests should wait."""


@pytest.fixture(autouse=True, scope="module")
def real_torch() -> None:
    global torch
    torch = pytest.importorskip("torch", reason="torch is not installed; these tests need it")


EVERY_LAYOUT = pytest.mark.parametrize("layout", ["hwc", "chw", "nhwc", "nchw"])
EVERY_DTYPE = pytest.mark.parametrize("dtype", ["uint8", "float16", "bfloat16", "float32"])


def smooth(height: int = 48, width: int = 64) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    channels = (x / width, y / height, (x + y) / (width + height))
    return np.stack([np.round(c * 255) for c in channels], -1).astype(np.uint8)


def reference(rgb: np.ndarray) -> np.ndarray:
    return to_i420(rgb, BufferPool(), 0).data


def as_tensor(rgb: np.ndarray, layout: str, dtype: str, *, strided: bool = False) -> Any:
    """`strided`: a view of other memory, as permuting gives it, and not memory in the order of its axes."""
    tensor = torch.from_numpy(rgb)
    if dtype != "uint8":
        tensor = (tensor.float() / 255).to(getattr(torch, dtype))
    if "n" in layout:
        tensor = tensor.unsqueeze(0)
    if "chw" in layout:
        tensor = tensor.movedim(-1, -3)
    return tensor if strided else tensor.contiguous()


@EVERY_LAYOUT
@EVERY_DTYPE
@pytest.mark.parametrize("strided", [False, True])
def test_every_tensor_in_main_memory_is_a_frame(layout: str, dtype: str, strided: bool) -> None:
    rgb = smooth()
    tensor = as_tensor(rgb, layout, dtype, strided=strided)
    if dtype != "uint8":
        tensor.requires_grad_()
    got = to_rgb_batch(tensor)
    assert (got.shape, got.dtype) == ((1, 48, 64, 3), np.uint8)
    assert np.abs(got[0].astype(int) - rgb.astype(int)).max() <= (1 if dtype == "bfloat16" else 0)


@EVERY_LAYOUT
@EVERY_DTYPE
def test_every_layout_and_dtype_gives_what_opencv_gives(layout: str, dtype: str) -> None:
    rgb = smooth()
    got = to_i420_batch(as_tensor(rgb, layout, dtype))
    assert got.shape == (1, 72, 64)
    slack = 3 if dtype == "bfloat16" else 2
    assert np.abs(got[0].astype(int) - reference(rgb).astype(int)).max() <= slack


@pytest.mark.parametrize(("height", "width"), [(1, 1), (17, 19), (5, 8), (8, 5)])
def test_odd_sizes_are_padded_as_elsewhere(height: int, width: int) -> None:
    rgb = np.full((height, width, 3), (200, 30, 90), np.uint8)
    got = to_i420_batch(torch.from_numpy(rgb))[0]
    assert got.shape == reference(rgb).shape
    assert np.abs(got.astype(int) - reference(rgb).astype(int)).max() <= 1


def test_batches_keep_their_order() -> None:
    values = [10, 120, 250]
    got = to_i420_batch(torch.stack([torch.full((4, 4, 3), v, dtype=torch.uint8) for v in values]))
    shades = [float(cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420).mean()) for frame in got]
    assert shades == pytest.approx(values, abs=3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: torch.zeros(4, 4, 4), "shape"),
        (lambda: torch.zeros(2, 2, 4, 4, 3), "shape"),
        (lambda: torch.zeros(4, 4, 3, dtype=torch.int32), "int32"),
        (lambda: torch.full((4, 4, 3), 2.0), "from 2 to 2"),
        (lambda: torch.full((4, 4, 3), float("nan")), "nan"),
    ],
)
def test_what_is_no_frame_is_refused_with_what_was_given(make: Any, said: str) -> None:
    with pytest.raises(FrameError, match=said):
        to_i420_batch(make())


def test_main_memory_is_left_to_opencv() -> None:
    assert not is_on_accelerator(torch.zeros(4, 4, 3))
    assert not is_on_accelerator(np.zeros((4, 4, 3)))


def test_emit_takes_the_accelerators_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plane_module, "is_on_accelerator", lambda frame: isinstance(frame, torch.Tensor))
    plane = MediaPlane({"main": VideoTrackConfig("main")})
    try:
        plane.emit("main", torch.from_numpy(smooth()).unsqueeze(0), None)
        latest = plane.latest("main")
        assert latest is not None
        assert np.abs(latest.astype(int) - smooth().astype(int)).mean() < 4
        assert plane.next_index("main") == 1
    finally:
        plane.close()


def lazy_pictures() -> dict[str, Any]:
    half = torch.full((3, 48, 64), 0.5)
    return {
        "negative bit": torch.complex(torch.zeros(3, 48, 64), -half).conj().imag,
        "negative bit of a batch": torch.complex(torch.zeros(2, 48, 64, 3), -half.movedim(0, -1)).conj().imag,
        "gradient": half.clone().requires_grad_(),
        "parameter": torch.nn.Parameter(half),
        "expanded": torch.full((1, 1, 1), 0.5).expand(3, 48, 64),
        "every second": torch.full((3, 96, 128), 0.5)[:, ::2, ::2],
        "flipped": half.flip(1),
        "half": half.half(),
        "bfloat16": half.bfloat16(),
        "float64": half.double(),
        "uint8": (half * 255).to(torch.uint8).movedim(0, -1),
        "inference": inference(half),
    }


def inference(tensor: Any) -> Any:
    with torch.inference_mode():
        return tensor * 1.0


def test_lazy_and_strange_tensors_are_shown() -> None:
    for name, tensor in lazy_pictures().items():
        batch = to_rgb_batch(tensor)
        assert batch.shape[1:] == (48, 64, 3), name
        assert abs(float(batch.mean()) - 127.5) <= 1, name


def quantized(tensor: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are on their way out, and still come
        return torch.quantize_per_tensor(tensor, 1 / 255, 0, torch.quint8)


def odd_tensors() -> dict[str, Any]:
    half = torch.full((48, 64, 3), 0.5)
    return {
        "frame.to_dense()": half.to_sparse(),
        "frame.dequantize()": quantized(half),
        "frame.real": torch.complex(half, half),
        "torch.stack(frames)": [half, half],
        "frame[..., :3]": torch.full((48, 64, 4), 0.5),
        "(frame + 1) / 2": half - torch.linspace(0, 1.4, 3),
        "frame[0].permute(1, 2, 3, 0)": torch.full((1, 3, 2, 48, 64), 0.5),
        "torch.clamp(frame, 0, 1)": half + torch.linspace(0, 0.6, 3),
        "frame.to(torch.uint8)": torch.full((48, 64, 3), 200, dtype=torch.int64),
        "(frame * 255).to(torch.uint8)": torch.ones(48, 64, 3, dtype=torch.bool),
        "torch.nan_to_num(frame, posinf=1, neginf=0)": half / torch.tensor([1, 0, 1]),
    }


@pytest.mark.parametrize("convert", [to_rgb_batch, to_i420_batch])
def test_the_line_that_mends_a_tensor(convert: Any) -> None:
    for line, tensor in odd_tensors().items():
        if convert is to_i420_batch and isinstance(tensor, list):
            continue
        with pytest.raises(FrameError) as caught:
            convert(tensor)
        assert f"Write `{line}`." in caught.value.message, caught.value.message
        convert(eval(line, {"torch": torch, "frame": tensor, "frames": tensor}))


def test_a_tensor_without_values_is_refused() -> None:
    with pytest.raises(FrameError, match="'meta'"):
        to_rgb_batch(torch.zeros(4, 4, 3, device="meta"))
