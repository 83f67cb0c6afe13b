"""Every sentence that the doctor can say, provoked."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.certificate import make

from reactor_runtime.clients.ice import IceSettings
from reactor_runtime.runtimes.doctor import Finding, examine_url, here, machine, media, network, rungs
from reactor_runtime.transports.port import IceServer
from reactor_runtime.transports.reactor_webrtc.rehearsal import Rehearsed

CARD = ("NVIDIA H100", "550.54")


def said(finding: Finding | None, level: str, *words: str) -> None:
    assert finding is not None
    assert finding.level == level, finding
    for word in words:
        assert word in finding.sentence


# --- the port ---


def test_a_port_that_is_free_and_one_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        said(network.port("127.0.0.1", number), "problem", f"Port {number} is taken", "--port")
    said(network.port("127.0.0.1", number), "ok", "is free")


@pytest.mark.parametrize(("error", "words"), [(13, "for the administrator"), (99, "Cannot listen on")])
def test_a_port_that_is_refused(error: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(error, "no")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    said(network.port("127.0.0.1", 80), "problem", words)


@pytest.mark.parametrize("host", ["no.such.name.invalid", "a..b"])
def test_a_name_without_an_address(host: str) -> None:
    said(network.port(host, 8080), "problem", f"--host {host} names no address", "0.0.0.0 for all of them")
    assert network.addresses(host, "") is None


def test_a_name_that_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    said(network.port("localhost", 0), "ok", "Port 0 on localhost is free")
    monkeypatch.setattr(network, "others_open", lambda *_: ["10.0.0.7"])
    said(network.addresses("localhost", ""), "ok", "for this machine alone")


# --- addresses ---


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "others_open", lambda *_: ["10.0.0.7"])
    said(network.addresses("127.0.0.1", ""), "ok", "--host 0.0.0.0 to 10.0.0.7")
    said(network.addresses("0.0.0.0", ""), "ok", "Others open the page at 10.0.0.7")
    monkeypatch.setattr(network, "others_open", lambda bound, *_: [bound, "10.0.0.7"][bound == "0.0.0.0" :])
    said(network.addresses("10.0.0.9", ""), "ok", "Others open the page at 10.0.0.9, 10.0.0.7")
    monkeypatch.setattr(network, "others_open", lambda *_: [])
    said(network.addresses("0.0.0.0", ""), "problem", "no address but loopback", "ip link add")


def test_containers(tmp_path: Path) -> None:
    assert network.container("", ["172.17.0.2"], marks=[tmp_path / "none"]) is None
    container = partial(network.container, marks=[tmp_path / "none", tmp_path])
    said(container("", ["172.17.0.2"]), "note", "172.17.0.2", "--advertise-ip", "over TCP")
    said(container("", ["10.0.0.7"]), "note", "This is a container.", "--advertise-ip")
    said(container("192.0.2.7", ["172.17.0.2"]), "ok", "clients are told 192.0.2.7")


def test_udp(monkeypatch: pytest.MonkeyPatch) -> None:
    said(network.udp(["127.0.0.1"]), "ok", "UDP passes")
    monkeypatch.setattr(socket.socket, "sendto", lambda *_: 0)
    said(network.udp(["127.0.0.1"], within=0.05), "problem", "127.0.0.1 does not arrive", "firewall")


# --- STUN and TURN ---


def test_servers_that_answer_and_that_do_not() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]

        def answer() -> None:
            request, peer = server.recvfrom(2048)
            server.sendto(b"\x01\x01\x00\x00" + request[4:20], peer)

        thread = threading.Thread(target=answer)
        thread.start()
        [found] = network.servers([IceServer((f"stun:127.0.0.1:{port}",))])
        thread.join()
        said(found, "ok", f"stun:127.0.0.1:{port} answers")
    [found] = network.servers([IceServer((f"turn:127.0.0.1:{port}?transport=udp",), "a", "b")])
    said(found, "problem", "does not answer over UDP", f"port {port}")
    [found] = network.servers([IceServer(("turns:turn.example",), "a", "b")])
    said(found, "note", "was not tried")
    assert network._host_and_port("[::1]:99") == ("::1", 99)
    assert network._host_and_port("stun.example") == ("stun.example", 3478)


# --- encoders, cards, disk, licences ---


def test_encoders_that_encode() -> None:
    x264, vp8, _ = machine.encoders()
    said(x264, "ok", "x264 encodes")
    said(vp8, "ok", "VP8 encodes")


def test_an_encoder_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpu", lambda: None)
    monkeypatch.setattr(machine, "_encodes", lambda *_: "it is not there")
    said(machine.encoders()[0], "problem", "x264 does not encode (it is not there)", "pip install av")


def test_nvenc_in_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpu", lambda: None)
    said(machine.nvenc(), "note", "No NVIDIA driver answers")
    monkeypatch.setattr(machine, "gpu", lambda: CARD)
    monkeypatch.setattr(machine, "_encodes", lambda *_: "no encoder")
    said(machine.nvenc(), "note", "NVIDIA H100 has no NVENC that encodes")
    monkeypatch.setattr(machine, "_encodes", lambda *_: None)
    said(machine.nvenc(), "ok", "--encoder nvenc")


@pytest.mark.parametrize(
    ("version", "card", "driver", "level", "words"),
    [
        (None, None, None, "note", "torch is not installed here"),
        ("2.9.0+cpu", None, None, "ok", "runs on the CPU"),
        ("2.9.0+cu128", None, None, "note", "no NVIDIA driver answers"),
        ("2.9.0+cpu", CARD, (12, 4), "problem", "without CUDA beside a NVIDIA H100"),
        ("2.9.0+cu130", CARD, (12, 4), "problem", "needs CUDA 13, and driver 550.54 has 12.4"),
        ("2.9.0+cu128", CARD, (12, 4), "ok", "agree"),
        ("2.9.0", CARD, None, "ok", "agree"),
    ],
)
def test_torch_and_the_driver(
    version: str | None,
    card: tuple[str, str] | None,
    driver: tuple[int, int] | None,
    level: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "_torch_version", lambda: version)
    monkeypatch.setattr(machine, "gpu", lambda: card)
    monkeypatch.setattr(machine, "_cuda_of_driver", lambda: driver)
    said(machine.torch(), level, words)


def test_what_the_driver_says_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/nvidia-smi")
    outputs = {True: "NVIDIA H200, 570.1\n", False: "| Driver Version: 570.1   CUDA Version: 12.8 |"}

    def run(command: Any, **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, outputs[len(command) > 1])

    monkeypatch.setattr(subprocess, "run", run)
    assert machine.gpu() == ("NVIDIA H200", "570.1")
    assert machine._cuda_of_driver() == (12, 8)
    outputs[True] = ""
    assert machine.gpu() is None


def test_disk(tmp_path: Path) -> None:
    said(machine.disk(tmp_path / "not" / "yet", low=0), "ok", "free for weights")
    said(machine.disk(tmp_path, low=10**18), "note", "--weights-dir")


def test_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("av.codec.codecs_available", {"libx264"})
    said(machine.licence(), "note", "holds x264, which is GPL")
    monkeypatch.setattr("av.codec.codecs_available", {"libvpx"})
    said(machine.licence(), "ok", "no encoder under the GPL")


# --- the rungs ---


@pytest.mark.parametrize(
    ("reached", "level", "words"),
    [
        (Rehearsed(0.1, 0.2, 0.3), "ok", "connected in 0.1 s, a picture in 0.3 s"),
        (Rehearsed(0.1, 0.2), "problem", "no picture arrives"),
        (Rehearsed(0.1), "problem", "no message arrives"),
        (Rehearsed(), "problem", "does not connect on this machine itself"),
    ],
)
def test_how_far_a_rung_came(reached: Rehearsed, level: str, words: str) -> None:
    said(rungs._said("rung_udp", "UDP", reached), level, words)


@pytest.mark.wire
@pytest.mark.skipif(
    os.environ.get("REACTOR_TEST_NETNS") != "1", reason="Only in the namespace of tests/netns.py."
)
def test_both_rungs_carry_a_picture_here() -> None:
    udp, tcp = asyncio.run(rungs.rungs())
    said(udp, "ok", "Media over UDP: connected in")
    said(tcp, "ok", "Media over TCP on the HTTP port: connected in")


def test_a_connection_that_came_last_ends_with_the_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    came = asyncio.Event()

    class Noted(rungs._Accepted):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            came.set()

    async def rehearse(*_: Any, completed: Callable[[str], str]) -> Rehearsed:
        port = int(completed("a=end-of-candidates").partition("127.0.0.1 ")[2].split()[0])
        client.connect(("127.0.0.1", port))
        async with asyncio.timeout(10):
            await came.wait()
        return Rehearsed()

    monkeypatch.setattr(rungs, "_Accepted", Noted)
    monkeypatch.setattr(rungs, "rehearse", rehearse)
    engine: Any = SimpleNamespace(name="none", descriptors_per_peer=0)
    frame: Any = None
    with socket.socket() as client:
        client.settimeout(10)
        asyncio.run(rungs._over_tcp(engine, frame))
        with suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_one_check_that_fails_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none() -> list[Finding]:
        return []

    def fail(*_: object) -> Finding:
        raise RuntimeError("odd")

    monkeypatch.setattr(here, "rungs", none)
    monkeypatch.setattr(machine, "disk", fail)
    found = {each.check: each for each in here.examine(here.Plan("127.0.0.1", 0, ice=IceSettings()))}
    said(found["disk"], "problem", "could not be found out (RuntimeError: odd)")
    assert {"port", "udp", "licence"} <= found.keys()


# --- a server elsewhere ---

Answers = dict[str, tuple[int, str]]
GOOD: Answers = {
    "/health": (200, json.dumps({"state": "READY", "model": "echo"})),
    "/": (200, '<script src="web/app.js">'),
}


@contextmanager
def answering(answers: Answers, first: str = "takes media") -> Iterator[str]:
    """`first` is what it does with what is no HTTP: `takes media`, `refuses`, `answers`, or `waits`."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 2

        def handle(self) -> None:
            data = self.connection.recv(4, socket.MSG_PEEK)
            if data[2:] != b"\x00\x01":
                return super().handle()
            if first == "takes media":
                while len(self.connection.recv(4096)) <= 4:
                    pass
            elif first == "answers":
                self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            elif first == "waits":
                return super().handle()
            return None

        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, "nothing"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def refusal(status: int, code: str) -> Answers:
    return {"/health": (status, json.dumps({"code": code, "detail": "So it is."}))}


