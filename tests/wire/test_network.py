"""What `reactor run` does with networks: ports, addresses, STUN, TURN, tokens, and leaving."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy

from reactor_runtime.cli.main import main

from .client import PATH, Client
from .server import MODELS, Server, running
from .turn import RELAYS, turn_server

pytestmark = pytest.mark.wire
ADDRESSES = ("10.77.0.1", "10.77.0.2")
"""Those of the namespace."""
inside_only = pytest.mark.skipif(
    os.environ.get("REACTOR_TEST_NETNS") != "1",
    reason="Only in the namespace that tests/netns.py makes, as root on Linux.",
)


def play(url: str, configuration: RTCConfiguration | None = None) -> Client:
    """Connects, sees ten frames, gets an answer, and returns the client, closed; `answer` is the SDP."""

    async def run() -> Client:
        client = Client(url, configuration=configuration)
        try:
            await client.connect(await client.start())
            await client.until(lambda: len(client.frames.get("main_video", [])) > 10, "frames")
            assert (await client.ask("add", {"a": 2}))["data"]["result"] == {"sum": 3}
        finally:
            client.remote = client.pc.remoteDescription.sdp if client.pc.remoteDescription else ""  # type: ignore[attr-defined]
            client.pair = pair_of(client)  # type: ignore[attr-defined]
            await client.close()
        return client

    return asyncio.run(run())


def pair_of(client: Client) -> tuple[str, str]:
    """Candidate types of the selected pair: ours, theirs."""
    connection = client.pc.sctp.transport.transport._connection  # type: ignore[union-attr]  # it has a data channel
    pair = connection._nominated.get(1)
    return ("", "") if pair is None else (pair.local_candidate.type, pair.remote_candidate.type)


def candidates(sdp: str) -> list[list[str]]:
    return [line.split() for line in re.findall(r"a=candidate:(.+)", sdp)]


# --- ports and addresses ---


@inside_only
def test_ports_lie_in_the_range_and_the_answer_carries_the_advertised_address() -> None:
    with running("echo", "--advertise-ip", ADDRESSES[1], "--webrtc-port-range", "41000:41010") as server:
        client = play(server.url)

    found = candidates(client.remote)  # type: ignore[attr-defined]
    assert {words[4] for words in found if words[7] == "host" and ":" not in words[4]} == {ADDRESSES[1]}
    assert all(41000 <= int(words[5]) <= 41010 for words in found if words[2].lower() == "udp")


# --- STUN ---


@contextmanager
def stun_server(address: str) -> Iterator[tuple[int, list[bytes]]]:
    """A STUN server (RFC 8489) on a port; what it was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))
        sock.settimeout(0.1)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    request, peer = sock.recvfrom(2048)
                except OSError:
                    continue
                asked.append(request)
                mapped = struct.pack("!HHBBH4s", 0x0001, 8, 0, 1, peer[1], socket.inet_aton("203.0.113.9"))
                sock.sendto(struct.pack("!HH", 0x0101, len(mapped)) + request[4:20] + mapped, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield sock.getsockname()[1], asked
        over.set()
        thread.join()


MARKER = "198.51.100.9"
"""Nobody's: a packet for it comes after all that were sent before."""


@contextmanager
def captured() -> Iterator[set[str]]:
    """Addresses that somebody in this namespace tries to reach, with a way out that leads nowhere."""
    ip = ["ip", "route", "add", "default", "dev", "media0"]
    subprocess.run(ip, check=True)
    reached: set[str] = set()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003)) as tap:
        tap.settimeout(0.1)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    packet = tap.recv(65535)
                except OSError:
                    continue
                kind = packet[12:14]
                if kind == b"\x08\x06":  # ARP: who has …
                    reached.add(socket.inet_ntoa(packet[38:42]))
                elif kind == b"\x08\x00":
                    reached.add(socket.inet_ntoa(packet[30:34]))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield reached
        finally:
            _send_to(MARKER)
            deadline = time.monotonic() + 10
            while MARKER not in reached and time.monotonic() < deadline:
                time.sleep(0.01)
            over.set()
            thread.join()
            reached.remove(MARKER)
            subprocess.run(["ip", "route", "del", "default", "dev", "media0"], check=True)


