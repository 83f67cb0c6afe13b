"""Costs inside one process, without a wire: prints JSON. Runs in the environment of ours."""

from __future__ import annotations

import contextlib
import hashlib
import json
import statistics
import threading
import time
from collections.abc import Callable

import av
import cv2
import numpy as np

from reactor_runtime.authoring.profiler import Profiler
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.media.frames import to_rgb_batch
from reactor_runtime.media.i420 import BufferPool, to_i420
from reactor_runtime.media.plane import MediaPlane, VideoTrackConfig

SIZES = ((832, 480), (1280, 720), (1920, 1080))
ROUNDS, REPEATS = 9, 30
TRACK = "main_video"
SPIN_S = 0.5
ENTRIES = 100


def picture(width: int, height: int) -> np.ndarray:
    random = np.random.default_rng(1)
    small = random.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(small, (width, height))


def cpu_ms(work: Callable[[], object]) -> float:
    began = time.thread_time()
    for _ in range(REPEATS):
        work()
    return (time.thread_time() - began) / REPEATS * 1000


def conversion(width: int, height: int) -> dict[str, float]:
    """RGB to I420 beside a plain copy of the picture, and beside what PyAV would do."""
    rgb, pool = picture(width, height), BufferPool()
    target = np.empty_like(rgb)
    ways: dict[str, Callable[[], object]] = {
        "ours_ms": lambda: to_i420(rgb, pool, 0),
        "copy_ms": lambda: np.copyto(target, rgb),
        "pyav_ms": lambda: av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p"),
    }
    return in_turn(ways)


def in_turn(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median processor time of each, in ms."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            found[name].append(cpu_ms(work))
    return {name: statistics.median(values) for name, values in found.items()}


def emit(width: int, height: int) -> dict[str, float]:
    """How long `emit` keeps the model thread while somebody watches, and its processor time."""
    plane = MediaPlane({TRACK: VideoTrackConfig(TRACK)})
    plane.begin()
    plane.subscribe(TRACK, VideoCodec.H264, _Nowhere())
    rgb = picture(width, height)
    held, cpu = [], []
    try:
        for _ in range(90):
            wall, used = time.perf_counter(), time.thread_time()
            plane.emit(TRACK, rgb, None)
            held.append((time.perf_counter() - wall) * 1000)
            cpu.append((time.thread_time() - used) * 1000)
            time.sleep(1 / 30)
    finally:
        plane.close()
    return {"held_ms": statistics.median(held[15:]), "cpu_ms": statistics.median(cpu[15:])}


def planes(width: int, height: int) -> dict[str, float]:
    """Pixels out of planes, as torch has them channels first, beside a copy that follows the strides."""
    whole = np.ascontiguousarray(picture(width, height).transpose(2, 0, 1))
    view = whole.transpose(1, 2, 0)
    floats = (whole.astype(np.float32) / 255).transpose(1, 2, 0)
    return in_turn(
        {
            "uint8_ms": lambda: to_rgb_batch(view),
            "float32_ms": lambda: to_rgb_batch(floats),
            "copy_ms": lambda: np.ascontiguousarray(view),
        }
    )


def gil(width: int, height: int) -> dict[str, float]:
    """The speed of a pure-Python thread beside one that converts without pause, as a share of its own.

    A conversion that kept the GIL would leave it about half. What a second core cannot give is lost too, so
    the same is done with native work that is known to release the GIL.
    """
    rgb, pool = picture(width, height), BufferPool()
    beside: dict[str, list[float]] = {"conversion": [], "hash": []}
    digest = memoryview(rgb).cast("B")
    ways: dict[str, Callable[[], object]] = {
        "conversion": lambda: to_i420(rgb, pool, 0),
        "hash": lambda: hashlib.sha256(digest),
    }
    for _ in range(5):
        for name, work in ways.items():
            alone = _spin(None)
            beside[name].append(2 * _spin(work) / (alone + _spin(None)))
    return {name: statistics.median(values) for name, values in beside.items()}


def _spin(work: Callable[[], object] | None) -> float:
    """Turns of a Python loop per second while `work` runs again and again on another thread."""
    stop = threading.Event()

    def other() -> None:
        while work is not None and not stop.is_set():
            work()

    thread = threading.Thread(target=other)
    thread.start()
    turns, began = 0, time.perf_counter()
    while time.perf_counter() - began < SPIN_S:
        for _ in range(1000):
            turns += 1
    lasted = time.perf_counter() - began
    stop.set()
    thread.join()
    return turns / lasted


def section() -> dict[str, float]:
    """What a profiler's section costs that is left on, beside the emptiest context manager of the library."""
    profiler = Profiler()
    cost = in_turn(
        {
            "section_us": lambda: _enter(lambda: profiler.section("step")),
            "empty_us": lambda: _enter(contextlib.nullcontext),
        }
    )
    return {name: 1000 * ms / ENTRIES for name, ms in cost.items()}


def _enter(way: Callable[[], contextlib.AbstractContextManager[object]]) -> None:
    for _ in range(ENTRIES):
        with way():
            pass


class _Nowhere:
    def push(self, frame: object) -> None:
        pass


def main() -> None:
    cv2.setNumThreads(1)
    print(
        json.dumps(
            {
                "conversion": {f"{w}x{h}": conversion(w, h) for w, h in SIZES},
                "emit": {f"{w}x{h}": emit(w, h) for w, h in SIZES[:2]},
                "planes": planes(*SIZES[1]),
                "gil": gil(*SIZES[0]),
                "section": section(),
            }
        )
    )


if __name__ == "__main__":
    main()
