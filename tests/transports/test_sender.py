"""The queue between us and the engine, which may miss the signal that something waits in it."""

from __future__ import annotations

import itertools
from typing import Any
from unittest.mock import Mock

import pytest

from reactor_runtime.media.encoders import EncodedFrame, VideoCodec
from reactor_runtime.transports.reactor_webrtc.sender import QUEUE_FRAMES, SIGNAL_STEP_US, InlineVideoSender

TICKS = 90_000 // 30


class Signals:
    """Stands where the engine's track would: a real one cannot be told which signals to miss."""

    def __init__(self) -> None:
        self.times: list[int] = []

    def push_video_frame(self, _data: bytes, _width: int, _height: int, *, capture_time_us: int) -> None:
        self.times.append(capture_time_us)


@pytest.fixture
def signals() -> Signals:
    return Signals()


@pytest.fixture
def sender(signals: Signals) -> InlineVideoSender:
    sender = InlineVideoSender("0", VideoCodec.VP8, lambda: None)
    track: Any = signals
    sender.attach(track)
    sender.open = True
    return sender


def frame(index: int, *, key: bool = False, at: int | None = None) -> EncodedFrame:
    timestamp = 1_000_000 + (index * TICKS if at is None else at)
    return EncodedFrame(VideoCodec.VP8, bytes([index]) * 10, key, 64, 36, timestamp, index)


def asked(sender: InlineVideoSender) -> int | None:
    """What the engine gets: the number of a frame."""
    answer = sender.encode(Mock(request_key_frame=False))
    return None if answer is None else answer[0][0]


def test_each_frame_signals_once_with_its_own_time(sender: InlineVideoSender, signals: Signals) -> None:
    for index in range(3):
        sender.push(frame(index, key=not index))
        assert asked(sender) == index

    assert len(signals.times) == 3
    assert [b - a for a, b in itertools.pairwise(signals.times)] == pytest.approx([33_333] * 2, abs=1)


def test_of_signals_that_the_engine_takes_for_one_nothing_is_left_waiting(
    sender: InlineVideoSender, signals: Signals
) -> None:
    for index in range(3):
        sender.push(frame(index, key=not index))
    heard = len(signals.times)

    assert asked(sender) == 0
    assert len(signals.times) == heard + 1
    assert asked(sender) == 1
    assert len(signals.times) == heard + 2
    assert asked(sender) == 2
    assert len(signals.times) == heard + 2


def test_the_last_frame_is_hurried_on_when_its_signal_was_lost(
    sender: InlineVideoSender, signals: Signals
) -> None:
    assert sender.nudge() == 0
    assert signals.times == []
    sender.push(frame(0, key=True))

    assert sender.nudge() == 10
    assert len(signals.times) == 2
    assert asked(sender) == 0
    assert sender.nudge() == 0
    assert len(signals.times) == 2


def test_the_times_of_signals_rise_by_what_the_engine_can_tell_apart(
    sender: InlineVideoSender, signals: Signals
) -> None:
    sender.push(frame(0, key=True))
    for _ in range(50):
        sender.nudge()
    sender.push(frame(1, at=1))
    asked(sender)

    assert all(b - a >= SIGNAL_STEP_US for a, b in itertools.pairwise(signals.times))


def test_a_queue_that_the_engine_leaves_full_begins_again_with_a_keyframe(
    sender: InlineVideoSender,
) -> None:
    for index in range(QUEUE_FRAMES + 1):
        sender.push(frame(index, key=not index))

    assert sender.dropped == QUEUE_FRAMES + 1
    assert asked(sender) is None
    sender.push(frame(8))
    assert asked(sender) is None
    sender.push(frame(9, key=True))
    assert asked(sender) == 9


def test_nobody_waits_for_a_closed_sender(sender: InlineVideoSender, signals: Signals) -> None:
    sender.push(frame(0, key=True))
    sender.detach()

    assert sender.nudge() == 0
    assert len(signals.times) == 1
