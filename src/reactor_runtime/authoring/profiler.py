"""Where the time of a model goes: sections and timers, aggregated while they run.

Every key costs one fixed histogram, and the number of keys is bounded, so that a profiler can stay on for
ever.
"""

from __future__ import annotations

import bisect
import math
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from reactor_runtime.errors import ProfilerError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

MAX_KEYS = 256
# Where the samples of further keys are counted together.
OVERFLOW_KEY = "(other)"
MAX_PENDING_CUDA_EVENTS = 1_024

# 8 steps to an octave: a percentile is within 9 % of the truth, from 1 µs to about 35 minutes.
_STEPS_PER_OCTAVE = 8
_SMALLEST_MS = 0.001
_STEPS = 31 * _STEPS_PER_OCTAVE


class CudaTimingMode(Enum):
    """How a section counts GPU work. Without CUDA all modes are `NONE`."""

    NONE = "none"
    EVENT = "event"  # CUDA events on the current stream; never waits
    SYNC = "sync"  # waits for the GPU on both ends: exact, and slow


class BucketPreset(Enum):
    """Upper bounds in milliseconds that suit a kind of work."""

    FAST = (5.0, 10.0, 16.0, 25.0, 33.0, 50.0, 100.0, 200.0)
    INFERENCE = (25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1_500.0, 3_000.0)
    TTFF = (500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 15_000.0)
    SLOW = (1_000.0, 5_000.0, 10_000.0, 20_000.0, 40_000.0, 60_000.0)


@dataclass(frozen=True)
class SectionSummary:
    """Times in milliseconds. `buckets` counts the samples up to each bound, the last one those above."""

    count: int
    total_ms: float
    mean_ms: float
    min_ms: float
    max_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    buckets: dict[float, int]


class Profiler:
    """Sections and timers of one session. May be used from any thread.

    ``with ctx.profiler().section("denoise"): ...`` nests by thread: a section inside it is ``denoise/step``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards samples, timers and pending events. Nothing else is taken meanwhile."""
        self._samples: dict[str, _Samples] = {}
        self._timers: dict[str, Timer] = {}
        self._paths = threading.local()
        self._pending: deque[tuple[str, Sequence[float], Any, Any]] = deque(maxlen=MAX_PENDING_CUDA_EVENTS)

    def section(
        self,
        key: str,
        cuda_timing: CudaTimingMode = CudaTimingMode.NONE,
        bucket_boundaries: Sequence[float] | BucketPreset | None = None,
    ) -> Section:
        """A context manager that times its body; afterwards its `elapsed_ms` says how long it took."""
        return Section(self, key, cuda_timing, _bounds(bucket_boundaries))

    def timer(self, key: str, bucket_boundaries: Sequence[float] | BucketPreset | None = None) -> Timer:
        """The timer `key`, the same object every time, to start in one place and stop in another."""
        with self._lock:
            timer = self._timers.get(key)
            if timer is None:
                if len(self._timers) >= MAX_KEYS:
                    raise ProfilerError(
                        f"Timer {key!r}: there are {MAX_KEYS} already. Use fewer, fixed keys."
                    )
                timer = self._timers[key] = Timer(self, key, _bounds(bucket_boundaries))
            return timer

    def summary(self) -> dict[str, SectionSummary]:
        """What was measured so far, by path. GPU work that has not finished is left for the next call."""
        self._resolve_cuda()
        with self._lock:
            return {path: samples.summary() for path, samples in self._samples.items()}

    def _add(self, path: str, milliseconds: float, bounds: Sequence[float]) -> None:
        with self._lock:
            samples = self._samples.get(path)
            if samples is None:
                if len(self._samples) >= MAX_KEYS:
                    path, bounds = OVERFLOW_KEY, ()
                samples = self._samples.setdefault(path, _Samples(bounds))
            samples.add(milliseconds)

    def _add_cuda(self, path: str, bounds: Sequence[float], start: Any, end: Any) -> None:
        # Half-way to the limit the finished ones are collected; a GPU that far behind loses the oldest
        # samples.
        self._pending.append((path, bounds, start, end))
        if len(self._pending) > MAX_PENDING_CUDA_EVENTS // 2:
            self._resolve_cuda()

    def _resolve_cuda(self) -> None:
        while True:
            with self._lock:
                if not self._pending or not self._pending[0][3].query():
                    return
                path, bounds, start, end = self._pending.popleft()
            self._add(path, start.elapsed_time(end), bounds)

    def _enter(self, key: str) -> str:
        stack = self._stack()
        path = f"{stack[-1]}/{key}" if stack else key
        stack.append(path)
        return path

    def _leave(self) -> None:
        self._stack().pop()

    def _stack(self) -> list[str]:
        stack: list[str] | None = getattr(self._paths, "stack", None)
        if stack is None:
            stack = self._paths.stack = []
        return stack


