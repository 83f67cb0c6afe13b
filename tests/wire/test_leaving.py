"""How a process ends whose model does not hear that it shall stop; what its clients uploaded goes with it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from .client import Client
from .server import MODELS, Server

pytestmark = pytest.mark.wire


@contextmanager
def deaf(*arguments: str) -> Iterator[Server]:
    server = Server(MODELS / "deaf", *arguments)
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server keeps what clients upload."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def wait_log(server: Server, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in server.log:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.02)


def visit(server: Server, folder: Path) -> None:
    """Start the model, leave a file with it, and go."""

    async def play() -> Path:
        client = Client(server.url)
        try:
            await client.connect(await client.start())
            about = {"name": "a.bin", "size": 3}
            announced = (await client.http.post("/sessions/local/uploads", json=about)).json()
            await client.http.put(announced["presigned_url"], content=b"abc")
            answer = await client.ask("where", {"file": {"upload_id": announced["presigned_id"]}})
            return Path(answer["data"]["result"])
        finally:
            await client.close()

    assert asyncio.run(play()).read_bytes() == b"abc"
    assert uploads(folder) != []


def uploads(folder: Path) -> list[Path]:
    return list(folder.glob("reactor-uploads-*"))


def test_a_second_signal_ends_it_at_once(folder: Path) -> None:
    with deaf() as server:
        visit(server, folder)
        server.process.send_signal(signal.SIGTERM)
        wait_log(server, "Shutting down")
        server.process.send_signal(signal.SIGTERM)

        assert server.process.wait(20) == 130
        wait_log(server, "Asked twice")
        wait_log(server, "in start_session")
        assert uploads(folder) == []


def test_a_model_that_does_not_return_ends_with_its_process(folder: Path) -> None:
    with deaf("--kill-timeout", "1") as server:
        visit(server, folder)
        # The connection goes with the process.
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{server.url}/stop_session", timeout=20)

        assert server.process.wait(20) == 70
        wait_log(server, "the process ends now")
        wait_log(server, "in start_session")
        assert uploads(folder) == []
