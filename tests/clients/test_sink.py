"""One client's share of a video track: pauses, counts, and who waits for a frame."""

from __future__ import annotations

import pytest

from reactor_runtime.clients.sink import WATCHED_FRAMES, FrameSink
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.session.sent import Sent
from reactor_runtime.transports.gate import FrameGate


class Sender:
    """Takes what its gate admits, on a clock that stands still."""

    mid, codec = "0", VideoCodec.VP8

    def __init__(self) -> None:
        self.gate = FrameGate()
        self.dropped = 0
        self.pushed: list[int] = []

    def push(self, frame: EncodedFrame) -> None:
        if self.gate.admits(frame.key, len(frame.data), 0.0):
            self.pushed.append(frame.index)

    def rtp_timestamp(self, timestamp: int) -> int | None:
        return timestamp


def frame(index: int, *, key: bool = False, size: int = 10) -> EncodedFrame:
    return EncodedFrame(VideoCodec.VP8, b"x" * size, key, 32, 16, index * 3000, index)


@pytest.fixture
def sink() -> FrameSink:
    return FrameSink(Sender(), "video")


def pushed(sink: FrameSink) -> list[int]:
    assert isinstance(sink.sender, Sender)
    return sink.sender.pushed


def test_who_pauses_gets_nothing_and_begins_again_with_a_keyframe(sink: FrameSink) -> None:
    sink.push(frame(0, key=True))
    sink.push(frame(1))
    sink.pause(True)
    sink.push(frame(2, key=True))
    sink.pause(False)
    sink.push(frame(3))
    sink.push(frame(4, key=True))
    sink.push(frame(5))
    assert pushed(sink) == [0, 1, 4, 5]


def test_resuming_what_goes_on_needs_no_keyframe(sink: FrameSink) -> None:
    sink.push(frame(0, key=True))
    sink.pause(False)
    sink.push(frame(1))
    assert pushed(sink) == [0, 1]


def test_what_has_gone_is_counted_and_what_was_dropped_is_not(sink: FrameSink) -> None:
    sink.push(frame(0))  # no keyframe yet
    sink.push(frame(1, key=True, size=100))
    sink.push(frame(2, size=7))
    assert sink.sent == Sent(frames=2, bytes=107, keyframe_waits=1)
    assert sink.newly_dropped() == 1
    assert sink.newly_dropped() == 0
    sink.sender.dropped = 3
    assert sink.newly_dropped() == 3
    assert sink.newly_sent() == Sent(2, 107, 1)
    assert sink.newly_sent() == Sent(0, 0, 0)
    sink.push(frame(3, size=5))
    assert sink.newly_sent() == Sent(1, 5, 0)


def test_a_wait_for_a_keyframe_is_counted_once_however_long_it_lasts(sink: FrameSink) -> None:
    sink.push(frame(0, key=True))
    sink.push(frame(1, size=10_000_000))  # fills the gate
    for index in range(2, 5):
        sink.push(frame(index))
    assert sink.sent.keyframe_waits == 1


def test_a_frame_that_is_waited_for_is_told_once_or_the_next_one(sink: FrameSink) -> None:
    told: list[tuple[int, int]] = []
    for wanted in (2, 2, 5):
        sink.watch(wanted, lambda frame, wanted=wanted: told.append((wanted, frame.index)))  # type: ignore[misc] # its own
    sink.push(frame(0, key=True))
    sink.push(frame(1))
    assert told == []
    sink.push(frame(2))
    assert told == [(2, 2), (2, 2)]
    sink.push(frame(7))
    sink.push(frame(8))
    assert told == [(2, 2), (2, 2), (5, 7)]


def test_so_many_are_waited_for_and_the_oldest_is_forgotten(sink: FrameSink) -> None:
    told: list[int] = []
    forgot = [
        sink.watch(1, lambda _, number=number: told.append(number))  # type: ignore[misc] # its own
        for number in range(WATCHED_FRAMES + 1)
    ]
    assert forgot == [False] * WATCHED_FRAMES + [True]
    sink.push(frame(1, key=True))
    assert told == list(range(1, WATCHED_FRAMES + 1))
