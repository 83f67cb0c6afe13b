"""Commands that wait for the one that runs: events in order, of each state the newest alone."""

from __future__ import annotations

import itertools
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PENDING_LIMIT = 1024
"""Calls of events that may wait; one more is refused. States need no bound: one of each waits."""
EARLIER_LIMIT = 8
"""Calls of a state that were replaced, kept in case the newer ones turn out to be refused."""


@dataclass
class Call:
    """A command that a client asked for. `state` is what it is the newest call of; None for an event."""

    run: Callable[[Call], None]
    superseded: Callable[[], None]
    arguments: Any
    state: tuple[int, str] | None = None
    earlier: list[Any] = field(default_factory=list)
    """Arguments of the calls that this one replaced, the oldest first."""


class WaitingCalls:
    """Any thread. A newer call of a state stands at its own place in the order, behind the events that came
    before it; the one that it replaces is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards all three below, which tell of the same calls."""
        self._calls: OrderedDict[int, Call] = OrderedDict()
        self._places: dict[tuple[int, str], int] = {}
        self._events = 0
        self._numbers = itertools.count()

    def add(self, call: Call) -> Call | None:
        """Returns the call that this one replaces. Raises `queue.Full`."""
        with self._lock:
            number = next(self._numbers)
            if call.state is None:
                if self._events >= PENDING_LIMIT:
                    raise queue.Full
                self._events += 1
                self._calls[number] = call
                return None
            before = self._calls.pop(self._places.get(call.state, -1), None)
            if before is not None:
                call.earlier = [*before.earlier, before.arguments][-EARLIER_LIMIT:]
            self._places[call.state] = number
            self._calls[number] = call
            return before

    def take(self) -> Call:
        """The one that is next."""
        with self._lock:
            _, call = self._calls.popitem(last=False)
            if call.state is None:
                self._events -= 1
            else:
                del self._places[call.state]
            return call
