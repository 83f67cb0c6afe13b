from __future__ import annotations

import math
import sys
import threading
from types import SimpleNamespace

import pytest

from reactor_runtime.authoring import profiler as module
from reactor_runtime.authoring.profiler import BucketPreset, CudaTimingMode, Profiler
from reactor_runtime.errors import ProfilerError


class Clock:
    """In place of the module's `time`: seconds pass only where a test says so."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def test_sections_nest_by_thread(clock):
    profiler = Profiler()

    def elsewhere():
        with profiler.section("alone"):
            pass

    with profiler.section("step") as outer:
        with profiler.section("denoise"), profiler.section("attention"):
            clock.sleep(0.5)
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        clock.sleep(1.5)
    assert set(profiler.summary()) == {"step", "step/denoise", "step/denoise/attention", "alone"}
    assert outer.elapsed_ms == 2_000
    totals = {key: entry.total_ms for key, entry in profiler.summary().items()}
    assert totals == {"step": 2_000, "step/denoise": 500, "step/denoise/attention": 500, "alone": 0}


def test_a_section_that_raises_is_counted_and_left():
    profiler = Profiler()
    with pytest.raises(KeyError), profiler.section("a"):
        raise KeyError
    with profiler.section("b"):
        pass
    assert set(profiler.summary()) == {"a", "b"}


def test_percentiles_are_close_in_bounded_memory():
    profiler = Profiler()
    for milliseconds in range(1, 1001):
        profiler._add("work", float(milliseconds), BucketPreset.FAST.value)
    summary = profiler.summary()["work"]
    assert (summary.count, summary.min_ms, summary.max_ms, summary.mean_ms) == (1000, 1, 1000, 500.5)
    for percentile, truth in ((summary.p50_ms, 500), (summary.p90_ms, 900), (summary.p99_ms, 990)):
        assert truth <= percentile <= truth * 1.1
    assert list(summary.buckets.values())[:3] == [5, 5, 6]
    assert sum(summary.buckets.values()) == 1000
    for extreme in (0.0, 1e12):
        profiler._add("extreme", extreme, ())
    assert profiler.summary()["extreme"].max_ms == 1e12


def test_the_number_of_keys_is_bounded():
    profiler = Profiler()
    for number in range(module.MAX_KEYS + 50):
        with profiler.section(f"user {number}"):
            pass
    summary = profiler.summary()
    assert len(summary) == module.MAX_KEYS + 1
    assert summary[module.OVERFLOW_KEY].count == 50


def test_timers(clock):
    profiler = Profiler()
    profiler.timer("first frame", [10, 1]).start()
    with pytest.raises(ProfilerError, match="is running already"):
        profiler.timer("first frame").start()
    clock.sleep(0.005)
    assert profiler.timer("first frame").stop() == pytest.approx(5)
    with pytest.raises(RuntimeError, match="is not running"):
        profiler.timer("first frame").stop()
    assert profiler.summary()["first frame"].buckets == {1: 0, 10: 1, math.inf: 0}


def test_too_many_timers():
    profiler = Profiler()
    for number in range(module.MAX_KEYS):
        profiler.timer(str(number))
    with pytest.raises(ProfilerError, match="fixed keys"):
        profiler.timer("one more")


class FakeEvent:
    done = True

    def __init__(self, enable_timing):
        assert enable_timing

    def record(self): ...

    def query(self):
        return self.done

    def elapsed_time(self, end):
        return 7.0


def fake_torch(monkeypatch, available=True):
    calls = []
    cuda = SimpleNamespace(
        is_available=lambda: available, synchronize=lambda: calls.append("sync"), Event=FakeEvent
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    return calls


def test_cuda_modes(monkeypatch):
    calls = fake_torch(monkeypatch)
    profiler = Profiler()
    with profiler.section("gpu", CudaTimingMode.SYNC):
        pass
    assert calls == ["sync", "sync"]
    monkeypatch.setattr(FakeEvent, "done", False)
    for _ in range(module.MAX_PENDING_CUDA_EVENTS * 2):
        with profiler.section("event", CudaTimingMode.EVENT):
            pass
    assert "event" not in profiler.summary()
    monkeypatch.setattr(FakeEvent, "done", True)
    assert profiler.summary()["event"].count == module.MAX_PENDING_CUDA_EVENTS
    assert profiler.summary()["event"].mean_ms == 7


@pytest.mark.parametrize("mode", list(CudaTimingMode))
def test_without_cuda_every_mode_works(monkeypatch, mode):
    fake_torch(monkeypatch, available=False)
    profiler = Profiler()
    with profiler.section("cpu", mode):
        pass
    assert profiler.summary()["cpu"].count == 1
