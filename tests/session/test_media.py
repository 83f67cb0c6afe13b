"""The media of one visit, without a model's thread or a wire."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from reactor_runtime import AudioOut, VideoModel, VideoOut, model
from reactor_runtime.authoring.description import describe
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.session.session import Session

MANY = 50


@model(name="drawn")
class Drawn(VideoModel):
    picture = VideoOut()
    voice = AudioOut(rate=48000)

    def start_session(self) -> None:
        pass


class Stuck:
    """A sink that holds the encoder's thread up until it is let go."""

    def __init__(self) -> None:
        self.held = threading.Event()
        self.go = threading.Event()

    def push(self, frame: EncodedFrame) -> None:
        del frame
        self.held.set()
        self.go.wait(10)


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session(1, "s", describe(Drawn), lambda _: None)
    made.enter()
    yield made
    made.close()


def _picture(value: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((32, 32, 3), value, np.uint8)


def test_what_an_encoder_dropped_is_counted_when_nobody_takes_it_any_more(session: Session) -> None:
    sink = Stuck()
    session.media.plane.subscribe("picture", VideoCodec.VP8, sink)
    for value in range(MANY):
        session.emit("picture", _picture(value), None)
        if session.losses()["encoder"]:
            break
    dropped = session.losses()["encoder"]
    assert sink.held.is_set()
    assert dropped
    sink.go.set()
    session.media.plane.unsubscribe(sink)
    assert session.media.plane.encodings == ()
    assert session.losses()["encoder"] >= dropped


def test_frames_are_counted_on_the_default_track_alone(session: Session) -> None:
    session.emit("picture", _picture(1), None)
    session.emit("voice", np.zeros(480, np.int16), None)
    assert session.next_frame() == 1
    assert session.media.default_track == "picture"
    assert np.array_equal(session.latest("picture"), _picture(1))
