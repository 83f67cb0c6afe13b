"""How fast a model is with everything behind it, without a browser.

::

    figures = bench(MyModel, seconds=5)
    assert figures.fits, figures.verdict

The model runs in this process on its real threads; its frames are converted, paced and encoded as for a
viewer, and end in a sink that notes when each came out. Only the network is left out.
"""

from __future__ import annotations

import itertools
import resource
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reactor_runtime.authoring.description import ModelDescription
from reactor_runtime.authoring.media import TrackDirection, TrackKind
from reactor_runtime.errors import CommandError, ReactorError, TrackError, WeightsError
from reactor_runtime.executors.port import CommandOutcome, ModelOutcome
from reactor_runtime.executors.thread.executor import ThreadExecutor
from reactor_runtime.media.bitrate import default_bitrate
from reactor_runtime.media.decoding import decode
from reactor_runtime.media.encoders import EncodedFrame, VideoCodec, create_encoder
from reactor_runtime.media.encoders.base import RTP_CLOCK_HZ
from reactor_runtime.media.i420 import BufferPool, to_i420
from reactor_runtime.project.loading import config_for
from reactor_runtime.session.run import SessionRun
from reactor_runtime.session.session import Session

from .figures import MISSING, CommandCost, EncoderCost, Figures, percentile

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from reactor_runtime.authoring.model import VideoModel
    from reactor_runtime.authoring.ports import WeightsSource

WARM_UP_S = 1.0
"""Between the first frame and the measuring."""
FIRST_FRAME_S = 120.0
"""How long the first frame may take: models compile."""
STOP_S = 30.0
"""How long `start_session` may take to return."""
COMMAND_S = 30.0
INPUT_FPS = 30
INPUT_SIZE = (480, 640)
ENCODED_AGAIN = 45
"""Frames kept to measure the encoders with."""
PROBED = (VideoCodec.H264, VideoCodec.VP8)

Commands = Sequence[tuple[str, Mapping[str, Any]]]


class Emission:
    """One call of `emit`: when it began and ended, its processor time, the frames it brought."""

    __slots__ = ("began", "cpu", "ended", "first", "thread_cpu", "until")

    def __init__(
        self, began: float, ended: float, cpu: float, thread_cpu: float, first: int, until: int
    ) -> None:
        self.began = began
        self.ended = ended
        self.cpu = cpu
        self.thread_cpu = thread_cpu
        self.first = first
        self.until = until


class MeasuredSession(Session):
    """A session that notes every `emit` on its default track."""

    def __init__(self, model: ModelDescription) -> None:
        super().__init__(1, "bench", model, lambda session: None)
        self.emissions: list[Emission] = []
        self.emitted_at: dict[int, float] = {}
        self._track = self.media.default_track

    def emit(self, name: str, frame: Any, bucket: int | None) -> None:
        if name != self._track:
            super().emit(name, frame, bucket)
            return
        first, began, cpu = self.media.plane.next_index(name), time.perf_counter(), time.thread_time()
        count = len(frame) if getattr(frame, "ndim", 3) == 4 else 1
        for index in range(first, first + count):
            self.emitted_at[index] = began
        super().emit(name, frame, bucket)
        now = time.thread_time()
        self.emissions.append(
            Emission(began, time.perf_counter(), now - cpu, now, first, self.media.plane.next_index(name))
        )


class Arrivals:
    """A `FrameSink` that keeps the time of every frame and the newest frames from a keyframe on."""

    def __init__(self) -> None:
        self.times: list[tuple[float, int]] = []
        self.kept: list[EncodedFrame] = []
        self.first = threading.Event()

    def push(self, frame: EncodedFrame) -> None:
        self.times.append((time.perf_counter(), frame.index))
        if (self.kept or frame.key) and len(self.kept) < ENCODED_AGAIN:
            self.kept.append(frame)
        self.first.set()


class NoWeights:
    """For a model that asks for none."""

    def path(self, name: str) -> Path:
        raise WeightsError(f"Weights {name!r} are asked for; give bench() a source of weights.")


