"""One worker process: how it is started, what it writes, how it ends. Its group ends with it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reactor_runtime.project import environment

from .engine import LAST_LINES

LINE_LIMIT = 8192
"""Bytes of a line of a log; what is longer is cut into several."""


class WorkerProcess:
    """A `reactor run` of its own session and group. Callbacks come on threads of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        variables: Mapping[str, str],
        on_port: Callable[[int], None],
        on_end: Callable[[int], None],
        on_line: Callable[[str, str], None],
    ) -> None:
        """Call it on a thread that lives as long as the engine: the worker ends with that thread."""
        self.name = name
        self.lines: deque[str] = deque(maxlen=LAST_LINES)
        self._on_port, self._on_end, self._on_line = on_port, on_end, on_line
        self._asked = False  # to go
        reading, writing = os.pipe()
        own = {
            environment.WORKER: name,
            environment.WORKER_PARENT: str(os.getpid()),
            environment.WORKER_FD: str(writing),
        }
        try:
            self._process = subprocess.Popen(
                list(command),
                env={**variables, **own},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(writing,),
                start_new_session=True,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, name=f"reactor-log-{name}", daemon=True)
        self._watcher = threading.Thread(
            target=self._watch, args=(reading,), name=f"reactor-watch-{name}", daemon=True
        )
        self._reader.start()
        self._watcher.start()

    def terminate(self) -> None:
        """Ask it to end its session and go. Once: asked twice it goes at once, and tidies nothing up."""
        if self._asked:
            return
        self._asked = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it and everything in its group, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _watch(self, reading: int) -> None:
        with open(reading, "rb") as pipe:
            port = pipe.readline(16)
        if port.strip().isdigit():
            self._on_port(int(port))
        self._wait_unreaped()
        # While it is unreaped its number is nobody else's, so that this ends what it has started.
        self.kill()
        status = self._process.wait()
        # Not for ever: a daemon of the author's may hold the pipe.
        self._reader.join(1.0)
        self._on_end(status)

    def _wait_unreaped(self) -> None:
        if hasattr(os, "waitid"):
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            while raw := stream.readline(LINE_LIMIT):
                line = raw.decode("utf-8", "backslashreplace").rstrip("\r\n")
                self.lines.append(line)
                self._on_line(self.name, line)


def to_stderr(name: str, line: str) -> None:
    """The log of a worker in that of the fleet."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"[{name}] {line}\n")
        sys.stderr.flush()


def to_stderr_as_json(name: str, line: str) -> None:
    """The same where every line is an object; what a worker wrote that is none is its message."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(json.dumps({**_object(line), "worker": name}) + "\n")
        sys.stderr.flush()


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"level": "info", "logger": "worker", "message": line}
