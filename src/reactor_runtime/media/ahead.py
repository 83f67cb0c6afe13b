"""An encoder that is opened before its first client is there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from .encoders import VideoEncoder

log = logging.getLogger(__name__)

BREATH_S = 0.005
"""What is under way goes first, such as the answer to whoever began the session: opening holds the
interpreter."""
OPENING_S = 5.0
"""How long one that is just being opened is waited for; what comes later is closed again."""


class OpenedAhead:
    """Opens one on a thread of its own; whoever takes it is the one that uses it. Any thread."""

    def __init__(
        self,
        open_: Callable[[], VideoEncoder],
        bits_per_second: int,
        within: float = OPENING_S,
        breath: float = BREATH_S,
    ) -> None:
        self.bits_per_second = bits_per_second
        """What it is told to make."""
        self._open = open_
        self._within = within
        self._breath = breath
        self._lock = threading.Lock()
        """Guards `_encoder` and `_wanted`; an encoder is opened and closed without it."""
        self._encoder: VideoEncoder | None = None
        self._wanted = True
        self._needed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reactor-encoder-ahead", daemon=True)
        self._thread.start()

    def take(self) -> VideoEncoder | None:
        """It, once; None where it could not be opened, or not in time. Waits while it is being opened."""
        self._needed.set()
        self._thread.join(self._within)
        with self._lock:
            self._wanted = False
            encoder, self._encoder = self._encoder, None
        return encoder

    def close(self) -> None:
        """Nobody takes it."""
        encoder = self.take()
        if encoder is not None:
            encoder.close()

    def _run(self) -> None:
        self._needed.wait(self._breath)
        try:
            encoder = self._open()
        except Exception:
            # Who needs it tries again, and tells the client.
            log.debug("An encoder could not be opened ahead", exc_info=True)
            return
        with self._lock:
            if self._wanted:
                self._encoder = encoder
                return
        encoder.close()
