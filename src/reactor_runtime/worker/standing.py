"""How a worker stands, from one session to the next. Event loop only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from reactor_runtime.clock import Clock, timeout
from reactor_runtime.session.life import Life, SessionEnd
from reactor_runtime.session.states import State

log = logging.getLogger(__name__)

CRASHES_IN_A_ROW = 3
"""Sessions in a row that ended in an error before `/health` says that the model is failing."""


class Standing:
    """What its life does not remember."""

    def __init__(self, clock: Clock) -> None:
        self.started_at = clock.unix()
        self.load_error: str | None = None
        self.crashes = 0
        """Sessions in a row that ended in an error."""
        self.last_end: SessionEnd | None = None
        """How the last session ended; kept while the next one runs."""
        self.listener: Callable[[], object] = lambda: None
        """Called when the worker is in another state."""
        self.changed = asyncio.Event()
        """Set whenever the state may be another one."""
        self._clock = clock
        self._noted = State.CREATED

    def look(self, life: Life) -> tuple[State, State] | None:
        """The state before and now, once for each change."""
        self.last_end = life.end or self.last_end
        if life.state is self._noted:
            return None
        before, self._noted = self._noted, life.state
        return before, self._noted

    @property
    def failing(self) -> bool:
        return self.crashes >= CRASHES_IN_A_ROW

    def ended(self, failed: bool) -> None:
        """The model of a session has returned."""
        self.crashes = self.crashes + 1 if failed else 0
        if self.failing:
            log.error("The last %d sessions ended in an error; see the tracebacks above", self.crashes)

    async def wait_while_closing(self, life: Life, within: float) -> None:
        """Return when no session is closing any more, or after `within` seconds."""
        deadline = self._clock.time() + within
        while life.state is State.CLOSING and (left := deadline - self._clock.time()) > 0:
            self.changed.clear()
            try:
                async with timeout(self._clock, left):
                    await self.changed.wait()
            except TimeoutError:
                return
