from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from reactor_runtime.media.buckets import WINDOW_S
from reactor_runtime.media.playout import ENDING_LIMIT, Playout
from reactor_runtime.media.rgb import Frame
from reactor_runtime.media.sync import Picture
from reactor_runtime.testing import VirtualClock

from .fakes import held_back, picture, quickest, until


@contextmanager
def playing(tracks: tuple[str, ...] = ("main",), rate: float = 0.0, **more: Any) -> Iterator[tuple[Any, Any]]:
    seen: list[tuple[Picture, float]] = []
    playout = Playout(tracks, rate, more.pop("deliver", lambda p, at: seen.append((p, at))), **more)
    try:
        yield playout, seen
    finally:
        playout.close()


def indexes(seen: list[tuple[Picture, float]], track: str = "main") -> list[int]:
    return [p[track].index for p, _ in seen if track in p]


@contextmanager
def moving(clock: VirtualClock) -> Iterator[None]:
    """Whenever somebody waits for the clock, time goes on: a minute passes in milliseconds."""
    over = threading.Event()

    def move() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                clock.until_waiting(1, within=0.01)
                clock.advance(0.005)

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def frames(first: int, count: int) -> list[Frame]:
    return [picture(first + i) for i in range(count)]


@pytest.mark.parametrize("count", [1, 10, 33])
def test_batches_pass_whole_and_in_order(count: int) -> None:
    with playing() as (playout, seen):
        for step in range(2):
            playout.submit("main", frames(step * count, count))
        assert playout.drain(5.0)

    assert indexes(seen) == list(range(2 * count))
    assert playout.counters.pictures == 2 * count
    assert playout.counters.dropped == 0


def test_the_first_frame_leaves_at_once() -> None:
    def waited() -> float:
        with playing(rate=1) as (playout, seen):
            began = time.monotonic()
            playout.submit("main", frames(0, 1))
            until(lambda: len(seen) == 1)
        return seen[0][1] - began

    assert quickest(waited) < 0.1


def test_a_fast_model_is_held_back_to_a_fixed_rate() -> None:
    clock = VirtualClock()
    with playing(rate=50, clock=clock) as (playout, seen), moving(clock):
        for index in range(26):
            playout.submit("main", frames(index, 1))
        held = clock.now

    assert held >= 23 / 50
    assert playout.counters.dropped == len(range(26)) - len(seen)


def test_the_wait_for_the_client_is_not_the_time_of_the_first_batch() -> None:
    with playing() as (playout, seen):
        playout._resumed -= 60.0
        playout.begin()
        playout.submit("main", frames(0, 10))
        until(lambda: len(seen) == 10)


def test_the_tail_of_a_slow_batch_is_delivered_within_the_limit() -> None:
    with playing() as (playout, seen):
        playout._resumed -= 60.0
        playout.submit("main", frames(0, 8))

        assert playout.drain(2.0)

    assert indexes(seen) == list(range(8))


def test_draining_gives_up_after_its_limit() -> None:
    release = threading.Event()
    with playing(deliver=lambda p, at: p["main"].index and release.wait(5)) as (playout, _):
        playout.submit("main", frames(0, 2))

        assert not playout.drain(0.1)
        release.set()


def test_closing_wakes_a_blocked_producer_within_100_ms() -> None:
    def blocked() -> float:
        clock = VirtualClock()
        with playing(rate=1, clock=clock) as (playout, _):
            returned = threading.Event()

            def produce() -> None:
                for index in range(5):
                    playout.submit("main", frames(index, 1))
                returned.set()

            threading.Thread(target=produce, daemon=True).start()
            clock.until_waiting(2)  # it, and the playout
            assert not returned.is_set()
            began = time.monotonic()
            playout.close()

            assert returned.wait(5)
            return time.monotonic() - began

    assert quickest(blocked) < 0.1


def test_releasing_wakes_a_blocked_producer_and_keeps_its_frames() -> None:
    clock = VirtualClock()
    with playing(rate=5, clock=clock) as (playout, seen):
        producer = threading.Thread(
            target=lambda: [playout.submit("main", frames(i, 1)) for i in range(10)], daemon=True
        )
        producer.start()
        clock.until_waiting(2)  # it, and the playout
        playout.release()
        producer.join(5)  # still held back, it would wait for ever: nobody moves the clock

        assert not producer.is_alive()
        with moving(clock):
            assert playout.drain(600.0)

    assert indexes(seen) == list(range(10))