def bench(
    model_class: type[VideoModel],
    config: Any = None,
    *,
    weights: WeightsSource | None = None,
    seconds: float = 10.0,
    codec: VideoCodec = VideoCodec.H264,
    commands: Commands = (),
) -> Figures:
    """Run one session of `model_class` for `seconds` and measure it. Blocks.

    `commands` are sent one after the other when the measuring begins. Raises `ReactorError` when the model
    cannot be loaded, fails, or shows nothing.
    """
    host = ThreadExecutor(model_class, config_for(model_class, config), weights or NoWeights())
    began = time.perf_counter()
    try:
        host.load().result()
        return _Run(host, codec, time.perf_counter() - began).measure(seconds, commands)
    finally:
        host.close()


class _Run:
    """One session of a loaded model."""

    def __init__(self, host: ThreadExecutor, codec: VideoCodec, load_s: float) -> None:
        self.host = host
        self.codec = codec
        self.load_s = load_s
        self.session = MeasuredSession(host.description)
        self.run = SessionRun(host, self.session)
        self.arrivals = Arrivals()
        self.notes: list[str] = []
        self._inputs = threading.Thread(target=self._feed, name="bench-inputs", daemon=True)

    def measure(self, seconds: float, commands: Commands) -> Figures:
        session = self.session
        track = session.media.default_track
        if track is None or session.tracks[track].kind is not TrackKind.VIDEO:
            raise TrackError("This model has no video output; there is nothing to measure.")
        for name, declared in session.tracks.items():
            if declared.direction is TrackDirection.OUT and declared.kind is TrackKind.VIDEO:
                session.media.plane.subscribe(
                    name, self.codec, self.arrivals if name == track else _Nowhere()
                )
        session.connected = True
        self.run.begin()
        started = time.perf_counter()
        ended = self.run.play()
        try:
            self._inputs.start()
            self._wait_first(ended)
            first_ms = (self.arrivals.times[0][0] - started) * 1000
            _wait(ended, WARM_UP_S)
            window = _Window()
            answers = [self._command(name, arguments) for name, arguments in commands]
            _wait(ended, max(0.0, seconds - window.wall()))
            window.close()
        finally:
            self._stop(ended)
        return self._figures(track, first_ms, window, answers)

    def _wait_first(self, ended: Future[ModelOutcome]) -> None:
        deadline = time.perf_counter() + FIRST_FRAME_S
        while not self.arrivals.first.wait(0.02):
            if ended.done() and not self.arrivals.first.wait(1.0):
                _raise(ended)
                raise ReactorError("start_session() returned without a frame.")
            if time.perf_counter() > deadline:
                raise ReactorError(
                    f"The model made no frame within {FIRST_FRAME_S:g} s.\n{self.host.stacks()}"
                )

    def _command(self, name: str, arguments: Mapping[str, Any]) -> CommandCost:
        answered = threading.Event()
        outcomes: list[CommandOutcome] = []

        def answer(outcome: CommandOutcome) -> None:
            outcomes.append(outcome)
            answered.set()

        began = time.perf_counter()
        self.run.command(name, dict(arguments), answer)
        if not answered.wait(COMMAND_S):
            return CommandCost(name, MISSING, f"no answer within {COMMAND_S:g} s")
        error = outcomes[0].error
        if isinstance(error, CommandError):
            return CommandCost(name, MISSING, f"refused: {error}")
        return CommandCost(name, (time.perf_counter() - began) * 1000)

    def _feed(self) -> None:
        """Give every video input of the model a moving picture, as a client's camera would."""
        names = [
            name
            for name, track in self.session.tracks.items()
            if track.direction is TrackDirection.IN and track.kind is TrackKind.VIDEO
        ]
        if names:
            self.notes.append(f"A moving picture was sent to {', '.join(names)} at {INPUT_FPS} fps.")
        count = 0
        while names and not self.session.timeline.stopping.wait(1 / INPUT_FPS):
            picture = _camera(count)
            for name in names:
                self.host.media(self.session, name, picture)
            count += 1

    def _stop(self, ended: Future[ModelOutcome]) -> None:
        early = ended.done()
        try:
            self.run.finish(ended, STOP_S)
            if early:
                _raise(ended)
                self.notes.append("start_session() returned before the time was over.")
        except TimeoutError:
            self.notes.append(f"start_session() had not returned {STOP_S:g} s after the stop.")

    def _figures(self, track: str, first_ms: float, window: _Window, answers: list[CommandCost]) -> Figures:
        emissions = [e for e in self.session.emissions if window.began <= e.began <= window.ended]
        times = [(at, index) for at, index in self.arrivals.times if window.began <= at <= window.ended]
        if not emissions or not times:
            raise ReactorError("The model made no frame in the time that was measured.")
        arrived = [at for at, _ in times]
        behind = [(at - self.session.emitted_at[i]) * 1000 for at, i in times if i in self.session.emitted_at]
        steps = [(b.began - a.ended) * 1000 for a, b in itertools.pairwise(emissions)]
        frames = sum(e.until - e.first for e in emissions)
        last = self.arrivals.kept[-1]
        wall = window.ended - window.began
        plane = self.session.media.plane
        return Figures(
            model=self.host.description.name,
            track=track,
            size=(last.width, last.height),
            rate=float(getattr(self.session.tracks[track], "rate", 0) or 0),
            codec=str(self.codec),
            seconds=wall,
            load_s=self.load_s,
            first_frame_ms=first_ms,
            steps_per_s=len(emissions) / wall,
            fps=len(times) / wall,
            dropped=plane.encoded().dropped + plane.playout.counters.dropped,
            step_p50_ms=percentile(steps, 0.5),
            step_p99_ms=percentile(steps, 0.99),
            frames_per_step=frames / len(emissions),
            emit_cpu_ms=sum(e.cpu for e in emissions) / frames * 1000,
            emit_p99_ms=percentile([(e.ended - e.began) * 1000 for e in emissions], 0.99),
            behind_p50_ms=percentile(behind, 0.5),
            behind_p99_ms=percentile(behind, 0.99),
            interval_p50_ms=percentile(_intervals(arrived), 0.5),
            interval_p99_ms=percentile(_intervals(arrived), 0.99),
            cores=window.cpu / wall,
            model_cores=(emissions[-1].thread_cpu - emissions[0].thread_cpu) / wall,
            rss_mib=_peak_mib(),
            encoders=[encoder_cost(each, self.arrivals.kept) for each in PROBED],
            commands=answers,
            notes=tuple(self.notes),
        )


