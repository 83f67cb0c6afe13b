"""How far a visit has come, and how long it takes, on the session's clock. Any thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reactor_runtime.clock import Clock


class Timeline:
    """Made, entered, stopping: never backwards."""

    def __init__(self, clock: Clock) -> None:
        self.made = clock.time()
        self.entered = threading.Event()
        """Set when `start_session` is about to be called, or never will be: commands wait for it."""
        self.stopping = threading.Event()
        self._clock = clock
        self._began: float | None = None

    def begin(self) -> None:
        """`start_session` is about to be called."""
        self._began = self._clock.time()
        self.entered.set()

    def now(self) -> float:
        """Seconds since `start_session` began."""
        return 0.0 if self._began is None else self._clock.time() - self._began

    def lasted(self) -> float:
        """Seconds since the session was made."""
        return self._clock.time() - self.made

    def stop(self) -> None:
        self.stopping.set()

    def wait_stop(self, timeout: float) -> bool:
        return self._clock.wait_event(self.stopping, timeout)
