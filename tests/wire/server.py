"""A real `reactor run` in a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

MODELS = Path(__file__).parent / "models"
START_S = 30


class Server:
    """`url` once it serves; `log` is what it wrote to stderr so far."""

    def __init__(self, project: Path, *arguments: str, process_group: int | None = None) -> None:
        command = [
            sys.executable,
            "-m",
            "reactor_runtime",
            "run",
            "-p",
            str(project),
            "--port",
            "0",
            *arguments,
        ]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, process_group=process_group
        )
        self.log = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self._wait_for(r"Serving \S+ on (https?://\S+)")

    def wait_ready(self) -> None:
        """Until the model has loaded."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if httpx.get(f"{self.url}/health").status_code == 200:
                return
            time.sleep(0.05)
        raise AssertionError(f"the model did not load:\n{self.log}")

    def state(self) -> str:
        return str(httpx.get(f"{self.url}/session").json()["state"])

    def wait_state(self, state: str, within: float = 30) -> None:
        deadline = time.monotonic() + within
        while self.state() != state:
            assert time.monotonic() < deadline, f"still {self.state()}, not {state}:\n{self.log}"
            time.sleep(0.05)

    def stop_session(self) -> None:
        """Whoever plays; the next session can begin then."""
        httpx.post(f"{self.url}/stop_session", timeout=20)
        self.wait_state("READY")

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self._reader.join(5)
            assert self.process.stderr is not None
            self.process.stderr.close()
        return status

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log += line

    def _wait_for(self, pattern: str) -> str:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = re.search(pattern, self.log)
            if found:
                return found.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        self.process.kill()
        raise AssertionError(f"the server did not start:\n{self.log}")


@contextmanager
def running(project: str, *arguments: str) -> Iterator[Server]:
    """A server of `models/<project>` that is ready; it must end well."""
    server = Server(MODELS / project, *arguments)
    try:
        server.wait_ready()
        yield server
    finally:
        status = server.stop()
    assert status == 0, server.log
