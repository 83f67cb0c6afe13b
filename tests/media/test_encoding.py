from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from reactor_runtime.media.audience import FrameSink
from reactor_runtime.media.backlog import COSTS_LEAST, OVERLOAD_S, QUEUE_FRAMES, STALE_S
from reactor_runtime.media.bitrate import HEADROOM, default_bitrate
from reactor_runtime.media.encoders import EncodedFrame, EncoderSettings, VideoCodec
from reactor_runtime.media.encoding import IDLE_REPEAT_S, Encoding
from reactor_runtime.media.keyframes import REQUEST_INTERVAL_S
from reactor_runtime.media.rgb import Pools, RgbFrame
from reactor_runtime.testing import VirtualClock

from .fakes import Factory, Sink, picture, until


@contextmanager
def encoding(**more: Any) -> Iterator[tuple[Encoding, Factory]]:
    factory = Factory()
    made = Encoding("main", VideoCodec.VP8, factory=factory, **more)
    try:
        yield made, factory
    finally:
        factory.gate.set()
        made.close()


def feed(made: Encoding, first: int, count: int, **size: Any) -> None:
    for index in range(first, first + count):
        made.push(picture(index, **size), made.clock.time())
        until(made.ready)
    assert made.drain(5.0)


def hold(made: Encoding, factory: Factory, first: int, waiting: int = 0) -> float:
    """The encoder stands at its gate with picture `first`, `waiting` more behind it; gives since when."""
    factory.gate.clear()
    now = made.clock.time()
    made.push(picture(first), now)
    until(lambda: made._busy and not made.frames_waiting)
    for index in range(first + 1, first + 1 + waiting):
        made.push(picture(index), made.clock.time())
    return now


def test_every_picture_reaches_every_sink_and_is_encoded_once() -> None:
    with encoding() as (made, _):
        sinks = [Sink() for _ in range(5)]
        for sink in sinks:
            made.add(sink)
        feed(made, 0, 10)

        assert [sink.indexes for sink in sinks] == [list(range(10))] * 5
        assert made.counters.encoded == 10
        assert sinks[0].frames[3] is sinks[4].frames[3]


def test_timestamps_rise_strictly() -> None:
    with encoding() as (made, _):
        sink = Sink()
        made.add(sink)
        for index in range(8):
            made.push(picture(index), at=100.0)
            assert made.drain(5.0)

        stamps = [frame.timestamp for frame in sink.frames]
        assert stamps == sorted(set(stamps))
        assert stamps[0] == 100 * 90_000


def test_a_late_sink_begins_with_a_keyframe() -> None:
    with encoding() as (made, _):
        made.add(Sink())
        feed(made, 0, 5)
        late = Sink()
        made.add(late)
        feed(made, 5, 5)

        assert late.frames[0].key
        assert late.indexes == list(range(5, 10))


def test_a_late_sink_sees_nothing_of_the_picture_that_is_being_encoded() -> None:
    with encoding() as (made, factory):
        made.add(Sink())
        feed(made, 0, 2)
        hold(made, factory, 2)
        late = Sink()
        made.add(late)
        factory.gate.set()
        feed(made, 3, 3)

        assert late.frames[0].key
        assert late.indexes == [3, 4, 5]


def test_a_late_sink_sees_the_last_picture_when_the_model_is_silent() -> None:
    with encoding() as (made, _):
        made.add(Sink())
        feed(made, 0, 3)
        late = Sink()
        made.add(late)

        until(lambda: len(late.frames) == 1, within=IDLE_REPEAT_S + 2)
        assert late.frames[0].key
        assert late.indexes == [2]


def test_a_frame_says_how_long_it_waited_for_the_encoder() -> None:
    clock = VirtualClock()
    with encoding(clock=clock) as (made, factory):
        sink = Sink()
        made.add(sink)
        hold(made, factory, 0)
        waiting = picture(1)
        waiting.emitted = clock.time()
        clock.advance(0.02)  # in the playout
        made.push(waiting, clock.time())
        clock.advance(0.03)  # in front of the encoder
        factory.gate.set()
        assert made.drain(5.0)

        assert sink.frames[1].queue_s == pytest.approx(0.05)
        made.request_keyframe()
        until(lambda: (clock.advance(IDLE_REPEAT_S), len(sink.frames) == 3)[1])
        assert (sink.frames[2].index, sink.frames[2].queue_s) == (1, 0.0)  # a repetition waited for nothing


