"""Log lines: all on stderr, one format, so that stdout belongs to what a command prints."""

from __future__ import annotations

import logging
import sys

PACKAGE = "reactor_runtime"


class _Stderr:
    """Whatever `sys.stderr` is at the moment of writing; tests and authors replace it."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class Formatter(logging.Formatter):
    """``14:03:07 text`` for our own news, ``14:03:07 warning  session.worker: text`` for all else."""

    def __init__(self, verbose: bool = False) -> None:
        super().__init__("%(asctime)s %(label)s%(message)s", datefmt="%H:%M:%S")
        self._verbose = verbose

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.startswith(PACKAGE)
        news = record.levelno == logging.INFO
        level = "" if news else f"{record.levelname.lower()}  "
        source = "" if ours and news and not self._verbose else f"{record.name.removeprefix(f'{PACKAGE}.')}: "
        record.label = f"{level}{source}"
        return super().format(record)


def setup(verbose: bool) -> None:
    """Send the log to stderr: INFO and above, and with `verbose` this package's DEBUG lines too."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler.formatter, Formatter)]:
        root.removeHandler(handler)
    handler = logging.StreamHandler(_Stderr())
    handler.setFormatter(Formatter(verbose))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger(PACKAGE).setLevel(logging.DEBUG if verbose else logging.INFO)
    # Its INFO lines say what ours say already.
    logging.getLogger("uvicorn").setLevel(logging.INFO if verbose else logging.WARNING)
