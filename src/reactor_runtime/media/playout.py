"""The thread between model and encoders: it holds the queue in front of the wire and keeps its times."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reactor_runtime.clock import WALL, Clock

from .buckets import Buckets, Released
from .handover import Handover
from .pacing import Pacer
from .rgb import Frame
from .sync import AvSync, Company, Picture

log = logging.getLogger(__name__)

DRAIN_SHARE = 0.8
"""The part of the time for draining in which the pictures leave; the rest is for the encoders."""
ENDING_LIMIT = 128
"""Pictures that may wait once the session is ending and nobody is held back; one more drops the oldest."""
STOP_POLL_S = 0.05
"""A producer that is held back looks for the stop at least this often."""


@dataclass
class PlayoutCounters:
    """Grow for the length of a session."""

    pictures: int = 0
    dropped: int = 0
    flushed: int = 0
    """Dropped because the model asked for it."""
    incomplete: int = 0


class Playout:
    """Paces what the model emits and hands it to `deliver`, in order, on one thread.

    `submit` is called by the author's threads and blocks to hold a fast model back; `deliver` must not block.
    `ready()` says whether the encoders can take a picture now; `company` is the sound beside the pictures.
    """

    def __init__(
        self,
        tracks: Sequence[str],
        rate: float,
        deliver: Callable[[Picture, float], None],
        ready: Callable[[], bool] = lambda: True,
        company: Company | None = None,
        clock: Clock = WALL,
    ) -> None:
        self.counters = PlayoutCounters()
        self._clock = clock
        self._encoders = Handover(deliver, ready, clock)
        self._sync = AvSync(company)
        self._buckets: Buckets[list[Frame]] = Buckets(tracks)
        self._pacer: Pacer[Picture] = Pacer(rate)
        self._lock = threading.Lock()
        """Guards everything here. The sound's and an encoding's may be taken meanwhile, never the other way
        about."""
        self._work = threading.Condition(self._lock)
        """Guards as `_lock`. For the thread: something to do, or to wait for, that it does not know of."""
        self._room = threading.Condition(self._lock)
        """Guards as `_lock`. For who is held back, and who waits for the queue to be empty."""
        self._stopping = False
        self._closed = False
        self._busy = False
        self._resumed = self._clock.time()
        self._warned: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="reactor-playout", daemon=True)
        self._thread.start()

    def submit(self, track: str, frames: list[Frame], bucket: int | None = None) -> None:
        """Queue the frames that the model emitted on `track` in one step; blocks while the queue is full."""
        with self._lock:
            if self._closed:
                self.counters.dropped += len(frames)
                return
            for released in self._buckets.put(self._clock.time(), track, frames, bucket):
                self._enqueue(released)
            if self._buckets.deadline() is not None:
                # The thread must know until when an incomplete step waits.
                self._work.notify_all()

    def begin(self) -> None:
        """The model begins now: what it took for its first batch is counted from here."""
        with self._lock:
            self._resumed = self._clock.time()

    def release(self) -> None:
        """Stop holding the model back: from now on the oldest picture goes when the queue is full."""
        with self._lock:
            self._stopping = True
            self._room.notify_all()

    def drain(self, timeout: float) -> bool:
        """Wait until everything emitted has been delivered; False when that took longer than `timeout` s."""
        deadline = self._clock.time() + timeout
        with self._lock:
            for released in self._buckets.release_all():
                self._pacer.push(_pictures(released))
            self._pacer.drain(timeout * DRAIN_SHARE)
            self._work.notify_all()
            while (len(self._pacer) or len(self._sync) or self._busy) and not self._closed:
                left = deadline - self._clock.time()
                if left <= 0:
                    return False
                self._clock.wait(self._room, left)
        return True

    def flush(self) -> int:
        """Drop every picture that has not been handed to the encoders; returns how many that were."""
        with self._lock:
            self._encoders.epoch += 1
            gone = self._clear()
            self.counters.flushed += gone
            self._room.notify_all()
        # What was being handed over is with the encoders then, where the caller can drop it.
        self._encoders.settle()
        return gone

    def close(self) -> None:
        """End the thread; what still waits is dropped and counted."""
        with self._lock:
            self._closed = self._stopping = True
            self.counters.dropped += self._clear()
            self._work.notify_all()
            self._room.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)

    def _clear(self) -> int:
        """Drop all that waits; called with the lock held."""
        return (
            self._pacer.clear()
            + self._sync.clear()
            + sum(len(_pictures(released)) for released in self._buckets.take_all())
        )

    def _enqueue(self, released: Released[list[Frame]]) -> None:
        """Called with the lock held; gives it up while it waits for room."""
        self._warn_missing(released.missing)
        pictures, epoch = _pictures(released), self._encoders.epoch
        self._pacer.note_cost(len(pictures), self._clock.time() - self._resumed)
        while not self._stopping and (wait := self._wait_for_room(pictures)) > 0:
            self._clock.wait(self._room, min(wait, STOP_POLL_S))
        if epoch != self._encoders.epoch:
            self.counters.flushed += len(pictures)
            self._resumed = self._clock.time()
            return
        if self._closed:
            self.counters.dropped += len(pictures)
            return
        while self._stopping and len(self._pacer) + len(pictures) > max(ENDING_LIMIT, len(pictures)):
            self._pacer.pop_any()
            self.counters.dropped += 1
        self._pacer.push(pictures)
        self._hand_over_now()
        if len(self._pacer) or len(self._sync):
            self._work.notify_all()
        self._wait_to_begin(len(pictures))
        self._resumed = self._clock.time()

    def _wait_to_begin(self, count: int) -> None:
        """Hold a model that is faster than its pictures are shown until its next step is due."""
        while not (self._stopping or self._sync.keeps_step()):
            wait = self._pacer.begin_next(count) - self._clock.time()
            if wait <= 0:
                return
            self._clock.wait(self._room, min(wait, STOP_POLL_S))

    def _wait_for_room(self, pictures: list[Picture]) -> float:
        if not self._pacer.has_room(len(pictures)):
            return STOP_POLL_S
        due_in = max(0.0, self._pacer.due_next(len(pictures)) - self._clock.time())
        return self._sync.hold(pictures, due_in)

    def _warn_missing(self, missing: tuple[str, ...]) -> None:
        if missing:
            self.counters.incomplete += 1
        for name in missing:
            if name not in self._warned:
                self._warned.add(name)
                log.warning(
                    "A step went out without a frame on track %r. If the track is meant to be slower than "
                    "the others this is fine; if not, emit on it in every step. Said once per session.",
                    name,
                )

    def _run(self) -> None:
        while True:
            with self._lock:
                picture = self._next()
                if picture is None:
                    return
                self._busy = True
                epoch = self._encoders.epoch
            self._encoders.wait_until_ready(lambda: self._closed)
            given = self._encoders.give(picture, epoch)
            del picture
            with self._lock:
                self._count(given)
                self._busy = False
                self._room.notify_all()

    def _hand_over_now(self) -> None:
        """Hand over what is due, in the producer's thread and with the lock held.

        Where the encoders are waiting this spares the picture a change of threads, which beside a model that
        computes in Python is a wait for the GIL.
        """
        if not self._busy and self._encoders.ready():
            picture = self._take_due(self._clock.time())
            if picture is not None:
                self._encoders.give_now(picture)
                self._count(given=True)

    def _count(self, given: bool) -> None:
        self.counters.pictures += given
        self.counters.flushed += not given

    def _next(self) -> Picture | None:
        """Wait, with the lock held, for the next picture whose time has come; None at the end."""
        while not self._closed:
            now = self._clock.time()
            for released in self._buckets.expire(now):
                self._warn_missing(released.missing)
                self._pacer.push(_pictures(released))
            picture = self._take_due(now)
            if picture is not None:
                return picture
            times = (self._pacer.due(now), self._buckets.deadline(), self._sync.next_at())
            wakes = [each for each in times if each is not None]
            self._clock.wait(self._work, max(0.0, min(wakes) - now) if wakes else None)
        return None

    def _take_due(self, now: float) -> Picture | None:
        """The picture that goes out now, if there is one; called with the lock held."""
        picture = self._pacer.pop(now)
        if picture is not None:
            self._sync.take_turn(picture, now)
            # Whoever waits for room has it now, not when the picture goes out.
            self._room.notify_all()
        return self._sync.pop(now)


def _pictures(released: Released[list[Frame]]) -> list[Picture]:
    """Cut the batches of one step into pictures; a track with fewer frames joins the first ones."""
    length = max((len(frames) for frames in released.parts.values()), default=0)
    return [
        {name: frames[i] for name, frames in released.parts.items() if i < len(frames)} for i in range(length)
    ]