def test_nothing_is_repeated_when_nobody_asks() -> None:
    clock = VirtualClock()
    with encoding(clock=clock) as (made, _):
        sink = Sink()
        made.add(sink)
        feed(made, 0, 2)
        clock.advance(IDLE_REPEAT_S * 20)
        feed(made, 2, 1)

        assert sink.indexes == [0, 1, 2]


def test_keyframes_on_request_are_throttled() -> None:
    clock = VirtualClock()
    with encoding(clock=clock) as (made, _):
        sink = Sink()
        made.add(sink)
        for index in range(25):
            made.request_keyframe()
            feed(made, index, 1)
            clock.advance(REQUEST_INTERVAL_S / 8)

        assert [frame.index for frame in sink.frames if frame.key] == [0, 8, 16, 24]


def test_a_newcomer_is_not_held_up_by_the_throttle() -> None:
    with encoding() as (made, _):
        made.add(Sink())
        feed(made, 0, 1)
        late = Sink()
        made.add(late)
        feed(made, 1, 1)

        assert late.frames[0].key


def test_a_sink_that_raises_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    with encoding() as (made, _):
        broken, fine = Sink(fail=True), Sink()
        made.add(broken)
        made.add(fine)
        feed(made, 0, 3)

        assert fine.indexes == [0, 1, 2]
    assert "the others go on" in caplog.text


def test_a_sink_that_left_gets_nothing_more() -> None:
    with encoding() as (made, _):
        stays, leaves = Sink(), Sink()
        made.add(stays)
        made.add(leaves)
        feed(made, 0, 2)
        made.remove(leaves)
        feed(made, 2, 2)

        assert stays.indexes == [0, 1, 2, 3]
        assert leaves.indexes == [0, 1]


def test_sinks_come_and_go_while_frames_go_out() -> None:
    class Leaver(Sink):
        def push(self, frame: EncodedFrame) -> None:
            super().push(frame)
            made.remove(self)
            made.add(Leaver())

    with encoding(clock=VirtualClock()) as (made, _):  # no picture is shown again because time passes
        witness = Sink()
        for sink in (Leaver(), witness, Leaver()):
            made.add(sink)
        feed(made, 0, 20)

        assert witness.indexes == list(range(20))
        assert made.counters.failed == 0


def test_adding_a_sink_twice_sends_once() -> None:
    with encoding() as (made, _):
        sink = Sink()
        made.add(sink)
        made.add(sink)
        feed(made, 0, 1)

        assert sink.indexes == [0]


def test_queue_frames() -> None:
    with encoding() as (made, factory):
        sink = Sink()
        made.add(sink)
        hold(made, factory, 0, waiting=QUEUE_FRAMES + 3)

        assert made.counters.dropped == 3
        assert not made.ready()
        factory.gate.set()
        assert made.drain(5.0)
        assert sink.indexes[-1] == QUEUE_FRAMES + 3
        assert made.counters.dropped + made.counters.encoded == QUEUE_FRAMES + 4


def test_a_stale_picture_is_skipped_when_a_newer_one_is_there() -> None:
    with encoding() as (made, factory):
        sink = Sink()
        made.add(sink)
        now = hold(made, factory, 0)
        made.push(picture(1), now - 1.0)
        made.push(picture(2), now)
        factory.gate.set()
        assert made.drain(5.0)

        assert sink.indexes == [0, 2]
        assert made.counters.dropped == 1


def test_another_size_opens_another_encoder_and_begins_with_a_keyframe() -> None:
    with encoding() as (made, factory):
        sink = Sink()
        made.add(sink)
        feed(made, 0, 2)
        feed(made, 2, 2, height=32, width=64)

        assert [(e.width, e.height) for e in factory.made] == [(32, 16), (64, 32)]
        assert factory.made[0].closed
        assert [frame.key for frame in sink.frames] == [True, False, True, False]


def test_an_encoder_that_fails_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    with encoding() as (made, factory):
        sink = Sink()
        made.add(sink)
        factory.failing = True
        feed(made, 0, 1)
        factory.failing = False
        feed(made, 1, 1)

        assert made.counters.failed == 1
        assert sink.indexes == [1]
        assert sink.frames[0].key
        assert factory.made[0].closed
    assert "could not be encoded" in caplog.text


def test_a_size_that_no_encoder_takes_is_logged_and_the_next_one_tried() -> None:
    with encoding() as (made, _):
        sink = Sink()
        made.add(sink)
        feed(made, 0, 1, width=5000)
        feed(made, 1, 1)

        assert made.counters.failed == 1
        assert sink.indexes == [1]


