"""PIL images: what each mode means, and how one that cannot be shown is refused."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reactor_runtime.errors import FrameError
from reactor_runtime.media.frames import to_rgb_batch

RAMP = np.linspace(0, 1, 24).reshape(4, 6)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_16_bits_are_scaled(dtype: str) -> None:
    image = Image.fromarray((RAMP * 65_535).astype(dtype))
    assert image.mode.startswith("I;16")
    shown = to_rgb_batch(image)[0]
    assert np.abs(shown.astype(int) - (RAMP * 255)[..., None]).max() <= 1


def test_a_float_image_is_what_its_array_is() -> None:
    image = Image.fromarray(RAMP.astype(np.float32))
    assert image.mode == "F"
    twin = np.repeat(RAMP.astype(np.float32)[..., None], 3, axis=-1)
    np.testing.assert_array_equal(to_rgb_batch(image), to_rgb_batch(twin))


@pytest.mark.parametrize("values", [RAMP * 255, RAMP * 2 - 1, RAMP * 9_000, np.full((4, 6), np.nan)])
def test_a_float_image_of_another_range_is_refused_with_the_line(values: Any) -> None:
    image = Image.fromarray(values.astype(np.float32))
    assert to_rgb_batch(mend(image)).shape == (1, 4, 6, 3)


@pytest.mark.parametrize("values", [RAMP * 255, RAMP * 65_535, RAMP * 100_000 - 50_000])
def test_an_image_of_integers_is_refused_with_the_line(values: Any) -> None:
    image = Image.fromarray(values.astype(np.int32))
    assert image.mode == "I"
    shown = to_rgb_batch(mend(image))[0]
    assert shown.max() >= 254
    assert shown.min() <= 1


def mend(image: Any) -> Any:
    with pytest.raises(FrameError) as caught:
        to_rgb_batch(image)
    line = caught.value.message.partition(" Write `")[2].removesuffix("`.")
    return eval(line, {"np": np, "Image": Image, "image": image})


def test_an_image_that_cannot_be_converted_or_read_is_told() -> None:
    with pytest.raises(FrameError, match=r"mode La .*image\.convert\('LA'\)"):
        to_rgb_batch(Image.new("La", (4, 4)))
    file = io.BytesIO()
    Image.new("RGB", (400, 400), (1, 2, 3)).save(file, "png")
    with pytest.raises(FrameError, match="cannot be read"):
        to_rgb_batch(Image.open(io.BytesIO(file.getvalue()[:60])))