def test_ending_limit() -> None:
    with playing(rate=1) as (playout, seen):
        playout.release()
        for index in range(ENDING_LIMIT + 40):
            playout.submit("main", frames(index, 1))
        until(lambda: len(seen) == 1)

        assert playout.counters.dropped >= 38
        playout.close()

    assert playout.counters.dropped + len(seen) == ENDING_LIMIT + 40


def test_stopping_during_a_full_queue_never_hangs() -> None:
    for round_ in range(100):
        playout = Playout(("main",), 1000 if round_ % 2 else 1, lambda p, at: None)
        stop = threading.Event()

        def produce(playout: Playout = playout, stop: threading.Event = stop) -> None:
            while not stop.is_set():
                playout.submit("main", frames(0, 3))

        producer = threading.Thread(target=produce, daemon=True)
        producer.start()
        time.sleep(0.001 * (round_ % 4))
        stop.set()
        playout.close()
        producer.join(5)
        assert not producer.is_alive()


@pytest.mark.parametrize("tracks", [("main",), ("main", "other")])
def test_a_closed_playout_lets_go_of_its_frames(tracks: tuple[str, ...]) -> None:
    with playing(tracks, rate=1) as (playout, _):
        batch = frames(0, 5)
        died = [weakref.ref(frame) for frame in batch]
        playout.submit("main", batch)
        del batch
        playout.close()
        gc.collect()

        # One may have been delivered: `seen` has it.
        assert sum(ref() is not None for ref in died) <= 1
        playout.submit("main", frames(5, 5))
        assert playout.counters.dropped >= 9


def test_frames_of_one_step_are_delivered_together() -> None:
    with playing(("left", "right")) as (playout, seen):
        for index in range(3):
            playout.submit("left", frames(index, 1))
            playout.submit("right", frames(index, 1))
        assert playout.drain(5.0)

    assert [set(p) for p, _ in seen] == [{"left", "right"}] * 3


def test_a_track_with_a_shorter_batch_joins_the_first_pictures() -> None:
    with playing(("left", "right")) as (playout, seen):
        playout.submit("left", frames(0, 3))
        playout.submit("right", frames(0, 1))
        assert playout.drain(5.0)

    assert [set(p) for p, _ in seen] == [{"left", "right"}, {"left"}, {"left"}]


def test_a_missing_track_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    with playing(("left", "right")) as (playout, seen), caplog.at_level(logging.WARNING):
        playout.submit("left", frames(0, 1))
        until(lambda: len(seen) == 1, within=WINDOW_S + 2)
        playout.submit("left", frames(1, 1))
        until(lambda: len(seen) == 2)

    assert [record.getMessage() for record in caplog.records if "'right'" in record.getMessage()] != []
    assert len(caplog.records) == 1
    assert playout.counters.incomplete == 1


def test_an_incomplete_step_is_delivered_at_the_end() -> None:
    with playing(("left", "right")) as (playout, seen):
        playout.submit("left", frames(0, 1))
        assert playout.drain(5.0)

    assert indexes(seen, "left") == [0]


def test_a_busy_encoder_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    ready, asked = threading.Event(), threading.Event()

    def is_ready() -> bool:
        asked.set()
        return ready.is_set()

    with playing(ready=is_ready) as (playout, seen):
        playout.submit("main", frames(0, 1))
        assert asked.wait(5)
        assert seen == []
        ready.set()
        until(lambda: len(seen) == 1)


def test_a_picture_that_cannot_be_delivered_does_not_end_the_playout(
    caplog: pytest.LogCaptureFixture,
) -> None:
    delivered: list[int] = []

    def deliver(p: Picture, at: float) -> None:
        if p["main"].index == 0:
            raise RuntimeError("no")
        delivered.append(p["main"].index)

    with playing(deliver=deliver) as (playout, _):
        playout.submit("main", frames(0, 3))
        assert playout.drain(5.0)

    assert delivered == [1, 2]
    assert "could not be handed" in caplog.text


