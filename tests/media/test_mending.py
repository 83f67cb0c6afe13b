"""Every refusal of a picture says the line that mends it, and the line works."""

from __future__ import annotations

import io
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from reactor_runtime.errors import FrameError
from reactor_runtime.media.frames import MAX_SIDE, to_rgb_batch
from reactor_runtime.media.mending import fitting
from reactor_runtime.media.samples import to_samples

R = np.random.default_rng(1)
NAN = np.where(R.random((8, 10, 3)) < 0.1, np.nan, 0.5)


def line_of(frame: Any) -> str:
    with pytest.raises(FrameError) as caught:
        to_rgb_batch(frame)
    assert " Write `" in caught.value.message, caught.value.message
    return caught.value.message.partition(" Write `")[2].removesuffix("`.")


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (np.zeros((8, 10, 4), np.uint8), "frame[..., :3]"),
        (np.zeros((3, 8, 10), np.uint8), "frame.transpose(1, 2, 0)"),
        (np.zeros((5, 3, 8, 10), np.uint8), "frame.transpose(0, 2, 3, 1)"),
        (np.zeros((3, 5, 8, 10), np.uint8), "frame.transpose(1, 2, 3, 0)"),
        (np.zeros((4, 8, 10), np.uint8), "frame[:3].transpose(1, 2, 0)"),
        (np.zeros((8, 10), np.uint8), "np.stack([frame] * 3, axis=-1)"),
        (np.zeros((8, 10, 1), np.uint8), "np.repeat(frame, 3, axis=-1)"),
        (np.zeros((1, 8, 10), np.uint8), "np.repeat(frame.transpose(1, 2, 0), 3, axis=-1)"),
        (np.zeros((1, 5, 8, 10, 3), np.uint8), "frame[0]"),
        (np.zeros((1, 3, 5, 8, 10), np.uint8), "frame[0].transpose(1, 2, 3, 0)"),
        (np.zeros((1, 5, 3, 8, 10), np.uint8), "frame[0].transpose(0, 2, 3, 1)"),
        (NAN, "np.nan_to_num(frame, posinf=1, neginf=0)"),
        (R.random((8, 10, 3)) * 2 - 1, "(frame + 1) / 2"),
        (R.random((8, 10, 3)) * 1.3 - 0.1, "np.clip(frame, 0, 1)"),
        (R.random((8, 10, 3)) * 255, "frame.astype(np.uint8)"),
        (R.random((8, 10)) > 0.5, "(np.stack([frame] * 3, axis=-1) * 255).astype(np.uint8)"),
        (np.ones((8, 10, 3), bool), "(frame * 255).astype(np.uint8)"),
        (R.integers(0, 255, (8, 10, 3)), "frame.astype(np.uint8)"),
        (R.integers(0, 65_535, (8, 10, 3), np.uint16), "(frame / 257).astype(np.uint8)"),
        (np.full((8, 10, 3), 0.5 + 0j), "frame.real"),
        ([np.zeros((8, 10, 3), np.uint8)] * 2, "np.stack(frames)"),
        ([Image.new("L", (10, 8))] * 2, "np.stack([np.asarray(each.convert('RGB')) for each in frames])"),
        ([[[0, 0, 0]]], "np.array(frame, np.uint8)"),
        (SimpleNamespace(images=[Image.new("L", (10, 8))]), "frame.images[0]"),
        (OrderedDict(frames=np.zeros((2, 8, 10, 3), np.uint8)), "frame['frames']"),
        (
            np.zeros((2, MAX_SIDE * 2, 3), np.uint8),
            "cv2.resize(frame, (1920, 2), interpolation=cv2.INTER_AREA)",
        ),
    ],
)
def test_the_line_is_made_from_what_was_given(frame: Any, line: str) -> None:
    assert line_of(frame) == line
    names = {"np": np, "cv2": cv2, "Image": Image, "io": io, "frame": frame, "frames": frame}
    assert len(to_rgb_batch(eval(line, names)))


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (10, 8)).save(file, "png")
    return file.getvalue()


def test_a_file_is_opened() -> None:
    line = line_of(png())
    assert to_rgb_batch(eval(line, {"Image": Image, "io": io, "frame": png()})).shape == (1, 8, 10, 3)
    assert line_of("a.png") == "Image.open(frame)"


SHAPES = st.sampled_from(
    [
        (8, 10, 3),
        (8, 10, 4),
        (3, 8, 10),
        (8, 10),
        (8, 10, 1),
        (5, 3, 8, 10),
        (1, 5, 8, 10, 3),
        (1, 3, 5, 8, 10),
    ]
)
DTYPES = st.sampled_from(["u1", "i1", "u2", "i4", "i8", "?", "f2", "f4", "f8", "c8", ">u2"])
RANGES = st.sampled_from([(0, 1), (-1, 1), (0, 255), (-0.1, 1.2), (-1.2, 1.2), (0, 60_000), (-300, 40_000)])


@given(SHAPES, DTYPES, RANGES, st.booleans())
def test_any_line_makes_a_picture(
    shape: tuple[int, ...], dtype: str, bounds: tuple[float, float], holes: bool
) -> None:
    low, high = bounds
    values = low + (high - low) * np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    with np.errstate(invalid="ignore"):
        frame = values.astype(dtype)
    if holes and frame.dtype.kind == "f":
        frame[..., 0] = np.nan
    refusal = refusal_of(frame)
    if refusal is None:
        return
    assert " Write `" in refusal
    made = eval(refusal.partition(" Write `")[2].removesuffix("`."), {"np": np, "frame": frame})
    assert to_rgb_batch(made).shape[1:] == (8, 10, 3)


def refusal_of(frame: Any) -> str | None:
    try:
        to_rgb_batch(frame)
    except FrameError as error:
        return error.message
    return None


@pytest.mark.parametrize(
    ("size", "fits"),
    [
        ((8192, 8192), (1080, 1080)),
        ((2160, 3840), (1080, 1920)),
        ((4096, 2048), (1920, 960)),
        ((2, 90_000), (2, 1920)),
    ],
)
def test_a_size_that_fits_keeps_its_shape(size: tuple[int, int], fits: tuple[int, int]) -> None:
    assert fitting(*size) == fits


@pytest.mark.parametrize(
    ("sound", "line"),
    [
        (np.array([0.0, np.nan]), "np.nan_to_num(sound, posinf=1, neginf=-1)"),
        (np.array([0.0, 20_000.0]), "sound.astype(np.int16)"),
        (np.array([0.0, 1e6]), "sound / np.abs(sound).max()"),
        (np.array([0, 2**30], np.int32), "(sound >> 16).astype(np.int16)"),
        (np.array([0, 255], np.uint8), "((sound.astype(np.int16) - 128) << 8)"),
        (np.array([0, 255]), "sound.astype(np.int16)"),
    ],
)
def test_sound_has_a_line_too(sound: Any, line: str) -> None:
    with pytest.raises(FrameError) as caught:
        to_samples(sound, 1, 48_000)
    assert f"Write `{line}`." in caught.value.message
    to_samples(eval(line, {"np": np, "sound": sound}), 1, 48_000)


@pytest.mark.parametrize(
    "frames",
    [
        [np.zeros((8, 10, 3), np.uint8), np.zeros((8, 12, 3), np.uint8)],
        [Image.new("RGB", (10, 8)), Image.new("RGB", (12, 8))],
        [np.zeros((8, 10, 3), np.uint8), Image.new("RGB", (10, 8))],
    ],
)
def test_frames_of_several_sizes_are_not_stacked(frames: Any) -> None:
    assert line_of(frames) == "for each in frames: track.emit(each)"
