"""Inbound media for `on_media`: every frame, in order, on one thread, bounded."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from reactor_runtime.authoring.active import use
from reactor_runtime.authoring.media import MediaBundle
from reactor_runtime.session.causes import Causes

if TYPE_CHECKING:
    from reactor_runtime.authoring.context import Context
    from reactor_runtime.authoring.model import VideoModel

log = logging.getLogger(__name__)

FEED_LIMIT = 32
"""Bundles that may wait for `on_media`: a second of video. One more drops the oldest."""


class MediaFeed:
    """Owns the media thread. `put` never blocks."""

    def __init__(self, causes: Causes | None = None) -> None:
        self._causes = causes or Causes()
        self.dropped = 0
        self.failed = 0
        self._queue: deque[tuple[VideoModel, Context, MediaBundle]] = deque()
        self._changed = threading.Condition()
        """Guards `_queue`, `_busy` and `_closed`: who ends the session and who puts meet here. Nothing else
        is taken meanwhile."""
        self._busy = False
        self._closed = False
        self.thread = threading.Thread(target=self._run, name="reactor-media", daemon=True)
        self.thread.start()

    def put(self, model: VideoModel, context: Context, bundle: MediaBundle) -> bool:
        """False when an older bundle had to go for it."""
        with self._changed:
            if context.should_stop():
                # Asked again under the lock: `end_session` may have run since the engine's thread asked.
                return True
            full = len(self._queue) >= FEED_LIMIT
            if full:
                self._queue.popleft()
                self.dropped += 1
                if self.dropped == 1:
                    log.warning(
                        "on_media is slower than the client; the oldest frames are dropped (over %d waited)",
                        FEED_LIMIT,
                    )
            self._queue.append((model, context, bundle))
            self._changed.notify_all()
        return not full

    def wait_idle(self, timeout: float) -> bool:
        """Return when `on_media` has seen everything; False when `timeout` seconds were not enough."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, timeout)

    def end_session(self) -> None:
        """Drop what waits and return when `on_media` is not running; however long that takes."""
        with self._changed:
            self._queue.clear()
            while self._busy:
                self._changed.wait()
            dropped, failed = self.dropped, self.failed
            self.dropped = self.failed = 0
        if failed > 1:
            log.warning("on_media failed %d times in this session; %d frames were dropped", failed, dropped)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                model, context, bundle = self._queue.popleft()
                self._busy = True
            self._call(model, context, bundle)
            del model, context, bundle
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _call(self, model: VideoModel, context: Context, bundle: MediaBundle) -> None:
        try:
            with use(context):
                model.on_media(bundle)
        # An author's hook may raise anything; the next frame is tried.
        except BaseException as error:
            self.failed += 1
            if self.failed == 1:
                reference = self._causes.add("on_media", error)
                log.exception(
                    "on_media failed (reference %s); further failures of this session are only counted",
                    reference,
                )
