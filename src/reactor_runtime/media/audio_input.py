"""Sound from a client, kept for the author in order, at the rate and with the channels that were declared."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reactor_runtime.clock import WALL

from .resampling import Resampler

BUFFER_S = 2.0
"""Sound kept for `read`; older samples are dropped and counted."""
GAP_S = 0.06
"""Engines hand on nothing while a client sends pure silence. A hole longer than this is filled, so that
what `read` gives keeps its time."""
SOURCE_HOLD_S = 0.5
"""Two clients are never mixed up in a track: the one that is heard keeps it until it is silent this long."""
STOP_POLL_S = 0.1


class AudioInput:
    """One inbound track of one session. Engine threads put, author threads take."""

    def __init__(
        self,
        rate: int,
        channels: int,
        stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = WALL.time,
    ) -> None:
        self.rate = rate
        self.channels = channels
        self.dropped = 0
        """Samples that nobody read in time."""
        self.silence = 0
        """Samples of silence put where the client sent none."""
        self._stopped = stopped
        self._now = clock
        self._resampler = Resampler(rate, channels)
        self._blocks: deque[NDArray[np.int16]] = deque()
        self._waiting = 0
        self._newest: NDArray[np.int16] | None = None
        self._source: object = None
        self._heard = self._until = float("-inf")
        self._changed = threading.Condition()
        """Guards everything here: the engine's threads put, the author's take. Nothing else is taken then."""

    def put(self, block: NDArray[np.int16], rate: int, source: object = None) -> NDArray[np.int16] | None:
        """Take a decoded block ``(channels, M)`` of a client and return it as the author sees it.

        None when the track belongs to another client now, or while the resampler fills.
        """
        with self._changed:
            now = self._now()
            if source is not self._source:
                if now - self._heard < SOURCE_HOLD_S:
                    return None
                self._source, self._resampler = source, Resampler(self.rate, self.channels)
            self._heard = now
            converted = self._resampler.convert(block, rate)
            self._fill(now - converted.shape[1] / self.rate)
            self._add(converted)
            # An engine that hands its blocks on a little late has left no hole.
            self._until = max(self._until, now - GAP_S / 2) if self._newest is not None else now
            self._newest = converted if converted.shape[1] else self._newest
            self._changed.notify_all()
        return converted if converted.shape[1] else None

    def latest(self) -> NDArray[np.int16] | None:
        """The newest block; silence when the client has been silent since."""
        with self._changed:
            newest = self._newest
            if newest is not None and self._now() - self._heard > GAP_S:
                return np.zeros_like(newest)
        return newest

    def read(self, samples: int, timeout: float | None) -> NDArray[np.int16] | None:
        """The next `samples`, ``(channels, samples)``; None when they did not come or the session ends."""
        deadline = None if timeout is None else self._now() + timeout
        with self._changed:
            while self._waiting < samples:
                now = self._now()
                self._fill(now - GAP_S)
                if self._waiting >= samples:
                    break
                left = STOP_POLL_S if deadline is None else min(STOP_POLL_S, deadline - now)
                if left <= 0 or self._stopped():
                    return None
                # A client that falls silent wakes nobody.
                self._changed.wait(min(left, GAP_S / 2) if self._newest is not None else left)
            return self._take(samples)

    def wake(self) -> None:
        """Let a reader see that the session is to end."""
        with self._changed:
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._blocks.clear()
            self._waiting, self._newest = 0, None
            self._changed.notify_all()

    def _fill(self, until: float) -> None:
        """Put silence where nothing came since the last block."""
        hole = until - self._until
        if self._newest is not None and hole > GAP_S:
            samples = round(min(hole, BUFFER_S) * self.rate)
            self.silence += samples
            self._add(np.zeros((self.channels, samples), np.int16))
            self._until = until

    def _add(self, block: NDArray[np.int16]) -> None:
        if not block.shape[1]:
            return
        self._blocks.append(block)
        self._waiting += block.shape[1]
        self._until += block.shape[1] / self.rate
        while self._waiting - self._blocks[0].shape[1] >= BUFFER_S * self.rate:
            gone = self._blocks.popleft().shape[1]
            self._waiting -= gone
            self.dropped += gone

    def _take(self, samples: int) -> NDArray[np.int16]:
        parts, missing = [], samples
        while missing:
            block = self._blocks.popleft()
            if block.shape[1] > missing:
                self._blocks.appendleft(block[:, missing:])
                block = block[:, :missing]
            parts.append(block)
            missing -= block.shape[1]
        self._waiting -= samples
        return np.concatenate(parts, axis=1)