class Section:
    """One run of a section; see `Profiler.section`."""

    def __init__(self, profiler: Profiler, key: str, mode: CudaTimingMode, bounds: Sequence[float]) -> None:
        self._profiler = profiler
        self._key = key
        self._cuda: Any = _cuda() if mode is not CudaTimingMode.NONE else None
        self._mode = mode if self._cuda is not None else CudaTimingMode.NONE
        self._bounds = bounds
        self.elapsed_ms = 0.0

    def __enter__(self) -> Self:
        self._path = self._profiler._enter(self._key)
        if self._mode is CudaTimingMode.SYNC:
            self._cuda.synchronize()
        elif self._mode is CudaTimingMode.EVENT:
            self._start_event = self._record()
        self._start = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._mode is CudaTimingMode.SYNC:
            self._cuda.synchronize()
        self.elapsed_ms = (time.perf_counter() - self._start) * 1_000
        self._profiler._leave()
        if self._mode is CudaTimingMode.EVENT:
            self._profiler._add_cuda(self._path, self._bounds, self._start_event, self._record())
        else:
            self._profiler._add(self._path, self.elapsed_ms, self._bounds)

    def _record(self) -> Any:
        event = self._cuda.Event(enable_timing=True)
        event.record()
        return event


class Timer:
    """A time that starts in one place and stops in another, such as the time to the first frame."""

    def __init__(self, profiler: Profiler, key: str, bounds: Sequence[float]) -> None:
        self._profiler = profiler
        self._key = key
        self._bounds = bounds
        self._start: float | None = None
        self.elapsed_ms = 0.0

    def start(self) -> Self:
        if self._start is not None:
            raise ProfilerError(
                f"Timer {self._key!r} is running already. Stop it before it is started again."
            )
        self._start = time.perf_counter()
        return self

    def stop(self) -> float:
        """End the run; returns its milliseconds."""
        if self._start is None:
            raise ProfilerError(f"Timer {self._key!r} is not running. Call start() before stop().")
        self.elapsed_ms = (time.perf_counter() - self._start) * 1_000
        self._start = None
        self._profiler._add(self._key, self.elapsed_ms, self._bounds)
        return self.elapsed_ms


class _Samples:
    """Count, extremes and a histogram; the size does not depend on the number of samples."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.count = 0
        self.total = 0.0
        self.smallest = math.inf
        self.largest = 0.0
        self.steps = [0] * (_STEPS + 1)
        self.bounds = (*bounds, math.inf) if bounds else ()
        self.buckets = [0] * len(self.bounds)

    def add(self, milliseconds: float) -> None:
        self.count += 1
        self.total += milliseconds
        self.smallest = min(self.smallest, milliseconds)
        self.largest = max(self.largest, milliseconds)
        self.steps[_step(milliseconds)] += 1
        if self.bounds:
            self.buckets[bisect.bisect_left(self.bounds, milliseconds)] += 1

    def percentile(self, share: float) -> float:
        wanted, seen = share * self.count, 0
        for step, number in enumerate(self.steps):
            seen += number
            if number and seen >= wanted:
                upper = _SMALLEST_MS * 2 ** (step / _STEPS_PER_OCTAVE)
                return min(max(upper, self.smallest), self.largest)
        return self.largest

    def summary(self) -> SectionSummary:
        return SectionSummary(
            count=self.count,
            total_ms=self.total,
            mean_ms=self.total / self.count,
            min_ms=self.smallest,
            max_ms=self.largest,
            p50_ms=self.percentile(0.50),
            p90_ms=self.percentile(0.90),
            p99_ms=self.percentile(0.99),
            buckets=dict(zip(self.bounds, self.buckets, strict=True)),
        )


def _step(milliseconds: float) -> int:
    if milliseconds <= _SMALLEST_MS:
        return 0
    return min(math.ceil(math.log2(milliseconds / _SMALLEST_MS) * _STEPS_PER_OCTAVE), _STEPS)


def _bounds(given: Sequence[float] | BucketPreset | None) -> tuple[float, ...]:
    if given is None:
        return ()
    bounds: Sequence[float] = given.value if isinstance(given, BucketPreset) else given
    return tuple(sorted(bounds))


def _cuda() -> Any:
    """`torch.cuda` when the author's code has imported torch and there is a GPU. Never imports torch."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return torch.cuda
