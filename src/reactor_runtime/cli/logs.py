"""Log lines: all on stderr, one format, so that stdout belongs to what a command prints."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from reactor_runtime import loglines
from reactor_runtime.loglines import PACKAGE, escaped, message_of
from reactor_runtime.process import stdio, terminal

_HEADINGS = ("\nThe above exception was", "\nDuring handling of")


class _Stderr:
    """What `reactor run` keeps for itself, else whatever `sys.stderr` is at the moment; tests replace it."""

    def write(self, text: str) -> int:
        if stdio.own is not None:
            terminal.above(text)
            return stdio.own.write(text)
        # A stream that somebody has closed costs the line, never whoever wrote it.
        with contextlib.suppress(ValueError, OSError, AttributeError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        if stdio.own is None:
            with contextlib.suppress(ValueError, OSError, AttributeError):
                sys.stderr.flush()


class Formatter(logging.Formatter):
    """``2026-11-28 14:03:07 s2 c7 text`` for our own news, else with ``warning  session.outbox: `` before it.

    ``s2`` is the session that runs, ``c7`` the client that causes the line. A line is one line: what clients
    and models said is escaped, in tracebacks too.
    """

    def __init__(self, verbose: bool = False) -> None:
        super().__init__(datefmt="%Y-%m-%d %H:%M:%S")
        self._verbose = verbose

    def format(self, record: logging.LogRecord) -> str:
        at = self.formatTime(record, self.datefmt)
        lines = [f"{at} {_who()}{self._label(record)}{message_of(record)}"]
        left_out = getattr(record, "left_out", 0)
        if left_out:
            lines[0] += f" ({left_out} lines like this were left out before)"
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        if record.stack_info:
            lines.append(record.stack_info)
        return "\n".join(lines)

    def formatException(self, ei: logging._SysExcInfoType) -> str:  # noqa: N802  # logging's name
        kind, error, trace = ei
        if kind is None or error is None:
            return "(no exception)"
        return _traceback(error, trace)

    def _label(self, record: logging.LogRecord) -> str:
        ours = record.name.startswith(PACKAGE)
        news = record.levelno == logging.INFO
        level = "" if news else f"{record.levelname.lower()}  "
        source = "" if ours and news and not self._verbose else f"{record.name.removeprefix(f'{PACKAGE}.')}: "
        return f"{escaped(level)}{escaped(source)}"


class JsonFormatter(Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, and `session`, `client`, `left_out`,
    `exception` where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name.removeprefix(f"{PACKAGE}."),
            "message": message_of(record),
            "session": loglines.session(),
            "client": loglines.client.get(),
            "left_out": getattr(record, "left_out", 0) or None,
            "exception": self.formatException(record.exc_info) if record.exc_info else None,
            "stack": record.stack_info,
        }
        return json.dumps({key: value for key, value in line.items() if value is not None})


def _who() -> str:
    session, client = loglines.session(), loglines.client.get()
    # A number is a client of the session; anything else an address that asks over HTTP.
    who = "" if client is None else f"c{client} " if client.isdecimal() else f"{escaped(client)} "
    return f"{'' if session is None else f's{session} '}{who}"


def _traceback(error: BaseException, trace: TracebackType | None) -> str:
    """As Python prints it, but what an exception says stays on its line."""
    parts = []
    for chunk in traceback.TracebackException(type(error), error, trace).format():
        body = chunk.removesuffix("\n")
        if body.lstrip(" |+").startswith(("File ", "Traceback (")) or body.startswith(_HEADINGS):
            # Source lines and headings: as many lines as they have, each of them harmless.
            parts.append("\n".join(escaped(line) for line in body.split("\n")))
        else:
            parts.append(escaped(body))
    return "\n".join(parts)


def _plain_json(text: str) -> str:
    """For what is not logged, as an address with its token."""
    return json.dumps({"level": "info", "logger": "terminal", "message": text})


FORMATS = {"text": Formatter, "json": JsonFormatter}
LEVELS = ("debug", "info", "warning", "error")


def setup(verbose: bool, form: str = "text", level: str = "") -> None:
    """Send the log to stderr: INFO and above, or `level`; with `verbose` this package's DEBUG lines too."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler.formatter, Formatter)]:
        root.removeHandler(handler)
    handler = logging.StreamHandler(_Stderr())
    handler.setFormatter(FORMATS[form](verbose))
    root.addHandler(handler)
    loglines.plain = _plain_json if form == "json" else loglines.as_it_is
    least: int = getattr(logging, level.upper()) if level else logging.INFO
    root.setLevel(max(least, logging.INFO))  # DEBUG of libraries is nobody's but theirs
    logging.getLogger(PACKAGE).setLevel(logging.DEBUG if verbose else least)
    # Its INFO lines say what ours say already.
    logging.getLogger("uvicorn").setLevel(logging.INFO if verbose else max(least, logging.WARNING))
