"""Sound in a real browser: together with its picture, and in stereo on our page."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from .browser import new_page
from .server import running
from .skew import measure

pytestmark = [pytest.mark.wire, pytest.mark.browser]

REMEMBER_TRACKS = """
window.heard = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...args) {
    super(...args);
    this.addEventListener("track", ({ track }) => window.heard.push(track));
  }
};
"""
LISTEN = """async () => Promise.all(window.heard.map(async (track) => {
  const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
  const sides = [[], []];
  while (sides[0].length < 96000) {
    const { value } = await reader.read();
    sides.forEach((side, index) => {
      const samples = new Float32Array(value.numberOfFrames);
      const planeIndex = Math.min(index, value.numberOfChannels - 1);
      value.copyTo(samples, { planeIndex, format: "f32-planar" });
      side.push(...samples);
    });
    value.close();
  }
  await reader.cancel();
  return sides.map((side) => side.slice(-48000));
}))"""

STRETCHED_HZ = 10
"""A browser that fills or empties its buffer plays a little slower or faster."""


@pytest.mark.alone
def test_every_flash_reaches_a_person_with_its_beep(chromium: str) -> None:
    """That the two belong together. By how many milliseconds they differ is for benchmarks/av_skew.py to say:
    a busy machine makes the browser's buffer for sound longer."""
    with running("flash") as server:
        skew = measure(server, chromium, seconds=8)

    assert len(skew.settled) >= 8
    assert not skew.missed


def test_the_page_plays_each_track_and_stereo_in_stereo(chromium: str) -> None:
    with running("tones") as server, new_page(chromium) as page:
        page.add_init_script(REMEMBER_TRACKS)
        page.goto(server.url)
        wait_for(page, "window.heard.length === 3")
        heard = [(pitch(left), pitch(right)) for left, right in page.evaluate(LISTEN)]
        assert np.abs(np.array(sorted(heard)) - [(440, 440), (440, 440), (500, 1500)]).max() <= STRETCHED_HZ


def pitch(side: list[float]) -> int:
    return int(np.argmax(np.abs(np.fft.rfft(np.array(side)))))


def wait_for(page: Any, truth: str, within: float = 15) -> None:
    deadline = time.monotonic() + within
    while not page.evaluate(truth):
        assert time.monotonic() < deadline, f"never became true: {truth}"
        page.wait_for_timeout(50)
