"""All outgoing sound of one session."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reactor_runtime.clock import WALL, Clock

from .audio_clock import TICK_S, TICK_SAMPLES, WIRE_RATE, AudioClock
from .audio_queue import PRIMING_S, AudioCounters, AudioQueue, Departures, Picture
from .resampling import Resampler
from .samples import to_samples
from .steps import Steps

log = logging.getLogger(__name__)

QUEUE_S = 0.1
"""Sound that may wait in front of a block that `emit` adds: 100 ms and one block are the most that waits."""
ENDING_S = 2.0
"""The same once the session is ending and nobody is held back; the oldest beyond it is dropped."""
PICTURE_LAG_S = 0.045
"""A picture that has sound goes out this much later. Sound takes longer to the client's ear than a picture to
its eye: priming, a packet's length, the receiver's jitter buffer and its sound card (docs/tracks.md)."""
PICTURE_LEAD_S = 0.02
"""A picture leaves at most this much before its sound would begin, besides the priming."""
DEFAULT_STEP_S = 0.02
"""The silence of a first `emit(None)`; later ones are as long as the block before."""
TAIL_S = 0.04
"""Silence sent after the last sound, so that the last whole packet leaves the engine."""
WAIT_S = 0.05
"""A producer that is held back looks again at least this often."""


@dataclass(frozen=True)
class AudioTrackConfig:
    """What must be known about one declared audio output."""

    name: str
    rate: int
    channels: int


class PcmSink(Protocol):
    """One receiver of a track's sound: a peer's track, or a recording."""

    def push(self, pcm: bytes, rate: int, channels: int, at: float) -> None:
        """Interleaved int16 heard at `at` seconds of the session's clock. Audio thread; must not block."""


class _Track:
    def __init__(self, config: AudioTrackConfig, departures: Departures) -> None:
        self.config = config
        self.queue = AudioQueue(config.channels, departures)
        self.resampler = Resampler(WIRE_RATE, config.channels)
        self.emitting = threading.Lock()
        """Guards the resampler: blocks of one track are queued whole. `Sound._changed` is taken meanwhile."""
        self.newest: NDArray[np.int16] | None = None
        self.step = round(DEFAULT_STEP_S * config.rate)
        self.sinks: tuple[PcmSink, ...] = ()


