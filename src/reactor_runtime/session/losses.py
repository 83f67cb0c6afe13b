"""What a session loses besides its frames, counted where it is lost. Silent loss would be the bug."""

from __future__ import annotations

import threading
from enum import StrEnum


class Lost(StrEnum):
    """Where something was lost. A bounded set: these are labels in `/metrics`."""

    UNHEARD = "messages_unheard"
    """The model said it while nobody was connected."""
    UNSENT = "messages_unsent"
    """One client's channel did not take it: too large for that client, closed, or too many waited."""
    EARLY = "messages_early"
    """From a client, before its connection was up: too many waited."""
    CHANNELS = "channels"
    """Data channels of a client beyond those that it may open."""
    NETWORK = "network"
    """Frames that one client's network did not carry, and those before the keyframe it begins with."""
    OVERSIZED = "pictures_too_large"
    """Pictures of clients that were too large to be decoded or converted."""
    CANDIDATES = "candidates_refused"
    """Addresses that clients named and the engine does not get; see `transports.candidates`."""
    FRAME_TIMES = "frame_times"
    """Commands of which a client was not told when their frame went out: too many waited for theirs."""
    ON_MEDIA = "on_media"
    """Frames and blocks of clients that `on_media` was too slow for."""


class Losses:
    """Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards the counts. Nothing else is taken meanwhile."""
        self._counts = dict.fromkeys(Lost, 0)

    def add(self, place: Lost, count: int = 1) -> int:
        """Returns how many were lost there before, so that the first one can be logged."""
        with self._lock:
            before = self._counts[place]
            self._counts[place] += count
        return before

    def counts(self) -> dict[str, int]:
        with self._lock:
            return {place.value: count for place, count in self._counts.items()}
