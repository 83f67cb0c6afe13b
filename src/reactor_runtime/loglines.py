"""What a log line may hold and how often one may come: text of strangers forges no line and fills no disk."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from numbers import Number
from weakref import WeakSet

from reactor_runtime.clock import WALL

PACKAGE = "reactor_runtime"
BURST_PER_CLIENT = 5
"""Lines of one kind that one client may cause at once."""
REFILL_PER_CLIENT_S = 10.0
"""Seconds until it may cause one more."""
BURST = 30
"""Lines of one kind at once, whoever causes them."""
REFILL_S = 1.0
KINDS_LIMIT = 1024
"""Kinds of lines and clients that are remembered; the oldest is forgotten."""
REPORT_S = 10.0
"""What was left out is told after so many seconds without a line of that kind."""

client: ContextVar[str | None] = ContextVar("reactor_runtime_log_client", default=None)
"""The client that causes what the running code does."""

sessions: list[Callable[[], int | None]] = []
"""Of each worker in this process, what gives the number of its session. Lines name it where there is one."""


def session() -> int | None:
    """The session that runs; None without one, and where several workers share the process."""
    return sessions[0]() if len(sessions) == 1 else None


def as_it_is(text: str) -> str:
    return text


plain: Callable[[str], str] = as_it_is
"""How a line for the terminal, which is none of the log, is written to stderr. Set with the log's format."""


# All that moves a cursor, ends a line (also for `str.splitlines`), turns text round or is half a character.
_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Block(str):
    """Text of our own that stays on several lines: stacks, lists. Never anything that a client said."""

    __slots__ = ()


def escaped(text: str) -> str:
    """`text` on one line, with its control characters as Python would write them."""
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def escaped_lines(text: str) -> str:
    """For a `Block` of lines that an author wrote: file names, source lines."""
    return "\n".join(map(escaped, text.split("\n")))


class _Escaped:
    """An argument of a line, escaped when it is asked for its text."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return escaped(str(self._value))

    def __repr__(self) -> str:
        return escaped(repr(self._value))


def _argument(value: object) -> object:
    if value is None or isinstance(value, Block | Number):
        return value
    return _Escaped(value)


def message_of(record: logging.LogRecord) -> str:
    """The text of a line. In one of ours only the arguments may be a stranger's; in others all of it."""
    if not record.name.startswith(PACKAGE):
        return escaped(record.getMessage())
    text, arguments = str(record.msg), record.args
    if not arguments:
        return text
    if isinstance(arguments, Mapping):
        return text % {key: _argument(value) for key, value in arguments.items()}
    return text % tuple(_argument(value) for value in arguments)


@dataclass
class _Bucket:
    tokens: float
    at: float
    left_out: int = 0
    since: float = field(default=0.0)

    def take(self, now: float, burst: int, refill: float) -> bool:
        self.tokens = min(float(burst), self.tokens + (now - self.at) / refill)
        self.at = now
        if self.tokens < 1:
            self.left_out += 1
            self.since = now
            return False
        self.tokens -= 1
        return True


Key = tuple[str, str, str | None]
"""Logger, template and client; no client in the bucket that all share."""


class Limits(logging.Filter):
    """Bounds lines by kind (logger and template) and client, and counts what it leaves out.

    It stands before every handler, so that no handler of anybody's is flooded.
    """

    def __init__(self, clock: Callable[[], float] = WALL.time) -> None:
        super().__init__()
        self._clock = clock
        self._buckets: OrderedDict[Key, _Bucket] = OrderedDict()
        self._loggers: list[logging.Logger] = []
        self.renew_lock()
        _alive.add(self)

    def renew_lock(self) -> None:
        """Guards the buckets. A forked child gets a new one: who held the old one is not there."""
        self._lock = threading.Lock()

    def install(self) -> None:
        """Stand before the loggers of this package that there are now."""
        known = logging.Logger.manager.loggerDict
        ours = [name for name in list(known) if name.startswith(f"{PACKAGE}.") and name != __name__]
        self._loggers = [logging.getLogger(name) for name in ours]
        for logger in self._loggers:
            logger.addFilter(self)

    def remove(self) -> None:
        for logger in self._loggers:
            logger.removeFilter(self)
        self._tell(float("inf"))

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.INFO or record.levelno >= logging.CRITICAL:
            return True
        kind, now, who = (record.name, str(record.msg)), self._clock(), client.get()
        with self._lock:
            if who is not None:
                own = self._bucket((*kind, who), now, BURST_PER_CLIENT)
                if not own.take(now, BURST_PER_CLIENT, REFILL_PER_CLIENT_S):
                    return False
                left_out, own.left_out = own.left_out, 0
            else:
                left_out = 0
            shared = self._bucket((*kind, None), now, BURST)
            if not shared.take(now, BURST, REFILL_S):
                shared.left_out += left_out
                return False
            record.left_out = left_out + shared.left_out
            shared.left_out = 0
        return True

    def report(self) -> None:
        """Tell what was left out where no further line of that kind came to tell it. Call now and then."""
        self._tell(self._clock() - REPORT_S)

    def _tell(self, until: float) -> None:
        with self._lock:
            due = [(key, b) for key, b in self._buckets.items() if b.left_out and b.since <= until]
            counts = [(key, bucket.left_out) for key, bucket in due]
            for _, bucket in due:
                bucket.left_out = 0
        for (name, template, who), count in counts:
            logging.getLogger(__name__).warning(
                "%d lines like this were left out%s: %s: %s",
                count,
                "" if who is None else f" of client {who}",
                name.removeprefix(f"{PACKAGE}."),
                template,
            )

    def _bucket(self, key: Key, now: float, burst: int) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(float(burst), now)
            if len(self._buckets) > KINDS_LIMIT:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket


_alive: WeakSet[Limits] = WeakSet()


def _after_fork() -> None:
    for limits in _alive:
        limits.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
