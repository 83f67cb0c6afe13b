"""Which encoder a picture gets: its size, its time, and what the network carries. No thread, no codec."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import Any

import pytest

from reactor_runtime.errors import EngineError
from reactor_runtime.media.ahead import OpenedAhead
from reactor_runtime.media.bitrate import HEADROOM, REOPEN_INTERVAL_S, SETTLED_S, default_bitrate
from reactor_runtime.media.encoders import EncodedFrame, EncoderSettings, VideoCodec
from reactor_runtime.media.fitting_encoder import FittingEncoder
from reactor_runtime.testing import VirtualClock

from .fakes import Factory, FakeEncoder, picture, until

WANTED = 2_000_000
BEGAN = 1000.0
"""What the clock says first."""


class Room:
    """An encoder of pictures of 16x32, and what it has opened."""

    def __init__(self, settings: EncoderSettings | None = None) -> None:
        self.clock = VirtualClock(BEGAN)
        self.factory = Factory()
        settings = settings or EncoderSettings(bitrate=WANTED)
        self.fitting = FittingEncoder(VideoCodec.VP8, settings, self.factory, self.clock)

    @property
    def opened(self) -> list[FakeEncoder]:
        return list(self.factory.made)

    @property
    def rates(self) -> list[int]:
        """With how many bits a second each was opened."""
        return [each.bits_per_second for each in self.factory.made]

    def encode(self, *estimates: int, at: float = 0.0, key: bool = False) -> EncodedFrame:
        (encoded,) = self.fitting.encode(picture(7), at, key, estimates)
        return encoded

    def begin(self, *estimates: int) -> FakeEncoder:
        """Encode a first picture, with an encoder that cannot change its rate from then on."""
        self.encode(*estimates)
        (encoder,) = self.factory.made
        encoder.flexible = False
        return encoder


def estimate(bits_per_second: int) -> int:
    """Of a network that carries just this many bits of pictures."""
    return math.ceil(bits_per_second / HEADROOM)


# --- what is encoded ---


def test_a_picture_is_encoded_as_it_came() -> None:
    room = Room()
    encoded = room.encode(at=2.0)
    assert (encoded.index, encoded.width, encoded.height) == (7, 32, 16)
    assert (encoded.timestamp, encoded.key) == (180_000, True)
    assert not room.encode(at=3.0).key
    assert room.encode(at=4.0, key=True).key


def test_two_pictures_of_one_time_or_of_an_earlier_one_follow_each_other_by_a_tick() -> None:
    room = Room()
    times = (0.0, 0.0, 1.0, 1.0, 0.5, 2.0)
    stamps = [room.encode(at=at).timestamp for at in times]
    assert stamps == [0, 1, 90_000, 90_001, 90_002, 180_000]


# --- what is opened ---


def test_nothing_is_opened_before_it_is_needed() -> None:
    room = Room()
    assert (room.opened, room.fitting.bits_per_second) == ([], 0)
    room.fitting.close()
    room.encode()
    assert (room.rates, room.fitting.bits_per_second) == ([WANTED], WANTED)


def test_an_encoder_is_opened_for_its_network_and_knows_what_it_is_to_have_on_a_better_one() -> None:
    settings = EncoderSettings(bitrate=WANTED, keyframe_interval=5.0)
    room = Room(settings)
    room.encode(estimate(500_000))
    (encoder,) = room.opened
    assert (encoder.codec, encoder.width, encoder.height) == (VideoCodec.VP8, 32, 16)
    assert (encoder.bits_per_second, encoder.settings) == (500_000, settings)


def test_where_nobody_set_a_rate_the_size_of_the_picture_does() -> None:
    room = Room(EncoderSettings())
    room.fitting.encode(picture(0, 720, 1280), 0.0, False, ())
    (encoder,) = room.opened
    suits = default_bitrate(1280, 720, VideoCodec.VP8)
    assert (encoder.width, encoder.height, encoder.bits_per_second) == (1280, 720, suits)
    assert encoder.settings == replace(EncoderSettings(), bitrate=suits)


@pytest.mark.parametrize("size", [(32, 32), (16, 16)])
def test_a_picture_of_another_height_or_width_gets_another_encoder(size: tuple[int, int]) -> None:
    room = Room()
    room.encode()
    height, width = size
    room.fitting.encode(picture(8, height, width), 1.0, False, ())
    before, after = room.opened
    assert (before.closed, after.closed) == (True, False)
    assert (after.height, after.width) == size


def test_one_that_was_closed_is_followed_by_another() -> None:
    room = Room()
    room.encode()
    room.fitting.close()
    room.fitting.close()
    room.encode(at=1.0)
    assert [each.closed for each in room.opened] == [True, False]


# --- the network changes ---


def test_an_encoder_that_can_follow_is_told_the_rate_and_stays_open() -> None:
    room = Room()
    room.encode()
    for carried in (1_900_000, 300_000):
        room.encode(estimate(carried))
        assert (room.rates, room.fitting.bits_per_second) == ([carried], carried)
    assert not room.opened[0].closed


@pytest.mark.parametrize(
    ("begins", "carried", "passed", "reopened"),
    [
        (WANTED, WANTED * 0.8, 1.0, False),
        (WANTED, WANTED * 0.7, 1.0, True),
        (WANTED / 4, WANTED / 2, REOPEN_INTERVAL_S * 0.9, False),
        (WANTED / 4, WANTED / 2, REOPEN_INTERVAL_S, True),
        (WANTED / 2, WANTED * 0.6, SETTLED_S * 0.9, False),
        (WANTED / 2, WANTED * 0.6, SETTLED_S, True),
    ],
)
def test_one_that_cannot_follow_is_opened_again_where_that_is_worth_a_keyframe(
    begins: float, carried: float, passed: float, reopened: bool
) -> None:
    room = Room()
    encoder = room.begin(estimate(int(begins)))
    room.clock.advance(passed)
    encoded = room.encode(estimate(int(carried)), at=passed)
    assert (encoder.closed, encoded.key) == (reopened, reopened)
    assert room.rates == [begins, carried][: 1 + reopened]
    assert room.fitting.bits_per_second == (carried if reopened else begins)


def test_how_long_it_stood_counts_from_its_own_opening() -> None:
    room = Room()
    room.begin(estimate(400_000))
    room.clock.advance(SETTLED_S)
    room.encode(estimate(800_000))
    room.opened[1].flexible = False
    room.clock.advance(REOPEN_INTERVAL_S * 0.9)
    room.encode(estimate(1_600_000))
    assert room.rates == [400_000, 800_000]


# --- what cannot be opened ---


def refused(error: Exception) -> EngineError:
    def refuse(*_: Any) -> FakeEncoder:
        raise error

    fitting = FittingEncoder(VideoCodec.H264, EncoderSettings(), refuse, VirtualClock())
    with pytest.raises(EngineError) as caught:
        fitting.encode(picture(0), 0.0, False, ())
    assert fitting.bits_per_second == 0
    return caught.value


def test_an_encoder_that_cannot_be_opened_is_told_with_what_was_asked() -> None:
    cause = ValueError("no such size")
    told = refused(cause)
    assert str(told) == "No H264 encoder for 32x16: no such size"
    assert told.__cause__ is cause


def test_an_error_that_says_so_itself_is_passed_on() -> None:
    own = EngineError("too wide")
    assert refused(own) is own


# --- what is opened ahead ---


def test_the_first_picture_takes_what_was_opened_ahead() -> None:
    room = Room()
    room.fitting.prepare(32, 16)
    until(lambda: len(room.opened) == 1)
    assert room.encode().key
    room.encode()
    assert (room.rates, room.fitting.bits_per_second) == ([WANTED], WANTED)


def test_a_picture_that_comes_while_it_is_opened_waits_for_it() -> None:
    room = Room()
    room.factory.opening.clear()
    room.fitting.prepare(32, 16)
    encoding = threading.Thread(target=room.encode)
    encoding.start()
    assert not room.opened
    room.factory.opening.set()
    encoding.join(10)
    assert len(room.opened) == 1


def test_another_size_than_was_thought_gets_an_encoder_of_its_own() -> None:
    room = Room()
    room.fitting.prepare(64, 64)
    assert (room.encode().width, len(room.opened)) == (32, 2)
    assert [each.closed for each in room.opened] == [True, False]


def test_what_the_network_carries_is_told_to_what_was_opened_ahead() -> None:
    room = Room()
    room.fitting.prepare(32, 16)
    room.encode(estimate(WANTED * 9 // 10))
    assert (len(room.opened), room.fitting.bits_per_second) == (1, WANTED * 9 // 10)
    assert room.rates == [WANTED * 9 // 10]


def test_one_that_cannot_follow_the_network_is_not_used() -> None:
    """The first picture is made for its network, however little that is away from what was thought."""
    room = Room()
    room.fitting.prepare(32, 16)
    until(lambda: len(room.opened) == 1)
    room.opened[0].flexible = False
    room.encode(estimate(WANTED * 9 // 10))
    assert room.rates == [WANTED, WANTED * 9 // 10]
    assert [each.closed for each in room.opened] == [True, False]


def test_what_cannot_be_opened_ahead_is_told_when_it_is_needed() -> None:
    room = Room()
    room.fitting.prepare(9000, 16)
    assert room.encode().key
    assert room.rates == [WANTED]


def test_what_nobody_takes_is_closed() -> None:
    room = Room()
    room.fitting.prepare(32, 16)
    room.fitting.close()
    room.fitting.close()
    assert [each.closed for each in room.opened] == [True]


def test_opening_leaves_the_interpreter_to_others_until_it_is_needed() -> None:
    factory = Factory()
    ahead = OpenedAhead(lambda: factory(VideoCodec.VP8, 32, 16, WANTED), WANTED, breath=60)
    assert factory.made == []
    assert ahead.take() is factory.made[0]


def test_what_is_open_too_late_is_closed() -> None:
    factory = Factory()
    factory.opening.clear()
    ahead = OpenedAhead(lambda: factory(VideoCodec.VP8, 32, 16, WANTED), WANTED, within=0.01)
    assert ahead.take() is None
    factory.opening.set()
    until(lambda: bool(factory.made) and factory.made[0].closed)
    assert ahead.take() is None