def test_the_network_of_the_sinks_sets_the_rate() -> None:
    with encoding(settings=EncoderSettings(bitrate=2_000_000)) as (made, factory):
        sink = Sink()
        made.add(sink)
        feed(made, 0, 1)
        assert factory.made[0].bits_per_second == 2_000_000
        made.set_estimate(sink, 1_000_000)
        feed(made, 1, 1)
        assert factory.made[0].bits_per_second == 900_000
        made.remove(sink)
        feed(made, 2, 1)

        assert factory.made[0].bits_per_second == 2_000_000
        assert len(factory.made) == 1


def test_an_estimate_of_somebody_who_left_counts_no_more() -> None:
    with encoding(settings=EncoderSettings(bitrate=2_000_000)) as (made, factory):
        made.set_estimate(Sink(), 100_000)
        made.add(Sink())
        feed(made, 0, 1)

        assert factory.made[0].bits_per_second == 2_000_000


def test_an_encoder_that_cannot_follow_is_opened_again_only_where_it_pays() -> None:
    with encoding(settings=EncoderSettings(bitrate=2_000_000)) as (made, factory):
        sink = Sink()
        made.add(sink)
        feed(made, 0, 1)
        factory.made[0].flexible = False
        made.set_estimate(sink, 2_000_000)
        feed(made, 1, 1)
        assert len(factory.made) == 1
        made.set_estimate(sink, 1_000_000)
        feed(made, 2, 1)

        assert len(factory.made) == 2
        assert factory.made[1].bits_per_second == 900_000


def test_a_first_estimate_that_was_too_low_does_not_stay() -> None:
    """libwebrtc begins with a guess, which is a little below what 720p is to have."""
    sink = Sink()
    made = Encoding("main", VideoCodec.H264)
    made.add(sink, 5_600_000)
    made.push(picture(0, 720, 1280), time.monotonic())
    assert made.drain(20)
    assert made.target_bitrate == int(5_600_000 * HEADROOM)
    made.set_estimate(sink, 20_000_000)
    made.push(picture(1, 720, 1280), time.monotonic())
    assert made.drain(20)
    assert made.target_bitrate == default_bitrate(1280, 720, VideoCodec.H264)
    assert [frame.key for frame in sink.frames] == [True, False]
    made.close()


def test_closing_lets_go_of_every_frame() -> None:
    with encoding() as (made, factory):
        made.add(Sink())
        factory.gate.clear()
        batch = [picture(index) for index in range(QUEUE_FRAMES)]
        died = [weakref.ref(frame) for frame in batch]
        for frame in batch:
            made.push(frame, time.monotonic())
        del batch, frame
        factory.gate.set()
        made.close()
        made.push(picture(99), time.monotonic())
        gc.collect()

        assert all(ref() is None for ref in died)
        assert not made.frames_waiting


def test_closing_from_a_sink_does_not_hang() -> None:
    done = threading.Event()

    class Closer(Sink):
        def push(self, frame: EncodedFrame) -> None:
            made.close()
            done.set()

    with encoding() as (made, _):
        made.add(Closer())
        made.push(picture(0), time.monotonic())
        assert done.wait(5)


def test_many_openings_and_closings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    for _ in range(50):
        with encoding() as (made, _):
            made.add(Sink())
            made.push(picture(0), time.monotonic())
    assert not caplog.records


def test_a_keyframe_interval_is_kept_without_anybody_asking() -> None:
    clock = VirtualClock()
    with encoding(settings=EncoderSettings(keyframe_interval=1.0), clock=clock) as (made, _):
        sink = Sink()
        made.add(sink)
        for index in range(9):
            feed(made, index, 1)
            clock.advance(0.25)
        assert [frame.index for frame in sink.frames if frame.key] == [0, 4, 8]


def test_the_bitrate_of_the_track_is_what_the_encoder_is_opened_with() -> None:
    with encoding(settings=EncoderSettings(bitrate=777_000)) as (made, factory):
        made.add(Sink())
        made.push(picture(0), time.monotonic())
        until(lambda: factory.made)
        assert factory.made[0].bits_per_second == 777_000


def test_flushing_drops_what_waits_but_not_what_the_encoder_has() -> None:
    with encoding() as (made, factory):
        sink = Sink()
        made.add(sink)
        feed(made, 0, 1)
        hold(made, factory, 1, waiting=2)
        assert made.flush() == 2
        factory.gate.set()
        feed(made, 4, 1)

        assert sink.indexes == [0, 1, 4]
        assert made.counters.flushed == 2
        assert made.counters.dropped == 0