@pytest.mark.parametrize(
    ("answers", "index", "level", "words"),
    [
        (GOOD, 0, "ok", "echo is ready"),
        (GOOD, 1, "ok", "The page is there."),
        (GOOD, 2, "ok", "Media can take TCP on this port"),
        ({**GOOD, "/": (401, "")}, 1, "note", "asks for a token, as it should"),
        ({**GOOD, "/": (404, "")}, 1, "problem", "The page is not there (status 404)"),
        ({"/health": (200, "<html>")}, 0, "problem", "it is no reactor"),
        (refusal(503, "loading"), 0, "note", "still loading"),
        (refusal(401, "token_required"), 0, "problem", "--token"),
        (refusal(421, "wrong_host"), 0, "problem", "--allow-host 127.0.0.1"),
        (refusal(503, "model_load_failed"), 0, "problem", "answers 503: So it is."),
    ],
)
def test_a_server_that_answers(answers: Answers, index: int, level: str, words: str) -> None:
    with answering(answers) as url:
        said(examine_url(url)[index], level, words)


@pytest.mark.parametrize(
    ("first", "level", "words"),
    [
        ("takes media", "ok", "Media can take TCP on this port"),
        ("refuses", "note", "This port takes no media (--no-tcp-media"),
        ("answers", "note", "speaks HTTP alone"),
        ("waits", "note", "speaks HTTP alone"),
    ],
)
def test_whether_a_port_takes_media(first: str, level: str, words: str) -> None:
    with answering(GOOD, first) as url:
        said(examine_url(url, within=0.3)[2], level, words)


def test_a_server_that_ends_meanwhile() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = closed.getsockname()[1]
    said(media.media(f"http://127.0.0.1:{gone}"), "problem", "answers no more")


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    certificate, key = make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # the client hangs up, as it should
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        [found] = examine_url(f"https://localhost:{server.server_port}")
        server.shutdown()
        thread.join()
    said(found, "problem", "does not answer", "its certificate is not one that this machine trusts")


def test_a_server_that_does_not() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        [found] = examine_url(f"127.0.0.1:{closed.getsockname()[1]}")
    said(found, "problem", "does not answer", "is its port open?")
    [found] = examine_url("ftp://a")
    said(found, "problem", "write it as http://host:8080")


def test_an_address_of_a_proxys() -> None:
    with answering({"/model/health": GOOD["/health"], "/model/": GOOD["/"]}) as url:
        said(examine_url(f"{url}/model/")[2], "note", "A proxy passes the page and no media")
