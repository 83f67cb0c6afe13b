"""`reactor run` in a process of its own, which can die and come back on the same port."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from .pages import until

REACTOR = [sys.executable, "-c", "from reactor_runtime.cli.main import main; main()"]


class Server:
    def __init__(self, model: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.model = model
        self.options = options
        self._process: subprocess.Popen[str] | None = None
        self.log: list[str] = []

    def start(self) -> None:
        command = [*REACTOR, "run", "-p", str(self.model), "--port", str(self.port), *self.options]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        serving = threading.Event()
        threading.Thread(target=self._read, args=(self._process, serving), daemon=True).start()
        assert serving.wait(30), "".join(self.log)

    def _read(self, process: subprocess.Popen[str], serving: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.log.append(line)
                if re.search(rf"Serving \S+ on http://127.0.0.1:{self.port}", line):
                    serving.set()

    def kill(self) -> None:
        """As if the machine had lost power: nobody is told anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop_session(self, page: Any) -> None:
        """The next test begins with a session of its own."""
        page.context.request.post(f"{self.url}/stop_session")


def live(page: Any) -> None:
    page.locator("html[data-phase=live]").wait_for()
    until(page, "document.querySelector('video').videoWidth > 0")
