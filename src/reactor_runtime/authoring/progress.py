"""How far a model has come with loading, as its author says it."""

from __future__ import annotations

import logging
import math
import re
import threading
from dataclasses import dataclass
from typing import Any

from reactor_runtime.clock import WALL
from reactor_runtime.errors import ProgressError

log = logging.getLogger(__name__)

MESSAGE_MAX = 200
_ROUNDING = 1e-6
"""A share that was added up may miss 0 and 1 by this much; minutes of loading must not fail over it."""
_NUMBERS = re.compile(r"\d+")
COUNT_EVERY_S = 1.0
"""A message that differs from the last one in its numbers only gets a line of the log so often."""


@dataclass(frozen=True)
class Progress:
    """`share` is None where nobody knows it."""

    share: float | None = None
    message: str = ""


class LoadProgress:
    """What was said last. Authors write it from any thread, the server reads it from its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards everything here; `now` is read without it. Nothing else is taken meanwhile."""
        self._now = Progress()
        self._logged = ""
        self._logged_at = -COUNT_EVERY_S
        self._over = False

    @property
    def now(self) -> Progress:
        return self._now

    def report(self, progress: Progress) -> None:
        """Has no effect once loading is over: a thread of the author's may say it late."""
        with self._lock:
            if self._over:
                return
            self._now = progress
            news = self._is_news(progress.message)
        if news:
            log.info("Loading: %s", progress.message)

    def end(self) -> None:
        with self._lock:
            self._over = True
            last = self._now.message
            unsaid = last and last != self._logged
        if unsaid:
            log.info("Loading: %s", last)

    def _is_news(self, message: str) -> bool:
        if not message or message == self._logged:
            return False
        counts = _NUMBERS.sub("#", message) == _NUMBERS.sub("#", self._logged)
        now = WALL.time()
        if counts and now - self._logged_at < COUNT_EVERY_S:
            return False
        self._logged, self._logged_at = message, now
        return True


def checked(share: Any, message: Any) -> Progress:
    """What an author said. Raises `ProgressError`."""
    if not isinstance(message, str):
        raise ProgressError(f"progress() got {type(message).__name__} as its message; give it a text.")
    # One line, and nothing that JSON in UTF-8 cannot say, such as half a character of a file's name.
    line = " ".join(message.encode("utf-8", "replace").decode().split())
    if len(line) > MESSAGE_MAX:
        line = f"{line[: MESSAGE_MAX - 1]}…"
    return Progress(None if share is None else _share(share), line)


def _share(given: Any) -> float:
    try:
        if isinstance(given, (bool, str, bytes)):
            raise TypeError
        share = float(given)
    except (TypeError, ValueError):
        raise ProgressError(
            f"progress() got {given!r}; give it a number from 0 to 1, or None where it is not known."
        ) from None
    if math.isnan(share) or not -_ROUNDING <= share <= 1 + _ROUNDING:
        raise ProgressError(
            f"progress() got {given!r}; a share goes from 0 to 1: for 3 of 8 files say progress(3 / 8)."
        )
    return min(1.0, max(0.0, share))
