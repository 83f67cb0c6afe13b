"""What an author forks or leaves behind neither ends nor keeps the server. Real processes, with deadlines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent, indent

import pytest
from tests.wire.client import Client
from tests.wire.server import Server

from reactor_runtime.process.leaving import GONE_WITHIN_S

WITHIN_S = GONE_WITHIN_S + 10
"""Of a process that is told to go: the bound, and what a busy machine takes."""

HEAD = """
import atexit, concurrent.futures, multiprocessing, os, signal, socket, subprocess, sys, threading, time
from reactor_runtime import *

FORK = multiprocessing.get_context("fork")

def forever(*_):
    while True:
        time.sleep(0.1)

@model(name="leaving")
class Leaving(VideoModel):
    def start_session(self):
        while not get_ctx().wait_stop(0.02):
            pass

    def __init__(self):
"""

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a server of a model with this `__init__`; all of its processes are gone afterwards."""
    servers: list[Server] = []

    def start(init: str, extra: str = "", name: str = ".") -> Server:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "model.py").write_text(
            HEAD + indent(dedent(init), " " * 8) + "\n" + indent(dedent(extra), " " * 4)
        )
        server = Server(folder, process_group=0)
        servers.append(server)
        server.wait_ready()
        return server

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait(10)
        for pid in pids(tmp_path):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.process.pid, signal.SIGKILL)
        server._reader.join(10)
        assert server.process.stderr is not None
        server.process.stderr.close()


def pids(folder: Path) -> list[int]:
    """What the model has written about the processes that it started."""
    return [int(path.stem) for path in folder.glob("*.pid")]


def child(folder: Path) -> int:
    until(lambda: bool(pids(folder)))
    return pids(folder)[0]


def until(condition: Callable[[], bool], within: float = WITHIN_S) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def took(pid: int, number: int) -> bool:
    """Whether no such signal is pending for a process: it was handled or passed over."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return not (int(fields["SigPnd"], 16) | int(fields["ShdPnd"], 16)) >> (number - 1) & 1


def ends(server: Server, status: int = 0) -> None:
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(WITHIN_S) == status, server.log
    server._reader.join(5)


NOTE = 'open(os.path.join(os.path.dirname(__file__), f"{%s}.pid"), "w").close()'
HELPER = f"""
self.helper = FORK.Process(target=forever, daemon=True)
self.helper.start()
{NOTE % "self.helper.pid"}
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_for_a_forked_child_is_none_for_the_server(
    serve: Serve, tmp_path: Path, number: signal.Signals
) -> None:
    server = serve(HELPER)
    os.kill(child(tmp_path), number)
    if number is signal.SIGTERM:
        until(lambda: not alive(child(tmp_path)))
    else:
        until(lambda: took(child(tmp_path), number))
    for _ in range(2):  # what came before the first is read before the second is answered
        assert server.state() == "READY"
    assert "Shutting down" not in server.log
    ends(server)


def test_a_pool_that_is_left_early_ends_nothing(serve: Serve) -> None:
    server = serve("""
        with FORK.Pool(2) as pool:
            next(pool.imap_unordered(time.sleep, [0.01] * 40))
    """)
    assert server.state() == "READY"
    ends(server)


def test_one_ctrl_c_for_the_group_is_one_signal(serve: Serve, tmp_path: Path) -> None:
    """The server and its helper are in a group of their own, as a terminal has them."""
    server = serve(HELPER)
    helper = child(tmp_path)
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(WITHIN_S) == 0, server.log
    assert "Asked twice" not in server.log
    until(lambda: not alive(helper))


def sockets_of(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(os.readlink(entry))
    return {link for link in found if link.startswith("socket:")}


@pytest.mark.wire
@pytest.mark.parametrize(
    "start",
    [
        "helper = FORK.Process(target=forever); helper.start(); pid = helper.pid",
        "pid = subprocess.Popen(['sleep', '600']).pid",
        "pid = os.posix_spawn('/bin/sleep', ['sleep', '600'], {})",
    ],
)
def test_a_child_of_a_session_holds_no_socket_of_the_server(serve: Serve, tmp_path: Path, start: str) -> None:
    server = serve(
        "pass",
        extra=f"""
        @command("start")
        def start(self):
            {start}
            {NOTE % "pid"}
        """,
    )

    async def play() -> None:
        client = Client(server.url)
        try:
            await client.connect(await client.start())
            answer = await client.ask("start", {})
            assert answer["type"] == "commandResult"
            until(lambda: bool(pids(tmp_path)))
            until(lambda: not sockets_of(child(tmp_path)) & sockets_of(server.process.pid))
        finally:
            await client.close()

    asyncio.run(play())
    port = int(server.url.rpartition(":")[2])
    server.process.kill()
    server.process.wait(10)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
        again.listen()


LEFT = {
    "a pool that works": ("self.pool = FORK.Pool(1); self.pool.map_async(forever, [1])", ""),
    "an executor that works": (
        "self.pool = concurrent.futures.ThreadPoolExecutor(1); self.pool.submit(forever)",
        "in forever",
    ),
    "a process executor": (
        "self.pool = concurrent.futures.ProcessPoolExecutor(1, FORK); self.pool.submit(forever)",
        "held by",
    ),
    "a thread": ("threading.Thread(target=forever, name='mine', daemon=False).start()", "thread 'mine'"),
    "an exit hook": ("atexit.register(forever)", "an exit hook at "),
    "a process": ("FORK.Process(target=forever, name='worker').start()", "process 'worker'"),
    "a process that hears nothing": (
        "FORK.Process(target=lambda: (signal.signal(signal.SIGTERM, signal.SIG_IGN), forever()), "
        "name='deaf', daemon=True).start()",
        "process 'deaf'",
    ),
    "an object that cannot be deleted": ("Leaving.__del__ = forever; sys.modules['kept'] = self", ""),
}


def test_whatever_is_left_the_process_is_gone_and_says_what_held_it(serve: Serve) -> None:
    """All at once: each takes as long as the bound."""
    servers = {left: serve(init, name=left) for left, (init, _) in LEFT.items()}
    for server in servers.values():
        server.process.send_signal(signal.SIGTERM)
    for left, server in servers.items():
        assert server.process.wait(WITHIN_S) == 0, server.log
        server._reader.join(5)
        assert LEFT[left][1] in server.log, left


def test_a_signal_that_comes_while_it_is_held_ends_it_at_once(serve: Serve) -> None:
    server = serve("atexit.register(lambda: (print('hook', file=sys.stderr, flush=True), forever()))")
    server.process.send_signal(signal.SIGTERM)
    until(lambda: "hook" in server.log)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(GONE_WITHIN_S) == 130


def test_exit_hooks_run_and_output_is_whole(serve: Serve) -> None:
    server = serve("atexit.register(lambda: print('good bye', file=sys.stderr))")
    ends(server)
    assert "good bye" in server.log