def _send_to(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"", (address, 9))


def outside(addresses: set[str]) -> set[str]:
    return {a for a in addresses if not a.startswith(("127.", "10.77.0.", "224.", "0.", "255."))}


@inside_only
def test_nothing_outside_is_contacted_and_no_stun_server_unless_it_is_named() -> None:
    with captured() as reached, stun_server(ADDRESSES[1]) as (port, asked):
        with running("echo") as server:
            for path in ("/ice_servers", f"{PATH}/ice_servers"):
                assert httpx.get(f"{server.url}{path}").json() == {"ice_servers": []}
            play(server.url)
            assert "token=" not in server.log
            # Both addresses of `localhost`, and none of the machine's others.
            own = int(server.url.rpartition(":")[2])
            assert httpx.get(f"http://[::1]:{own}/health").status_code == 200
            with socket.socket() as probe:
                assert probe.connect_ex((ADDRESSES[0], own)) != 0
            _refuses_websockets(server)
            _leaves_in_spite_of_streams(server)
        assert asked == []
        assert outside(reached) == set()

        # And the eyes of this test are open:
        url = f"stun:{ADDRESSES[1]}:{port}"
        found: set[tuple[str, str]] = set()
        for _ in range(3):  # an answer waits a second for a STUN server; a busy machine may need more
            with running("echo", "--stun-server", url, "--stun-server", "stun:192.0.2.7:3478") as server:
                told = httpx.get(f"{server.url}{PATH}/ice_servers").json()
                assert told == {"ice_servers": [{"uris": [url]}, {"uris": ["stun:192.0.2.7:3478"]}]}
                client = play(server.url)
            found |= {(words[4], words[7]) for words in candidates(client.remote)}  # type: ignore[attr-defined]
            if ("203.0.113.9", "srflx") in found:
                break
        assert asked
        assert ("203.0.113.9", "srflx") in found
    assert outside(reached) == {"192.0.2.7"}


def _refuses_websockets(server: Server) -> None:
    headers = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert httpx.get(f"{server.url}/nothing", headers=headers).status_code == 404
    assert "Traceback" not in server.log


def _leaves_in_spite_of_streams(server: Server) -> None:
    """SIGTERM with two open streams of events."""
    address = f"{server.url}/events"
    with (
        httpx.Client(timeout=10) as http,
        http.stream("GET", address) as first,
        http.stream("GET", address) as other,
    ):
        lines, more = first.iter_lines(), other.iter_lines()
        assert next(lines) == next(more) == "retry: 1000"
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        rest = "\n".join(lines)
        server.process.wait(10)
        assert time.monotonic() - began < 2
    assert '"to":"TERMINATED"' in rest


# --- TURN ---


def relay(url: str, username: str, credential: str) -> RTCConfiguration:
    return RTCConfiguration(
        iceServers=[RTCIceServer(urls=url, username=username, credential=credential)],
        iceTransportPolicy=RTCIceTransportPolicy.RELAY,
    )


def from_server(server: Server, policy: RTCIceTransportPolicy) -> RTCConfiguration:
    """What a client makes of `/ice_servers`."""
    told = httpx.get(f"{server.url}{PATH}/ice_servers").json()["ice_servers"]
    return RTCConfiguration(
        iceServers=[
            RTCIceServer(e["uris"], e["credentials"]["username"], e["credentials"]["password"]) for e in told
        ],
        iceTransportPolicy=policy,
    )


def assert_relayed(client: Any) -> None:
    found = candidates(client.remote)
    assert {words[7] for words in found} == {"relay"}
    assert all(RELAYS[0] <= int(words[5]) <= RELAYS[1] for words in found)
    assert client.pair == ("relay", "relay")


@inside_only
def test_relay_only_with_a_static_credential(tmp_path: Path) -> None:
    with turn_server(ADDRESSES[0], tmp_path, "--lt-cred-mech", "--user=ada:lovelace") as url:
        options = ("--turn-server", f"ada;lovelace;{url}", "--ice-transport-policy", "relay")
        with running("echo", *options) as server:
            told = httpx.get(f"{server.url}{PATH}/ice_servers").json()
            assert told == {
                "ice_servers": [{"uris": [url], "credentials": {"username": "ada", "password": "lovelace"}}]
            }
            assert_relayed(play(server.url, from_server(server, RTCIceTransportPolicy.RELAY)))


