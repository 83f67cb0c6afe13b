"""One port that speaks https, and takes media beside it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from tests.certificate import make
from tests.transports.test_stun import request

from reactor_runtime.runtimes.door.splice import MediaPort
from reactor_runtime.runtimes.door.tls import TlsError, context
from reactor_runtime.transports.tcp_media import TcpPeers

from .door import Answer, door

HELLO = bytes.fromhex("16030100c8010000c40303")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make(tmp_path_factory.mktemp("tls"))


async def ask(port: int, certificate: Path, path: str = "/health") -> Answer:
    trusting = ssl.create_default_context(cafile=certificate)
    reader, writer = await asyncio.open_connection("localhost", port, ssl=trusting)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = Answer(await reader.read())
    writer.close()
    return answer


async def test_https_and_media_share_the_port(files: tuple[Path, Path]) -> None:
    media = MediaPort(TcpPeers())
    async with door(tls=context(*files), media=media) as server:
        for _ in range(2):
            assert (await ask(server.port, files[0])).status == 200
        assert b"<html" in (await ask(server.port, files[0], "/")).body
        wire = await server.wire()
        wire.send(request(b"nobody:theirs"))
        await wire.rest()
        assert media.closed == {"unknown_peer": 1}
        await server.until(lambda: not len(server.connections))


async def test_plain_http_is_told_to_use_https(files: tuple[Path, Path]) -> None:
    async with door(tls=context(*files)) as server:
        answer = await server.get()
        assert (answer.status, answer.code) == (400, "https_required")
        assert (await ask(server.port, files[0])).status == 200


@pytest.mark.parametrize("data", [HELLO, HELLO + bytes(300), b"\x16", b"\x16\x03\x01\x00\x05hello"])
async def test_handshakes_that_fail_leave_nothing(data: bytes, files: tuple[Path, Path]) -> None:
    async with door(tls=context(*files)) as server:
        wire = await server.wire()
        wire.send(data)
        await server.hurried(wire.rest())
        await server.until(lambda: not len(server.connections))
        assert (await ask(server.port, files[0])).status == 200


async def test_a_hello_that_drips_is_understood(files: tuple[Path, Path]) -> None:
    async with door(tls=context(*files)) as server:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = ssl.create_default_context(cafile=files[0]).wrap_bio(
            incoming, outgoing, server_hostname="localhost"
        )
        wire = await server.wire()
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        for byte in outgoing.read():
            wire.send(bytes([byte]))
            await wire.writer.drain()
        while True:
            incoming.write(await wire.reader.read(65536))
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                wire.send(outgoing.read())
        wire.send(outgoing.read())
        tls.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire.send(outgoing.read())
        answer = b""
        while b"\r\n\r\n" not in answer:
            incoming.write(await wire.reader.read(65536))
            try:
                answer += tls.read()
            except ssl.SSLWantReadError:
                continue
        assert Answer(answer).status == 200


def test_files_that_are_no_certificate_are_told(tmp_path: Path, files: tuple[Path, Path]) -> None:
    certificate, key = files
    with pytest.raises(TlsError, match=r"--tls-cert .* cannot be read"):
        context(tmp_path / "none.pem", key)
    (tmp_path / "text.pem").write_text("no key")
    with pytest.raises(TlsError, match="cannot be used: both are PEM files"):
        context(certificate, tmp_path / "text.pem")
    (tmp_path / "other").mkdir()
    _, other = make(tmp_path / "other")
    with pytest.raises(TlsError, match="KEY_VALUES_MISMATCH"):
        context(certificate, other)
