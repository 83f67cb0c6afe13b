"""Messages from the author's threads to the event loop: bounded, in order, counted when they are lost."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

OUTBOX_LIMIT = 1024
"""Messages that may wait for the event loop; one more drops the oldest."""


class Outbox:
    """`put` on any thread; `take` on the loop after `wake` has been called."""

    def __init__(self, wake: Callable[[], None], seen: Callable[[str], None] | None = None) -> None:
        """`seen` is told of every message, in the caller's thread, and must not block."""
        self.dropped = 0
        self._wake = wake
        self._seen = seen
        self._messages: deque[str] = deque()
        self._lock = threading.Lock()
        """Guards everything here; `wake` is called without it. Nothing else is taken meanwhile."""
        self._scheduled = False
        self._closed = False

    def put(self, text: str) -> None:
        with self._lock:
            if self._closed:
                return
            if len(self._messages) >= OUTBOX_LIMIT:
                self._messages.popleft()
                self.dropped += 1
                if self.dropped == 1:
                    log.warning(
                        "The model sends messages faster than they leave; the oldest are dropped (more "
                        "than %d waited). Send less often. Said once per session.",
                        OUTBOX_LIMIT,
                    )
            self._messages.append(text)
            wake, self._scheduled = not self._scheduled, True
        if wake:
            self._wake()
        if self._seen is not None:
            self._seen(text)

    def take(self) -> list[str]:
        with self._lock:
            messages = list(self._messages)
            self._messages.clear()
            self._scheduled = False
        return messages

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._messages.clear()
