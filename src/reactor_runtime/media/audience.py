"""Who takes one encode, and what their networks carry."""

from __future__ import annotations

from typing import Protocol

from .encoders import EncodedFrame


class FrameSink(Protocol):
    """One receiver of encoded frames: a peer's track, or a recording."""

    def push(self, frame: EncodedFrame) -> None:
        """Called on the encoder thread; must not block."""


class Audience:
    """Changed with the encoding's lock held; `sinks` and `estimate` are read without it."""

    def __init__(self) -> None:
        self.sinks: tuple[FrameSink, ...] = ()
        """Copy-on-write: a peer that leaves while a frame goes out touches nothing."""
        self._newcomers: set[FrameSink] = set()
        """Those that have not got a keyframe yet; nothing before it is of use to them."""
        self._estimates: dict[FrameSink, int] = {}
        self._silent_losers: set[FrameSink] = set()
        """Those that lose something and do not ask for a keyframe."""

    def add(self, sink: FrameSink, estimate: int | None) -> None:
        if estimate is not None:
            self._estimates[sink] = estimate
        if sink not in self.sinks:
            self._newcomers.add(sink)
            self.sinks = (*self.sinks, sink)

    def remove(self, sink: FrameSink) -> None:
        self.sinks = tuple(other for other in self.sinks if other is not sink)
        self._newcomers.discard(sink)
        self._estimates.pop(sink, None)
        self._silent_losers.discard(sink)

    def clear(self) -> None:
        self.sinks = ()
        self._newcomers.clear()
        self._estimates.clear()
        self._silent_losers.clear()

    def note_loss(self, sink: FrameSink, silent: bool) -> bool:
        """Say whether `sink` loses something and does not ask; returns whether anybody does."""
        if silent and sink in self.sinks:
            self._silent_losers.add(sink)
        else:
            self._silent_losers.discard(sink)
        return self.loses_silently()

    def loses_silently(self) -> bool:
        return bool(self._silent_losers)

    def receivers(self, key: bool) -> tuple[FrameSink, ...]:
        """Who gets the next frame; a keyframe makes newcomers into everybody else."""
        if key:
            self._newcomers.clear()
        if not self._newcomers:
            return self.sinks
        return tuple(sink for sink in self.sinks if sink not in self._newcomers)

    def set_estimate(self, sink: FrameSink, bits_per_second: int) -> None:
        """What the network of one sink is thought to carry; nothing for one that is not there."""
        if sink in self.sinks:
            self._estimates[sink] = bits_per_second

    def estimate(self, sink: FrameSink) -> int | None:
        """None before anybody has said so."""
        return self._estimates.get(sink)

    def estimates(self) -> list[int]:
        return list(self._estimates.values())
