"""A model and a pacer in virtual time: no threads, no sleeping."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from reactor_runtime.media.pacing import Pacer
from reactor_runtime.testing import VirtualClock


@dataclass
class Show:
    """What happened: when each frame was emitted and when it left, in seconds; frames are numbered from 0."""

    emitted: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    longest_queue: int = 0
    ended: float = 0.0
    """When the model had emitted everything."""

    @property
    def gaps(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.left, self.left[1:], strict=False)]

    @property
    def delays(self) -> list[float]:
        return [left - emitted for emitted, left in zip(self.emitted, self.left, strict=True)]


def play(steps: Iterable[tuple[float, int]], rate: float = 0.0) -> Show:
    """Each step takes some seconds and gives some frames; the model waits where the pacer holds it."""
    clock, pacer, show = VirtualClock(), Pacer[int](rate), Show()
    for cost, count in steps:
        _let_out(clock, pacer, show, until=clock.now + cost)
        pacer.note_cost(count, cost)
        while not pacer.has_room(count):
            due = pacer.due(clock.now)
            assert due is not None, "the model is held back, and nothing waits"
            _let_out(clock, pacer, show, until=max(due, clock.now))
        first = len(show.emitted)
        show.emitted += [clock.now] * count
        pacer.push(range(first, first + count))
        show.longest_queue = max(show.longest_queue, len(pacer))
        while (begin := pacer.begin_next(count)) > clock.now:
            _let_out(clock, pacer, show, until=begin)
    show.ended = clock.now
    _let_out(clock, pacer, show, until=clock.now + 3600)
    return show


def _let_out(clock: VirtualClock, pacer: Pacer[int], show: Show, until: float) -> None:
    while (due := pacer.due(clock.now)) is not None and due <= until:
        _move_to(clock, due)
        item = pacer.pop(clock.now)
        assert item is not None, "a frame is due and does not leave"
        show.left.append(clock.now)
        show.order.append(item)
    _move_to(clock, until)


def _move_to(clock: VirtualClock, at: float) -> None:
    """The difference of two times is rounded: by itself it may end a hair before `at`."""
    clock.advance(max(0.0, at - clock.now))
    while clock.now < at:
        clock.advance(math.ulp(at))