def test_a_fast_model_is_held_until_its_next_step_is_due() -> None:
    with playing(rate=20) as (playout, seen):
        ages: list[float] = []
        for index in range(12):
            emitted = time.monotonic()
            playout.submit("main", frames(index, 1))
            until(lambda index=index: len(seen) > index)
            ages.append(seen[index][1] - emitted)

    # Waiting in front of the queue as well would make it two intervals.
    assert sorted(ages)[len(ages) // 2] < 1 / 20


class Together:
    """Company of which something may come after each picture."""

    def keeps_step(self) -> bool:
        return True

    def hold(self, picture: Picture, due_in: float) -> float:
        return 0.0

    def left(self, picture: Picture, at: float) -> float:
        return 0.0


def test_nobody_is_held_between_a_picture_and_its_sound() -> None:
    with playing(rate=2, company=Together()) as (playout, seen):
        playout.submit("main", frames(0, 1))
        until(lambda: len(seen) == 1)
        playout.submit("main", frames(1, 1))

        assert len(seen) == 1


def test_flushing_drops_what_waits_and_counts_it() -> None:
    with playing(rate=1) as (playout, seen):
        playout.submit("main", frames(0, 5))
        until(lambda: len(seen) == 1)

        assert playout.flush() == 4
        assert playout.counters.flushed == 4
        assert playout.counters.dropped == 0
        assert playout.drain(5.0)

    assert indexes(seen) == [0]


def test_flushing_cuts_an_incomplete_step() -> None:
    with playing(("left", "right")) as (playout, seen):
        playout.submit("left", frames(0, 2))
        assert playout.flush() == 2
        playout.submit("left", frames(2, 1))
        playout.submit("right", frames(0, 1))
        assert playout.drain(5.0)

    assert [(indexes([p], "left"), indexes([p], "right")) for p in seen] == [([2], [0])]


def test_flushing_cuts_the_batch_that_waits_for_room() -> None:
    with playing(rate=2) as (playout, seen):
        playout.submit("main", frames(0, 3))
        producer = held_back(lambda: playout.submit("main", frames(3, 3)))
        playout.flush()
        producer.join(2)

        assert not producer.is_alive()
        playout.submit("main", frames(6, 1))
        assert playout.drain(5.0)

    assert indexes(seen) == [0, 6]
    assert playout.counters.flushed == 5


def test_flushing_cuts_a_picture_between_queue_and_encoder() -> None:
    ready = threading.Event()
    with playing(ready=ready.is_set) as (playout, seen):
        playout.submit("main", frames(0, 1))
        until(lambda: playout._busy)
        playout.flush()
        ready.set()
        playout.submit("main", frames(1, 1))
        assert playout.drain(5.0)

    assert indexes(seen) == [1]
    assert playout.counters.flushed == 1


def test_after_flushing_nothing_old_is_delivered_whenever_it_happens() -> None:
    for round_ in range(100):
        delivered: list[int] = []
        with playing(deliver=lambda p, at, d=delivered: d.append(p["main"].index)) as (playout, _):
            playout.submit("main", frames(0, 4))
            time.sleep(0.0005 * (round_ % 7))
            gone = playout.flush()
            seen_before = len(delivered)
            playout.submit("main", frames(4, 1))
            assert playout.drain(5.0)
            assert delivered[seen_before:] == [4]
            assert playout.counters.flushed >= gone
            assert len(delivered) + playout.counters.flushed == 5


def test_what_is_due_is_handed_over_without_a_change_of_threads() -> None:
    threads: list[str] = []
    with playing(deliver=lambda p, at: threads.append(threading.current_thread().name)) as (playout, _):
        playout.submit("main", frames(0, 3))
        assert threads[0] == threading.current_thread().name
        assert playout.drain(5.0)

    assert threads[1:] == ["reactor-playout"] * 2


def test_what_a_busy_encoder_must_be_waited_for_does_not_hold_the_producer() -> None:
    ready = threading.Event()
    with playing(ready=ready.is_set) as (playout, seen):
        playout.submit("main", frames(0, 1))
        assert seen == []
        ready.set()
        until(lambda: len(seen) == 1)
