"""Contenders, how each is started, and what its processes cost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .environments import HERE, ROOT

STUDIO = HERE / "studio"
START_S = 60
STOP_S = 10
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Contender:
    """One way to serve the model. `codec` narrows what the receiver offers; None leaves the default."""

    name: str
    environment: str
    distribution: str
    folder: str
    command: tuple[str, ...]
    signalling: str
    codec: str | None = None
    ours: bool = False
    viewers: bool = True
    why_one_viewer: str = ""
    environ: tuple[tuple[str, str], ...] = ()

    @property
    def python(self) -> Path:
        return ROOT / self.environment / "bin" / "python"


_OURS = ("-m", "reactor_runtime", "run", "--host", "127.0.0.1", "--port", "{port}", "--viewers", "8")
_V1 = (
    "-c",
    "from reactor_cli.main import main; main()",
    *("run", "--runtime", "http", "--host", "127.0.0.1", "--port", "{port}"),
)
_ONE_PEER = "it serves one peer at a time"

CONTENDERS = (
    Contender("ours", "ours", "reactor-runtime", "ours", _OURS, "ours", ours=True),
    Contender("ours, VP8", "ours", "reactor-runtime", "ours", _OURS, "ours", codec="VP8", ours=True),
    Contender(
        *("public 1.7", "public-1.7", "reactor_runtime", "public_1_7", _V1, "g2"),
        viewers=False,
        why_one_viewer=_ONE_PEER,
    ),
    Contender(
        *("public 3", "public-3", "reactor-runtime", "public_3", ("-m", "reactor_runtime.serve"), "g3"),
    ),
    Contender(
        *("public 3, VP8", "public-3", "reactor-runtime", "public_3", ("-m", "reactor_runtime.serve"), "g3"),
        codec="VP8",
    ),
    Contender("FastRTC", "fastrtc", "fastrtc", "fastrtc", ("app.py",), "fastrtc"),
)


def version(contender: Contender) -> str:
    """What is installed of it."""
    script = f"import importlib.metadata as m; print(m.version({contender.distribution!r}))"
    return subprocess.run(
        [str(contender.python), "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()


class Server:
    """A running contender. `base` is its URL."""

    def __init__(self, process: subprocess.Popen[bytes], base: str) -> None:
        self.process = process
        self.base = base

    def cpu(self) -> float:
        """Seconds of processor time that it and its children have used."""
        return sum(_cpu_ticks(pid) for pid in _tree(self.process.pid)) / TICKS

    def rss(self) -> float:
        """MiB of memory of it and its children."""
        return sum(_rss_pages(pid) for pid in _tree(self.process.pid)) * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def running(contender: Contender, port: int, size: tuple[int, int], log: Path) -> Iterator[Server]:
    """Start it, wait until it is ready, and end it and all its children."""
    command = [str(contender.python), *(part.format(port=port) for part in contender.command)]
    environ = {
        **os.environ,
        "PYTHONPATH": str(STUDIO),
        "PYTHONDONTWRITEBYTECODE": "1",
        "BENCH_WIDTH": str(size[0]),
        "BENCH_HEIGHT": str(size[1]),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        **dict(contender.environ),
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=HERE / "contenders" / contender.folder,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_ready(process, base, log)
            yield Server(process, base)
        finally:
            _end(process)


def _wait_ready(process: subprocess.Popen[bytes], base: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=2) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    status = process.poll()
    what = f"it did not start within {START_S} s" if status is None else f"it ended with status {status}"
    raise RuntimeError(f"{what}; the end of its log: {tail}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Its session is its own, so the group holds its processes and no others."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, kind)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            continue
    process.poll()


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None:
            children.setdefault(int(stat[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def _cpu_ticks(pid: int) -> int:
    stat = _stat(pid)
    return 0 if stat is None else sum(int(field) for field in stat[11:15])


def _rss_pages(pid: int) -> int:
    stat = _stat(pid)
    return 0 if stat is None else int(stat[21])
