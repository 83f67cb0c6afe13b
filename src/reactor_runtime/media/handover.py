"""The step from the playout to the encoders."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from reactor_runtime.clock import Clock

from .sync import Picture

log = logging.getLogger(__name__)

GATE_S = 0.1
"""How long a due picture waits for a busy encoder before the encoder has to drop something."""
GATE_POLL_S = 0.002


class Handover:
    """Gives pictures to `deliver`, which must not block; `ready` says whether the encoders can take one now.

    A flush counts `epoch` up: a picture that was taken from the queue before is not delivered after it.
    """

    def __init__(
        self, deliver: Callable[[Picture, float], None], ready: Callable[[], bool], clock: Clock
    ) -> None:
        self.ready = ready
        self.epoch = 0
        """Changed with the playout's lock held."""
        self._deliver = deliver
        self._clock = clock
        self._handing = threading.Lock()
        """Guards a hand-over: a flush returns behind it, not within. An encoding's may be taken meanwhile."""

    def wait_until_ready(self, closed: Callable[[], bool]) -> None:
        """Give busy encoders a little time; no lock is held."""
        deadline = self._clock.time() + GATE_S
        while not self.ready() and not closed() and self._clock.time() < deadline:
            self._clock.sleep(GATE_POLL_S)

    def give(self, picture: Picture, epoch: int) -> bool:
        """Deliver a picture that was taken in `epoch`; False when there was a flush since."""
        with self._handing:
            if epoch != self.epoch:
                return False
            self.give_now(picture)
        return True

    def give_now(self, picture: Picture) -> None:
        """For who holds the playout's lock, under which no flush can come between."""
        try:
            self._deliver(picture, self._clock.time())
        except Exception:
            log.exception("A picture could not be handed to the encoders; the next one will be tried")

    def settle(self) -> None:
        """Return when what was being handed over is with the encoders."""
        with self._handing:
            pass