@inside_only
def test_relay_only_with_short_lived_credentials_of_a_shared_secret(tmp_path: Path) -> None:
    with turn_server(
        ADDRESSES[0], tmp_path, "--use-auth-secret", "--static-auth-secret=between-us", "-v"
    ) as url:
        options = (
            "--turn-server",
            url,
            "--turn-secret",
            "between-us",
            "--ice-transport-policy",
            "relay",
        )
        with running("echo", *options) as server:
            [told] = httpx.get(f"{server.url}{PATH}/ice_servers").json()["ice_servers"]
            expires, _, name = told["credentials"]["username"].partition(":")
            assert 3540 < int(expires) - time.time() <= 3600
            assert name
            assert "between-us" not in str(told)
            assert_relayed(play(server.url, from_server(server, RTCIceTransportPolicy.RELAY)))
            assert "between-us" not in server.log
        log = (tmp_path / "coturn.log").read_text()
        # Each request has credentials of its own: those of the player are as old as its request.
        used = {int(at) for at in re.findall(rf"user <(\d+):{re.escape(name)}>", log)}
        assert used
        assert all(0 <= at - int(expires) < 60 for at in used)
        assert "incorrect credentials" not in log


@inside_only
def test_turn_beside_direct_paths_uses_the_direct_one(tmp_path: Path) -> None:
    with (
        turn_server(ADDRESSES[0], tmp_path, "--lt-cred-mech", "--user=ada:lovelace") as url,
        running("echo", "--turn-server", f"ada;lovelace;{url}") as server,
    ):
        client = play(server.url)

    # The engine stops gathering when a direct path is there, so its answer may name no relay at all.
    assert "relay" not in client.pair  # type: ignore[attr-defined]


@pytest.mark.usefixtures("process_put_back")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--ice-transport-policy", "relay"), "needs a --turn-server"),
        (("--turn-server", "turn:10.77.0.1"), "--turn-secret"),
        (("--turn-server", "ada;secret-word;http://x"), "--turn-server must be"),
        (("--stun-server", "10.77.0.1"), "stun:host:3478"),
        (("--webrtc-port-range", "5:1"), "ports go from"),
        (("--advertise-ip", "x"), "no IPv4 address"),
        (("--allow-origin", "app.example"), "is no origin"),
        (("--allow-origin", "*"), "is no origin"),
    ],
)
def test_options_that_do_not_fit_are_a_sentence(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    with pytest.raises(SystemExit) as status:
        main(["run", "-p", str(MODELS / "echo"), "--port", "0", *options])
    said = capsys.readouterr().err

    assert status.value.code in (1, 2)
    assert words in said
    assert "secret-word" not in said


# --- tokens ---


@inside_only
def test_off_loopback_a_token_is_made_printed_once_and_asked_for() -> None:
    server = Server(MODELS / "echo", "--host", ADDRESSES[0], "-v")
    try:
        _wait_for_token(server)
        [(page, token)] = re.findall(r"Open (http://\S+)/\?token=(\S+)", server.log)
        assert page == server.url
        assert len(token) >= 32
        assert httpx.get(f"{server.url}/session").status_code == 401
        assert httpx.post(f"{server.url}/start_session").status_code == 401
        deadline = time.monotonic() + 20
        while httpx.get(f"{server.url}/health?token={token}").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with httpx.Client(base_url=server.url) as browser:
            assert browser.get(f"/?token={token}").status_code == 200
            assert browser.get("/session").status_code == 200
            assert browser.post("/start_session").json()["session_id"] != "local"
            assert browser.get("/session", headers={"host": "evil.example"}).status_code == 421
        held = {"authorization": f"Bearer {token}"}
        assert httpx.post(f"{server.url}/stop_session", headers=held).status_code == 200
    finally:
        assert server.stop() == 0
    assert server.log.count(token) == 1


def _wait_for_token(server: Server) -> None:
    deadline = time.monotonic() + 10
    while "token=" not in server.log:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.02)
