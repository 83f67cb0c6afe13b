"""A crash leaves a trace, a killed process no files, and a model that closes stderr takes nobody along."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.wire.server import Server

from reactor_runtime.process.engine_filter import Sieve
from reactor_runtime.session import folders

MODEL = """
import ctypes, os, sys, threading, time
import numpy as np
from reactor_runtime import *

@model(name="bad-day")
class BadDay(VideoModel):
    def __init__(self):
        threading.Thread(target=self.wait, daemon=True).start()

    def wait(self):
        where = os.path.join(os.path.dirname(__file__), "now")
        while not os.path.exists(where):
            time.sleep(0.02)
        exec(open(where).read(), globals())
        open(where + ".done", "w").close()

    def start_session(self):
        while not get_ctx().wait_stop(0.02):
            pass
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "model.py").write_text(MODEL)
    made = Server(tmp_path)
    made.wait_ready()
    yield made
    if made.process.poll() is None:
        made.stop()
    else:
        made._reader.join(5)
        assert made.process.stderr is not None
        made.process.stderr.close()


def do(server: Server, folder: Path, code: str) -> None:
    """Run `code` in the server's process."""
    (folder / "new").write_text(code)
    (folder / "new").rename(folder / "now")
    while not (folder / "now.done").exists() and server.process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(0.05)


def upload(server: Server) -> None:
    httpx.post(f"{server.url}/start_session", json={}).raise_for_status()
    about = {"name": "a", "size": 6}
    announced = httpx.post(f"{server.url}/sessions/local/uploads", json=about).json()
    httpx.put(f"{server.url}{announced['path']}", content=b"secret").raise_for_status()


def test_a_crash_leaves_stacks_and_the_next_start_sweeps_what_it_left(server: Server, tmp_path: Path) -> None:
    upload(server)
    assert list(tmp_path.glob(f"{folders.PREFIX}*/*"))
    do(server, tmp_path, "ctypes.string_at(0)")
    assert server.process.wait(10) == -signal.SIGSEGV
    server._reader.join(5)
    assert "Fatal Python error: Segmentation fault" in server.log
    assert "model.py" in server.log

    (tmp_path / "now").unlink()
    again = Server(tmp_path)
    try:
        again.wait_ready()
        assert list(tmp_path.glob(f"{folders.PREFIX}*")) == []
        assert "Swept 1 folder" in again.log
    finally:
        again.stop()


def test_a_folder_of_a_living_process_and_what_is_not_ours_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    living = folders.make()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    (tmp_path / f"{folders.PREFIX}link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / f"{folders.PREFIX}file").touch()
    code = f"import tempfile; tempfile.tempdir = {str(tmp_path)!r}\n"
    code += "import os; from reactor_runtime.session import folders; folders.make(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], check=False)
    dead = set(tmp_path.glob(f"{folders.PREFIX}*")) - {living}
    assert folders.sweep() == 1
    assert len(dead) == 3
    assert living.exists()
    assert (tmp_path / "elsewhere" / "file").exists()
    assert folders.remove(living)


def test_no_folder_for_temporary_files_gives_a_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", none)
    assert folders.sweep() == 0
    assert "no folder for temporary files is writable" in caplog.text


CLOSINGS = [
    "sys.stderr.close(); sys.stderr = None; sys.stdout.close(); os.close(2)",
    "sys.stderr = open(os.devnull); os.closerange(0, 3)",
]


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_model_that_closes_stderr_costs_nothing(server: Server, tmp_path: Path, closing: str) -> None:
    do(server, tmp_path, closing)
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=5) as stranger:
        for path in ("start_session", "stop_session", "start_session", "stop_session"):
            assert httpx.post(f"{server.url}/{path}", json={}, timeout=10).status_code == 200
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(1000)
        for number in (0, 1, 2):
            assert not os.readlink(f"/proc/{server.process.pid}/fd/{number}").startswith("socket:")
    assert server.stop() == 0
    assert "Session 2 ended" in server.log


def test_what_the_author_and_native_code_print_arrives_and_the_engines_lines_do_not(
    server: Server, tmp_path: Path
) -> None:
    code = "print('of the author', file=sys.stderr); os.write(2, b'of a library\\n'); "
    code += "os.write(2, b'[reactor-webrtc] retracting encoder slot for dropped track 1\\n'); "
    # With the GIL held, more than any pipe takes.
    code += "libc = ctypes.PyDLL(None); text = b'y' * 999 + b'\\n'; "
    code += "[libc.write(2, text, len(text)) for _ in range(2000)]; os.write(2, b'the end\\n')"
    do(server, tmp_path, code)
    assert server.stop() == 0
    assert "of the author" in server.log
    assert "of a library" in server.log
    # Our own lines may stand in between: they do not go through that pipe.
    assert server.log.count("y" * 99) >= 1990 * 10
    assert len([letter for letter in server.log if letter == "y"]) >= 2000 * 999
    assert "the end" in server.log
    assert "retracting" not in server.log


def test_the_last_words_of_a_process_that_aborts_arrive(server: Server, tmp_path: Path) -> None:
    do(server, tmp_path, "os.write(2, b'terminate called\\n'); os.abort()")
    assert server.process.wait(10) == -signal.SIGABRT
    server._reader.join(5)
    assert "terminate called" in server.log
    # Other threads' words may come between these.
    assert "Fatal Python error: " in server.log
    assert "Aborted" in server.log


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_sieve_takes_out_whole_lines_and_holds_nothing_else_back(size: int) -> None:
    text = b"a\n[reactor-webrtc] x y\n[reac\nb [reactor-webrtc] z\r50%\r[other] 1\nopen"
    for verbose, engine in ((False, b""), (True, b"NOW debug  engine: x y\n")):
        sieve = Sieve(verbose, lambda: "NOW")
        out = b"".join(sieve.passed(text[at : at + size]) for at in range(0, len(text), size))
        assert out + sieve.rest() == text.replace(b"[reactor-webrtc] x y\n", engine)
        assert out.endswith(b"open"), "a line that has not ended is shown as it comes"
