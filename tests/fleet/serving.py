"""A real `reactor serve`, and what its users do, without browsers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

TOY = Path(__file__).parent / "toy"
START_S = 110.0


class Fleet:
    """`url` once it listens; `log` is what it and its workers wrote."""

    def __init__(
        self,
        *arguments: str,
        port: int = 0,
        project: Path = TOY,
        program: str = "reactor_runtime",
        **variables: str,
    ) -> None:
        command = [sys.executable, "-m", program, "serve", "-p", str(project), "--port", str(port)]
        self.process = subprocess.Popen(
            [*command, *arguments], stderr=subprocess.PIPE, text=True, env={**os.environ, **variables}
        )
        self.log = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.until(lambda: "on http://" in self.log, "it does not listen")
        self.url = re.findall(r"on (http://[^\s\"]+)", self.log)[0]
        self.http = httpx.Client(base_url=self.url, timeout=20)

    def until(self, condition: Callable[[], Any], otherwise: str, within: float = START_S) -> float:
        """Wait for a condition; returns how long that took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < within, f"{otherwise}\n{self.log}"
            assert self.process.poll() is None, f"it ended\n{self.log}"
            time.sleep(0.05)
        return time.monotonic() - began

    def workers(self) -> dict[str, dict[str, Any]]:
        return {worker["id"]: worker for worker in self.get("/fleet")["workers"]}

    def get(self, path: str) -> dict[str, Any]:
        try:
            return dict(self.http.get(path).json())
        except httpx.TransportError:
            # Between two gateways.
            return {"workers": [], "state": "", "queue": {}}

    def wait_ready(self, count: int) -> None:
        self.until(lambda: sum(w["state"] == "ready" for w in self.workers().values()) == count, "not ready")

    def ticket(self) -> str:
        """Of somebody new: no cookie."""
        response = httpx.post(f"{self.url}/tickets")
        assert response.status_code == 201, response.text
        return str(response.json()["ticket"])

    def place(self, ticket: str) -> dict[str, Any]:
        return self.get(f"/tickets/{ticket}")

    def claim(self, ticket: str) -> dict[str, Any]:
        self.until(lambda: self.place(ticket)["state"] == "offered", "it is not the turn of this ticket")
        response = self.http.post(f"/tickets/{ticket}/claim")
        assert response.status_code == 200, response.text
        return dict(response.json())

    def worker_of(self, session: str) -> dict[str, Any]:
        return next(worker for worker in self.workers().values() if worker["session"] == session)

    def gateway_pid(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(int(c) for c in children if b"serve" in Path(f"/proc/{c}/cmdline").read_bytes())

    def stop(self) -> int:
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self._reader.join(5)
            assert self.process.stderr is not None
            self.process.stderr.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log += line


@contextmanager
def serving(*arguments: str, ready: int = 1, **variables: Any) -> Iterator[Fleet]:
    fleet = Fleet(*arguments, **variables)
    try:
        fleet.wait_ready(ready)
        yield fleet
    finally:
        status = fleet.stop()
    assert status == 0, fleet.log


class Stream:
    """The server-sent events of a ticket, and when each came."""

    def __init__(self, fleet: Fleet, ticket: str) -> None:
        self.places: list[tuple[float, dict[str, Any]]] = []
        self._url = f"{fleet.url}/tickets/{ticket}/events"
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            with httpx.stream("GET", self._url, timeout=60) as response:
                for line in response.iter_lines():
                    if line.startswith("data: "):
                        self.places.append((time.monotonic(), json.loads(line[6:])))
        except httpx.TransportError:
            return

    def last(self) -> dict[str, Any]:
        return self.places[-1][1] if self.places else {}
