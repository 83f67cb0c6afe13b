"""The sound of one track that waits for its tick. Sans-IO.

A run of sound begins a little after its first block has come (priming), so that a producer that is now and
then a little late leaves no hole; inside a run the blocks follow each other without a seam. A block may
belong to a picture: then it does not begin before that picture has left.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .audio_clock import WIRE_RATE

PRIMING_S = 0.02
"""How much later than its first block a run begins; the jitter of a producer that is hidden."""
PICTURE_WAIT_S = 0.5
"""Sound waits no longer than this for its picture."""

Picture = tuple[str, int]
"""A picture's track and its number there."""
_AT_ONCE, _NOT_YET = float("-inf"), 1.0e9


@dataclass
class AudioCounters:
    """In samples at 48 kHz; `underruns` is how often a run was cut by a late model."""

    played: int = 0
    silence: int = 0
    underruns: int = 0
    dropped: int = 0
    unheard: int = 0
    """Passed while nobody listened."""


@dataclass
class Departures:
    """Which pictures have left, and when the newest of each track did."""

    newest: dict[str, tuple[int, float]] = field(default_factory=dict)

    def note(self, picture: Picture, at: float) -> None:
        self.newest[picture[0]] = (picture[1], at)

    def of(self, picture: Picture) -> float | None:
        """When `picture`, or one after it, left."""
        number, at = self.newest.get(picture[0], (-1, 0.0))
        return at if number >= picture[1] else None


@dataclass(eq=False)
class _Block:
    data: NDArray[np.int16]
    """``(M, channels)``, as the wire takes it."""
    picture: Picture | None
    earliest: float
    place: int = 0
    begun: bool = False
    held_since: float | None = None

    @property
    def left(self) -> int:
        return len(self.data) - self.place


class AudioQueue:
    """Not thread-safe. Times in seconds of one clock; what waits is bounded by who calls `put`."""

    def __init__(self, channels: int, departures: Departures | None = None) -> None:
        self.channels = channels
        self.counters = AudioCounters()
        self._departures = departures or Departures()
        self._blocks: deque[_Block] = deque()
        self._playing = False

    def __len__(self) -> int:
        """Samples that wait."""
        return sum(block.left for block in self._blocks)

    @property
    def seconds(self) -> float:
        return len(self) / WIRE_RATE

    def ahead_of(self, picture: Picture) -> float:
        """Seconds of sound that play before what belongs to `picture`, or to one after it."""
        samples = 0
        for block in self._blocks:
            theirs = block.picture
            if theirs is not None and theirs[0] == picture[0] and theirs[1] >= picture[1]:
                break
            samples += block.left
        return samples / WIRE_RATE

    def put(self, now: float, samples: NDArray[np.int16], picture: Picture | None = None) -> None:
        """Add ``(channels, M)`` at 48 kHz; the array is copied."""
        if samples.shape[1]:
            in_a_run = self._playing or bool(self._blocks)
            earliest = _AT_ONCE if in_a_run else now + PRIMING_S
            self._blocks.append(_Block(np.array(samples.T, order="C"), picture, earliest))

    def take(self, at: float, count: int) -> NDArray[np.int16]:
        """The `count` samples ``(count, channels)`` that play from `at` on; silence where there are none."""
        out = np.zeros((count, self.channels), np.int16)
        filled = played = 0
        while filled < count and self._blocks:
            block = self._blocks[0]
            wait = self._wait(block, at)
            filled = max(filled, min(count, round(wait * WIRE_RATE)))
            step = min(count - filled, block.left)
            out[filled : filled + step] = block.data[block.place : block.place + step]
            block.begun = block.begun or step > 0
            block.place += step
            filled += step
            played += step
            if not block.left:
                self._blocks.popleft()
        self._account(played, count - played, filled == count and played > 0)
        return out

    def skip(self, seconds: float) -> None:
        """Time passes and nobody listens."""
        gone = self._remove(round(seconds * WIRE_RATE))
        self.counters.unheard += gone
        self._playing = self._playing and bool(self._blocks)

    def trim(self, seconds: float) -> None:
        """Drop the oldest until no more than `seconds` wait."""
        self.counters.dropped += self._remove(len(self) - round(seconds * WIRE_RATE))

    def clear(self) -> None:
        self.counters.dropped += self._remove(len(self))
        self._playing = False

    def _wait(self, block: _Block, at: float) -> float:
        """Seconds after `at` that the block must still wait; infinite while its picture has not left."""
        if block.begun:
            return 0.0
        if block.picture is not None:
            left = self._departures.of(block.picture)
            if left is None:
                block.held_since = at if block.held_since is None else block.held_since
                if at - block.held_since < PICTURE_WAIT_S:
                    return _NOT_YET
            elif block.held_since is not None:
                # The slack of this run is used up: begin a new one.
                block.earliest = max(block.earliest, left + PRIMING_S)
        return max(0.0, block.earliest - at)

    def _account(self, played: int, silent: int, playing: bool) -> None:
        self.counters.played += played
        self.counters.silence += silent
        self.counters.underruns += self._playing and not playing
        self._playing = playing

    def _remove(self, samples: int) -> int:
        left = samples
        while left > 0 and self._blocks:
            block = self._blocks[0]
            step = min(left, block.left)
            block.place += step
            block.begun = True
            left -= step
            if not block.left:
                self._blocks.popleft()
        return max(0, samples) - max(0, left)
