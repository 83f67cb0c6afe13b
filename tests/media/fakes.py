"""Sinks and encoders that only remember, and pictures that are easy to tell apart."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from reactor_runtime.errors import EngineError
from reactor_runtime.media.encoders import EncodedFrame, EncoderSettings, VideoCodec
from reactor_runtime.media.i420 import BufferPool, I420Frame, to_i420


def quickest(measure: Callable[[], float], tries: int = 3) -> float:
    """The least of what was measured: other work on this machine only ever adds to it."""
    return min(measure() for _ in range(tries))


def until(condition: Callable[[], object], within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


def held_back(work: Callable[[], object]) -> threading.Thread:
    """A thread that does this, once it waits for something."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    until(lambda: _waits(thread))
    return thread


def _waits(thread: threading.Thread) -> bool:
    assert thread.is_alive(), "nothing held it back"
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code is threading.Condition.wait.__code__


def picture(index: int, height: int = 16, width: int = 32, pool: BufferPool | None = None) -> I420Frame:
    return to_i420(np.full((height, width, 3), index % 256, np.uint8), pool or BufferPool(), index)


class Sink:
    """Remembers what it got, and when."""

    def __init__(self, fail: bool = False) -> None:
        self.frames: list[EncodedFrame] = []
        self.times: list[float] = []
        self._fail = fail

    def push(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)
        self.times.append(time.monotonic())
        if self._fail:
            raise RuntimeError("this peer is broken")

    @property
    def indexes(self) -> list[int]:
        return [frame.index for frame in self.frames]


class FakeEncoder:
    """A keyframe first and when asked; `gate` holds it up."""

    def __init__(
        self,
        codec: VideoCodec,
        width: int,
        height: int,
        bits_per_second: int,
        settings: EncoderSettings | None = None,
    ) -> None:
        if width > 4096:
            raise EngineError("too wide")
        self.codec, self.width, self.height = codec, width, height
        self.bits_per_second = bits_per_second
        self.settings = settings
        self.flexible = True
        self.closed = False
        self._first = True

    def encode(self, frame: I420Frame, timestamp: int, key: bool) -> list[EncodedFrame]:
        assert not self.closed
        key, self._first = key or self._first, False
        return [EncodedFrame(self.codec, b"x" * 10, key, self.width, self.height, timestamp, frame.index)]

    def set_bitrate(self, bits_per_second: int) -> bool:
        if self.flexible:
            self.bits_per_second = bits_per_second
        return self.flexible

    def close(self) -> None:
        self.closed = True


class Factory:
    """Makes fake encoders and remembers them; while `gate` is clear each encode waits, while `opening` is,
    each opening."""

    def __init__(self) -> None:
        self.made: list[FakeEncoder] = []
        self.gate = threading.Event()
        self.gate.set()
        self.opening = threading.Event()
        self.opening.set()
        self.failing = False

    def __call__(self, *args: Any) -> FakeEncoder:
        factory = self
        assert self.opening.wait(10)

        class Gated(FakeEncoder):
            def encode(self, frame: I420Frame, timestamp: int, key: bool) -> list[EncodedFrame]:
                assert factory.gate.wait(10)
                if factory.failing:
                    raise ValueError("the encoder is broken")
                return super().encode(frame, timestamp, key)

        self.made.append(Gated(*args))
        return self.made[-1]
