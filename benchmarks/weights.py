"""`reactor download` beside plain curl: a gigabyte from a server that gives 200 MB/s in all.

    python benchmarks/weights.py [--rounds 3] [--folder DIR]

Both are whole processes, from their start to their end, and write to the same disk; ours verifies what it
wrote and keeps a manifest. The server is a process of its own and shares its rate among connections. The best
round of each counts, because others may use the machine. Memory is the largest resident size of our process,
over that of one that fetches a single byte.
"""

from __future__ import annotations

import argparse
import hashlib
import http.server
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

SIZE = 10**9
RATE = 200 * 10**6
PIECE = 128 * 1024
BURST = RATE // 50
ENOUGH = 0.9
MEMORY_BAR_MB = 80


class Bucket:
    """Bytes that may leave now; one for all connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0.0
        self._then = time.monotonic()

    def take(self, size: int) -> None:
        with self._lock:
            now = time.monotonic()
            self._left = min(self._left + (now - self._then) * RATE, BURST) - size
            self._then = now
            wait = -self._left / RATE
        if wait > 0:
            time.sleep(wait)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body: memoryview
    bucket = Bucket()

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        body = self.body if self.path == "/weights.bin" else self.body[:1]
        start, end, status = 0, len(body), 200
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if wanted:
            start, end, status = int(wanted[1]), min(int(wanted[2]) + 1, len(body)), 206
        self.send_response(status)
        self.send_header("Content-Length", str(end - start))
        self.send_header("ETag", '"one"')
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
        self.end_headers()
        for at in range(start, end, PIECE):
            piece = body[at : min(at + PIECE, end)]
            self.bucket.take(len(piece))
            self.wfile.write(piece)


def serve(port: Any) -> None:
    # Different everywhere, so that a piece in a wrong place would be seen.
    Handler.body = memoryview(hashlib.shake_128(b"weights").digest(SIZE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_port)
    server.serve_forever()


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds, and the largest resident size in MB."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - began
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}: {said.decode()}")
    return took, usage.ru_maxrss * 1024 / 1e6


def ours(url: str, folder: Path) -> tuple[float, float]:
    command = [sys.executable, "-m", "reactor_runtime", "download", f"vae={url}", "-p", str(folder)]
    found = timed([*command, "--weights-dir", str(folder / "cache")])
    shutil.rmtree(folder / "cache")
    return found


def curl(url: str, folder: Path) -> tuple[float, float]:
    found = timed(["curl", "-sS", "-o", str(folder / "curl.bin"), url])
    (folder / "curl.bin").unlink()
    return found


def measure(base: str, folder: Path, rounds: int) -> None:
    _, idle = ours(f"{base}/byte", folder)
    theirs, own, memory = [], [], []
    for number in range(rounds):
        theirs.append(curl(f"{base}/weights.bin", folder)[0])
        took, peak = ours(f"{base}/weights.bin", folder)
        own.append(took)
        memory.append(peak - idle)
        print(
            f"round {number + 1}: curl {theirs[-1]:.2f} s, ours {took:.2f} s, +{memory[-1]:.0f} MB, "
            f"load {os.getloadavg()[0]:.1f}"
        )
    curl_rate, our_rate = (SIZE / 1e6 / min(times) for times in (theirs, own))
    share, most = our_rate / curl_rate, max(memory)
    verdict = f"{share:.0%} ({_verdict(share >= ENOUGH)}, ≥ 90 %)"
    print(f"curl {curl_rate:.0f} MB/s, ours {our_rate:.0f} MB/s: {verdict}")
    print(f"memory over that of one byte: +{most:.0f} MB ({_verdict(most <= MEMORY_BAR_MB)}, ≤ +80 MB)")


def _verdict(holds: bool) -> str:
    return "pass" if holds else "fail"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where both write; the system's temporary folder")
    arguments = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            measure(f"http://127.0.0.1:{here.recv()}", Path(folder), arguments.rounds)
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