class _Window:
    """The time that is measured."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.ended = self.began
        self.cpu = -time.process_time()

    def wall(self) -> float:
        return time.perf_counter() - self.began

    def close(self) -> None:
        self.ended = time.perf_counter()
        self.cpu += time.process_time()


class _Nowhere:
    """A `FrameSink` for the tracks beside the measured one."""

    def push(self, frame: EncodedFrame) -> None:
        pass


def encoder_cost(codec: VideoCodec, frames: Sequence[EncodedFrame]) -> EncoderCost:
    """Encode these frames again as `codec`, and see what it takes."""
    pictures = decode(frames)
    height, width = pictures[0].shape[:2]
    pool = BufferPool()
    encoder = create_encoder(codec, width, height, default_bitrate(width, height, codec))
    used = bits = 0.0
    try:
        for number, picture in enumerate(pictures):
            frame = to_i420(picture, pool, number)
            began = time.process_time()
            encoded = encoder.encode(frame, number * RTP_CLOCK_HZ // 30, number == 0)
            used += time.process_time() - began
            bits += sum(len(each.data) * 8 for each in encoded)
    finally:
        encoder.close()
    return EncoderCost(str(codec), used / len(pictures) * 1000, bits * 30 / len(pictures) / 1e6)


def _wait(ended: Future[ModelOutcome], seconds: float) -> None:
    """Sleep, but not longer than the model runs."""
    deadline = time.perf_counter() + seconds
    while not ended.done() and (left := deadline - time.perf_counter()) > 0:
        time.sleep(min(0.05, left))


def _raise(ended: Future[ModelOutcome]) -> None:
    error = ended.result().error
    if error is not None:
        raise ReactorError(f"start_session() failed: {type(error).__name__}: {error}") from error


def _intervals(times: Sequence[float]) -> list[float]:
    return [(later - earlier) * 1000 for earlier, later in itertools.pairwise(times)]


def _camera(count: int) -> NDArray[np.uint8]:
    height, width = INPUT_SIZE
    ramp = (np.arange(width) + count * 4).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(ramp[np.newaxis, :, np.newaxis], (height, width, 3)))


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
