"""The time code survives what encoders do to a picture, and the page reads what Python draws."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest
import timecode
from hypothesis import given
from hypothesis import strategies as st
from side_by_side.environments import HERE
from studio import Studio
from tests.chromium import launched

from reactor_runtime.media.encoders import VideoCodec, create_encoder
from reactor_runtime.media.i420 import BufferPool, to_i420
from reactor_runtime.testing import decode

SIZES = [(832, 480), (1280, 720), (640, 360)]


@pytest.mark.parametrize("size", SIZES)
def test_what_was_stamped_is_read(size):
    studio = Studio(size)
    for expected in range(3):
        studio.tag = 200 + expected
        ticks, counter, tag = timecode.read(cv2.cvtColor(studio.draw(), cv2.COLOR_RGB2GRAY))
        assert (counter, tag) == (expected, 200 + expected)
        now = int(timecode.time.monotonic() * timecode.TICKS_PER_S) % (1 << timecode.CLOCK_BITS)
        assert 0 <= now - ticks < timecode.TICKS_PER_S


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_it_survives_little_bandwidth(codec):
    studio = Studio((832, 480))
    encoder = create_encoder(codec, 832, 480, 400_000)
    pool = BufferPool()
    frames = [to_i420(studio.draw(), pool, number) for number in range(30)]
    encoded = [each for n, frame in enumerate(frames) for each in encoder.encode(frame, n * 3000, n == 0)]
    codes = [timecode.read(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)) for picture in decode(encoded)]
    assert [code[1] for code in codes] == list(range(30))


@given(st.integers(0, 2**40), st.integers(0, 2**30), st.integers(0, 1000), st.integers(0, 79))
def test_a_wrong_bit_is_noticed(ticks, counter, tag, bit):
    bits = timecode.encode(ticks, counter, tag) ^ 1 << bit
    rows = np.unpackbits(np.frombuffer(bits.to_bytes(10, "big"), np.uint8)).reshape(2, 40)
    luma = np.repeat(np.repeat(rows * np.uint8(255), timecode.BLOCK_HEIGHT, axis=0), 20, axis=1)
    # Fletcher-16 cannot tell 0 from 255 in a byte; one bit never turns one into the other.
    assert timecode.read(luma) is None


@pytest.mark.browser
def test_the_page_reads_the_same(chromium):
    studio = Studio((832, 480))
    studio.tag = 77
    picture = to_i420(studio.draw(), BufferPool(), 0).data
    expected = timecode.read(picture[:480])
    script = (
        "async ([text, width, height]) => { "
        "const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)); "
        "const frame = new VideoFrame(bytes, "
        '{ format: "I420", codedWidth: width, codedHeight: height, timestamp: 0 }); '
        "return window.bench.readCode(frame, height); }"
    )
    with launched(chromium) as browser:
        page = browser.new_page()
        # A page of its own origin may use WebCodecs; nothing is fetched.
        page.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        page.goto("http://localhost/")
        page.add_script_tag(content=(HERE / "receiver.js").read_text())
        read = page.evaluate(script, [base64.b64encode(picture.tobytes()).decode(), 832, 480])
    assert (round(read["sent"] * 10), read["counter"], read["tag"]) == expected