class Sound:
    """Takes sound from the author's threads and gives a frame per tick to every sink, on a thread of its own.

    The thread is there while somebody listens. Otherwise the sound passes unheard, at the same pace.
    """

    def __init__(
        self,
        tracks: Mapping[str, AudioTrackConfig],
        clock: Clock = WALL,
        seen: Callable[[str, bytes, int, int, float], None] | None = None,
    ) -> None:
        """`seen` is told of every block that is sent, on the audio thread, and must not block."""
        self.clock = AudioClock()
        self._time = clock
        self._now = clock.time
        self._seen = seen
        self._departures = Departures()
        self._tracks = {name: _Track(config, self._departures) for name, config in tracks.items()}
        self._steps = Steps()
        self._changed = threading.Condition()
        """Guards the queues, steps, sinks and the clock; told of room, of sound and of the end. Nothing else
        is taken meanwhile."""
        self._passed = clock.time()
        self._stopping = self._closed = False
        self._thread: threading.Thread | None = None

    # --- the author's threads ---

    def emit(self, name: str, frame: Any, bucket: int | None = None) -> None:
        """Check, resample and queue; blocks while the queue in front is full. Raises `FrameError`."""
        track = self._tracks[name]
        config = track.config
        if frame is None:
            samples = np.zeros((config.channels, track.step), np.int16)
        else:
            samples = to_samples(frame, config.channels, config.rate)
        if not samples.shape[1]:
            return
        with track.emitting:
            track.step = samples.shape[1]
            track.newest = samples.copy()
            wire = track.resampler.convert(samples, config.rate)
            with self._changed:
                self._wait_for_room(track.queue)
                if self._closed:
                    track.queue.counters.dropped += wire.shape[1]
                    return
                track.queue.put(self._now(), wire, self._steps.picture_of_sound(bucket))
                if self._stopping:
                    track.queue.trim(max(ENDING_S, wire.shape[1] / WIRE_RATE))
                self._changed.notify_all()

    def latest(self, name: str) -> NDArray[np.int16] | None:
        """The newest block ``(channels, M)`` int16 at the declared rate."""
        newest = self._tracks[name].newest
        return None if newest is None else newest.copy()

    @property
    def declared(self) -> bool:
        """Whether the model has a track for sound at all."""
        return bool(self._tracks)

    def picture_emitted(self, picture: Picture, count: int, bucket: int | None = None) -> None:
        """The model has given `count` pictures, of which this is the first."""
        if self._tracks:
            with self._changed:
                self._steps.picture_emitted(picture, count, bucket)

    # --- the playout thread, and whoever waits for it ---

    def picture_left(self, picture: Picture, at: float) -> float:
        """The turn of a picture has come: what belongs to it may begin.

        Returns by how many seconds the picture goes out later, so that the client has both together.
        """
        if not self._tracks:
            return 0.0
        with self._changed:
            self._departures.note(picture, at)
            return self._lag()

    def hold(self, picture: Picture, due_in: float) -> float:
        """Seconds that a picture, which would leave in `due_in`, must wait for the sound of earlier steps.

        None when sound comes only now and then: a long sentence does not stop the pictures behind it.
        """
        if not self._tracks or self._stopping or not self._steps.regular:
            return 0.0
        with self._changed:
            self._pass_unheard()
            ahead = max(track.queue.ahead_of(picture) for track in self._tracks.values())
        return max(0.0, ahead - max(0.0, due_in) - PRIMING_S - PICTURE_LEAD_S)

    # --- listeners ---

    def subscribe(self, name: str, sink: PcmSink) -> None:
        """Send the track to `sink` from the next tick on."""
        track = self._tracks[name]
        with self._changed:
            if self._closed or sink in track.sinks:
                return
            self._pass_unheard()
            track.sinks = (*track.sinks, sink)
            self.clock.start(self._now())
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="reactor-audio", daemon=True)
                self._thread.start()

    def unsubscribe(self, sink: PcmSink) -> None:
        with self._changed:
            for track in self._tracks.values():
                track.sinks = tuple(other for other in track.sinks if other is not sink)
            self._changed.notify_all()

    def counters(self, name: str) -> AudioCounters:
        return self._tracks[name].queue.counters

    @property
    def all_counters(self) -> list[AudioCounters]:
        """Of every track."""
        return [track.queue.counters for track in self._tracks.values()]

    @property
    def dropped(self) -> int:
        """Samples at 48 kHz, of all tracks."""
        return sum(track.queue.counters.dropped for track in self._tracks.values())

    @property
    def silence_s(self) -> float:
        """Seconds of silence inserted, of all tracks, and those that could not be sent in time."""
        silence = sum(track.queue.counters.silence for track in self._tracks.values()) / WIRE_RATE
        return silence + self.clock.skipped * TICK_S

    # --- the session's end ---

    def release(self) -> None:
        """The session is to end: nobody is held back in `emit` any more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def flush(self) -> int:
        """Drop what has not been sent yet; returns how many samples that were."""
        with self._changed:
            waited = sum(len(track.queue) for track in self._tracks.values())
            for track in self._tracks.values():
                track.queue.clear()
            self._changed.notify_all()
        return waited

    def drain(self, timeout: float) -> bool:
        """Wait until the last sound has been sent; False when `timeout` seconds were not enough."""
        deadline = self._now() + timeout
        with self._changed:
            while self._listened() and any(len(track.queue) for track in self._tracks.values()):
                if self._closed or self._now() >= deadline:
                    return False
                self._time.wait(self._changed, TICK_S)
            if not (self._listened() and any(track.newest is not None for track in self._tracks.values())):
                return True
        self._time.sleep(max(0.0, min(TAIL_S, deadline - self._now())))
        return True

    def close(self) -> None:
        """End the thread and let go of everything."""
        with self._changed:
            self._closed = self._stopping = True
            for track in self._tracks.values():
                track.sinks = ()
                track.newest = None
            thread = self._thread
            self._changed.notify_all()
        self.flush()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=2.0)

    # --- inside ---

    def _wait_for_room(self, queue: AudioQueue) -> None:
        """Called with the lock held."""
        while not self._stopping:
            self._pass_unheard()
            excess = queue.seconds - QUEUE_S
            if excess <= 1e-9:
                return
            self._time.wait(self._changed, min(WAIT_S, max(excess, TICK_S / 2)))

    def _pass_unheard(self) -> None:
        """While nobody listens, what waits is gone at the same pace; called with the lock held."""
        now = self._now()
        if not self.clock.running:
            for track in self._tracks.values():
                track.queue.skip(now - self._passed)
        self._passed = now

    def _lag(self) -> float:
        return PICTURE_LAG_S if self._steps.together and self._listened() else 0.0

    def _listened(self) -> bool:
        return any(track.sinks for track in self._tracks.values())

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed or not self._listened():
                    self._pass_unheard()
                    self.clock.pause()
                    self._thread = None
                    return
                frames = [
                    (track, track.queue.take(at, TICK_SAMPLES), at)
                    for at in self.clock.take(self._now())
                    for track in self._tracks.values()
                ]
                next_tick = self.clock.next_tick()
                # Producers that are held back know when there is room; waking them at each tick costs a
                # percent of a core for each.
                if not frames and next_tick is not None:
                    self._time.wait(self._changed, max(0.0, next_tick - self._now()))
                # The picture of a step left a priming earlier, and is stamped when it goes out.
                shift = self._lag() - PRIMING_S
            for track, frame, at in frames:
                self._hand_over(track, frame, at + shift)

    def _hand_over(self, track: _Track, frame: NDArray[np.int16], at: float) -> None:
        """One array for all peers: they get the same bytes, and nobody can write to them."""
        sinks = track.sinks
        if not sinks:
            return
        pcm = frame.tobytes()
        for sink in sinks:
            try:
                sink.push(pcm, WIRE_RATE, track.config.channels, at)
            except Exception:
                log.exception("Track %r: a peer could not take sound; the others go on", track.config.name)
        if self._seen is not None:
            self._seen(track.config.name, pcm, WIRE_RATE, track.config.channels, at)
