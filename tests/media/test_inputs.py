from __future__ import annotations

import threading

import numpy as np

from reactor_runtime.media.inputs import AUDIO_SECONDS, InputBuffers


def block(first: int, length: int, channels: int = 1) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    return np.tile(np.arange(first, first + length, dtype=np.int16), (channels, 1))


def test_latest_is_the_newest_frame_of_its_track() -> None:
    inputs = InputBuffers()
    assert inputs.latest("webcam") is None
    frames = [np.full((2, 2, 3), value, np.uint8) for value in (1, 2)]

    for frame in frames:
        inputs.put_video("webcam", frame)

    assert inputs.latest("webcam") is frames[1]
    assert inputs.latest("other") is None


def test_audio_is_read_in_order_across_blocks() -> None:
    inputs = InputBuffers()
    for first in (0, 10, 20):
        inputs.put_audio("mic", block(first, 10, channels=2), 48_000)

    first, second = inputs.read("mic", 15, timeout=0), inputs.read("mic", 15, timeout=0)

    assert first is not None
    assert second is not None
    assert first.shape == (2, 15)
    assert np.array_equal(np.concatenate([first, second], axis=1)[0], np.arange(30))
    assert inputs.read("mic", 1, timeout=0) is None


def test_audio_that_nobody_reads_is_bounded_and_counted() -> None:
    inputs = InputBuffers()
    for _ in range(300):
        inputs.put_audio("mic", block(0, 160), 16_000)

    kept = int(AUDIO_SECONDS * 16_000)
    assert inputs.dropped_samples == 300 * 160 - kept
    assert inputs.read("mic", kept, timeout=0) is not None


def test_two_audio_tracks_never_share_a_buffer() -> None:
    inputs = InputBuffers()
    inputs.put_audio("a", block(0, 10), 48_000)

    assert inputs.read("b", 1, timeout=0) is None


def test_a_reader_wakes_when_audio_arrives() -> None:
    inputs = InputBuffers()
    threading.Timer(0.02, inputs.put_audio, ("mic", block(0, 10), 48_000)).start()

    assert inputs.read("mic", 10, timeout=5) is not None


def test_a_reader_wakes_when_the_session_ends() -> None:
    stopped = threading.Event()
    inputs = InputBuffers(stopped.is_set)
    threading.Timer(0.02, stopped.set).start()

    assert inputs.read("mic", 10, timeout=None) is None


def test_clear_forgets_the_client() -> None:
    inputs = InputBuffers()
    inputs.put_video("webcam", np.zeros((2, 2, 3), np.uint8))
    inputs.put_audio("mic", block(0, 10), 48_000)

    inputs.clear()

    assert inputs.latest("webcam") is None
    assert inputs.latest("mic") is None
    assert inputs.read("mic", 1, timeout=0) is None
