from __future__ import annotations

import threading

import numpy as np

from reactor_runtime.media.inputs import InputBuffers

MIC = {"mic": (48_000, 1)}


def block(first: int, length: int, channels: int = 1) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    return np.tile(np.arange(first, first + length, dtype=np.int16), (channels, 1))


def test_latest_is_the_newest_frame_of_its_track() -> None:
    inputs = InputBuffers()
    assert inputs.latest("webcam") is None
    frames = [np.full((2, 2, 3), value, np.uint8) for value in (1, 2)]

    for frame in frames:
        inputs.put_video("webcam", frame)

    assert np.array_equal(inputs.latest("webcam"), frames[1])  # type: ignore[arg-type]  # None is equal to nothing
    assert inputs.latest("other") is None


def test_an_author_may_draw_on_what_is_latest() -> None:
    inputs = InputBuffers(audio=MIC)
    inputs.put_video("webcam", np.full((2, 2, 3), 77, np.uint8))
    inputs.put_audio("mic", block(1, 10), 48_000)
    for name, fill in (("webcam", 255), ("mic", 9)):
        first = inputs.latest(name)
        assert first is not None
        expected = first.copy()
        first[:] = fill
        assert np.array_equal(inputs.latest(name), expected)  # type: ignore[arg-type]  # None is equal to nothing


def test_two_audio_tracks_never_share_a_buffer() -> None:
    inputs = InputBuffers(audio={"a": (48_000, 1), "b": (48_000, 1)})
    inputs.put_audio("a", block(0, 10), 48_000)

    assert inputs.read("b", 1, timeout=0) is None


def test_a_reader_wakes_when_audio_arrives() -> None:
    inputs = InputBuffers(audio=MIC)
    threading.Timer(0.02, inputs.put_audio, ("mic", block(0, 10), 48_000)).start()

    assert inputs.read("mic", 10, timeout=5) is not None


def test_a_reader_wakes_when_the_session_ends() -> None:
    stopped = threading.Event()
    inputs = InputBuffers(stopped.is_set, MIC)
    threading.Timer(0.02, stopped.set).start()

    assert inputs.read("mic", 10, timeout=None) is None


def test_clear_forgets_the_client() -> None:
    inputs = InputBuffers(audio=MIC)
    inputs.put_video("webcam", np.zeros((2, 2, 3), np.uint8))
    inputs.put_audio("mic", block(0, 10), 48_000)

    inputs.clear()

    assert inputs.latest("webcam") is None
    assert inputs.latest("mic") is None
    assert inputs.read("mic", 1, timeout=0) is None