def test_an_encoder_that_cannot_keep_up_takes_the_newest(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    with encoding(clock=clock) as (made, factory):
        sink = Sink()
        made.add(sink)
        feed(made, 0, 1)
        hold(made, factory, 1, waiting=2)
        assert not made.ready()
        clock.advance(OVERLOAD_S * 1.01)
        assert made.ready()
        factory.gate.set()
        assert made.drain(5.0)

        assert sink.indexes == [0, 1, 3]
        assert made.counters.dropped == 1
        assert sum("does not follow" in said for said in caplog.messages) == 1

        # It has caught up: nothing is skipped any more.
        until(lambda: made._backlog._behind_since is None)
        made.push(picture(4), clock.time())
        made.push(picture(5), clock.time())
        assert made.drain(5.0)
        assert sink.indexes[-2:] == [4, 5]


def test_a_short_hitch_of_the_encoder_loses_nothing() -> None:
    with encoding() as (made, factory):
        sink = Sink()
        made.add(sink)
        feed(made, 0, 1)
        hold(made, factory, 1, waiting=1)
        factory.gate.set()
        assert made.drain(5.0)

        assert sink.indexes == [0, 1, 2]


def test_what_cannot_be_encoded_in_time_is_not_begun() -> None:
    clock = VirtualClock()
    with encoding(clock=clock) as (made, factory):
        sink, pools = Sink(), Pools()
        made.add(sink)
        for index in range(COSTS_LEAST):
            hold(made, factory, index)
            clock.advance(STALE_S * 1.2)
            factory.gate.set()
            assert made.drain(5.0)

        now = hold(made, factory, COSTS_LEAST)
        late, newest = (
            RgbFrame(np.zeros((16, 32, 3), np.uint8), pools, COSTS_LEAST + more) for more in (1, 2)
        )
        made.push(late, now)
        made.push(newest, now)
        factory.gate.set()
        assert made.drain(5.0)

        assert sink.indexes == [*range(COSTS_LEAST + 1), newest.index]
        assert made.counters.dropped == 1
        # Nor was it converted.
        assert isinstance(late._held, np.ndarray)
        assert not isinstance(newest._held, np.ndarray)


def test_keyframes_repeat_while_a_sink_loses_and_does_not_ask() -> None:
    clock = VirtualClock()
    with encoding(clock=clock) as (made, _):
        loser, other = Sink(), Sink()
        made.add(loser)
        made.add(other)

        def play(first: int, seconds: float) -> list[int]:
            for index in range(first, first + int(seconds * 2)):
                feed(made, index, 1)
                clock.advance(0.5)
            return [frame.index for frame in other.frames if frame.key and frame.index >= first]

        assert play(0, 10.0) == [0]
        made.repeat_keyframes(loser, True)
        # The last one was long ago, so the picture that is there comes again; then every four seconds.
        until(lambda: other.frames[-1].key)
        assert other.indexes[-2:] == [19, 19]
        # At its time the picture that is there comes again, or the next is one, if that is faster.
        keys = play(20, 12.5)
        assert [due - key in (0, 1) for key, due in zip(keys, (28, 36, 44), strict=True)] == [True] * 3, keys
        made.repeat_keyframes(loser, False)
        assert play(45, 10.0) == []
        made.repeat_keyframes(loser, True)
        made.remove(loser)
        assert play(65, 10.0) == []


def test_a_sink_that_has_gone_repeats_nothing() -> None:
    with encoding() as (made, _):
        made.repeat_keyframes(Sink(), True)
        assert not made._keyframes.repeat


def test_who_is_a_newcomer_is_settled_under_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """They come and go on other threads while a keyframe goes out."""
    free: list[bool] = []
    with encoding() as (made, _), ThreadPoolExecutor(1) as somebody:
        receivers = made._audience.receivers

        def try_the_lock() -> bool:
            gained = made._changed.acquire(blocking=False)
            if gained:
                made._changed.release()
            return gained

        def watched(key: bool) -> tuple[FrameSink, ...]:
            free.append(somebody.submit(try_the_lock).result())
            return receivers(key)

        monkeypatch.setattr(made._audience, "receivers", watched)
        made.add(Sink())
        feed(made, 0, 3)
        assert somebody.submit(try_the_lock).result(), "nobody holds it now"
    assert free == [False] * 3
