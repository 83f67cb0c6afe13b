"""Why author code failed: a short reference for whoever is told, and the words for who may read them.

The reference stands in the log line and in the client's message. The exception's own words are kept for who
sits at the machine; elsewhere they are in the log only.
"""

from __future__ import annotations

import secrets
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass

from reactor_runtime.authoring.lines import authors, source, where
from reactor_runtime.loglines import escaped

CAUSES_LIMIT = 64
"""Failures that are remembered; one more forgets the oldest."""
TEXT_LIMIT = 2000
"""Characters kept of an exception's words, and of a line."""


@dataclass(frozen=True)
class Cause:
    """`hook` is what ran: `start_session`, `reset`, `on_media`, or a command's name."""

    reference: str
    hook: str
    error: str
    line: str
    """The author's own line, with its place; empty where the stack has none."""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


class Causes:
    """Any thread."""

    def __init__(self) -> None:
        self.heard: Callable[[Cause], None] = lambda _: None
        """Hears of each failure, on the thread that it happened on."""
        self._lock = threading.Lock()
        """Guards the failures."""
        self._kept: OrderedDict[str, Cause] = OrderedDict()

    def add(self, hook: str, error: BaseException) -> str:
        """Remember a failure; returns its reference. Nothing of the stack is kept alive."""
        own = authors(traceback.extract_tb(error.__traceback__))
        line = f"{where(own[-1])}: {source(own[-1])}" if own else ""
        cause = Cause(secrets.token_hex(4), hook, _short(_words(error)), _short(line))
        with self._lock:
            self._kept[cause.reference] = cause
            if len(self._kept) > CAUSES_LIMIT:
                self._kept.popitem(last=False)
        self.heard(cause)
        return cause.reference

    def find(self, reference: str) -> Cause | None:
        with self._lock:
            return self._kept.get(reference)

    def newest(self, hook: str) -> Cause | None:
        with self._lock:
            return next((each for each in reversed(self._kept.values()) if each.hook == hook), None)


def _words(error: BaseException) -> str:
    try:
        text = str(error)
    # An author's exception may raise while it is asked for its words.
    except Exception:  # noqa: BLE001  # as said above
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _short(text: str) -> str:
    return escaped(text[:TEXT_LIMIT])
