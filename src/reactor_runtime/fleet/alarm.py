"""One timer of the event loop that is set again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls `rings(late)` with how many seconds too late it comes. `clock` is whose times it is given."""

    def __init__(self, clock: Callable[[], float], rings: Callable[[float], None]) -> None:
        self._clock = clock
        self._rings = rings
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, due: float | None) -> None:
        """Ring at this time instead; never, without one."""
        if due == self._due:
            return
        self.cancel()
        self._due = due
        if due is not None:
            delay = max(0.0, due - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._ring, due)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = self._timer = None

    def _ring(self, due: float) -> None:
        self._due = self._timer = None
        self._rings(self._clock() - due)
