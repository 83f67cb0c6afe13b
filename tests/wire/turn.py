"""A real TURN server (coturn) for the length of a test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PORT = 34780
RELAYS = (52000, 52099)
"""The ports from which coturn relays."""


def needs_coturn() -> str:
    """The program; a test without it is skipped with one sentence."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("No turnserver here: install Debian's coturn.")
    return program


@contextmanager
def turn_server(address: str, folder: Path, *options: str) -> Iterator[str]:
    """Its URL. `options` say which credentials it takes."""
    log = folder / "coturn.log"
    command = [
        needs_coturn(),
        "-n",
        f"--listening-ip={address}",
        f"--relay-ip={address}",
        f"--listening-port={PORT}",
        f"--min-port={RELAYS[0]}",
        f"--max-port={RELAYS[1]}",
        "--realm=reactor.test",
        "--fingerprint",
        "--no-tls",
        "--no-dtls",
        "--no-cli",
        "--simple-log",
        f"--log-file={log}",
        f"--pidfile={folder / 'coturn.pid'}",
        *options,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        deadline = time.monotonic() + 10
        while not _listens(address):
            assert process.poll() is None, log.read_text() if log.exists() else "turnserver ended at once"
            assert time.monotonic() < deadline, "turnserver does not listen"
            time.sleep(0.05)
        yield f"turn:{address}:{PORT}"
    finally:
        process.terminate()
        process.wait(10)


def _listens(address: str) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((address, PORT)) == 0
