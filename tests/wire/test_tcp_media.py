"""Media over TCP on the HTTP port, where nothing else is open."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiortc import RTCPeerConnection
from tests.browser.pages import until
from tests.chromium import launched
from tests.media.fakes import until as until_true

from reactor_runtime.runtimes.doctor import examine_url

from .browser import find_chromium
from .server import Server, running
from .test_network import candidates, inside_only
from .tunnel import Tunnel, tunnel

CHROMIUM = find_chromium()
PROJECT = "echo"
OPTIONS = ("--offers-per-minute", "0")
pytestmark = [
    pytest.mark.wire,
    pytest.mark.usefixtures("free_slot"),
    pytest.mark.skipif(CHROMIUM is None, reason="Needs Debian's chromium or CHROMIUM=."),
    inside_only,
    pytest.mark.timeout(300),
]
WAIT_MS = 30_000

PAIR = """async () => {
  const report = [...(await window.peers.at(-1).getStats()).values()];
  const of = (id) => report.find((each) => each.id === id);
  const pair = of(report.find((each) => each.type === "transport").selectedCandidatePairId);
  const {protocol, port, address, candidateType: type} = of(pair.remoteCandidateId);
  const {protocol: local} = of(pair.localCandidateId);
  return {protocol, port, address, type, local, rtt: pair.currentRoundTripTime};
}"""
KEEP_PEERS = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.peers.push(this); window.begunAt = performance.now(); }
};"""


@contextmanager
def page(through: Tunnel, query: str = "") -> Iterator[Any]:
    with launched(through.chromium) as browser:
        page = browser.new_page()
        page.set_default_timeout(WAIT_MS)
        page.add_init_script(KEEP_PEERS)
        page.goto(f"{through.url}/{query}")
        yield page


def frames(page: Any) -> int:
    return int(page.evaluate("document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"))


def plays(page: Any, more: int = 20) -> None:
    """So many more pictures are shown, without a click."""
    page.locator("html[data-phase=live]").wait_for()
    wanted = frames(page) + more
    counted = "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"
    until(page, f"{counted} >= {wanted}", limit=WAIT_MS / 1000)


def carried_by(page: Any, protocol: str) -> None:
    """Its media come so now, or soon: a connection may begin over TCP before UDP wins."""
    until(page, f"({PAIR})().then((pair) => pair.protocol === '{protocol}')", limit=WAIT_MS / 1000)


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


def metric(url: str, name: str) -> float:
    for line in httpx.get(f"{url}/metrics").text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[-1])
    raise AssertionError(f"no {name}")


def steps(url: str) -> Counter[tuple[str, str]]:
    """How many clients came how far, as an operator reads it."""
    found = re.findall(
        r'^reactor_connecting_total\{outcome="(\w+)",step="(\w+)"\} (\S+)$',
        httpx.get(f"{url}/metrics").text,
        re.M,
    )
    return Counter({(step, outcome): int(float(number)) for outcome, step, number in found})


def test_every_step_of_a_client_is_in_the_metrics(server: Server) -> None:
    assert CHROMIUM is not None
    before = steps(server.url)
    with page(Tunnel(server.url, CHROMIUM)) as opened:
        plays(opened)
        until_true(lambda: ("first_frame", "ok") in steps(server.url) - before)
    gained = steps(server.url) - before
    assert gained == {(step, "ok"): 1 for step in ("offer", "ice", "dtls", "channel", "first_frame")}
    server.stop_session()
    httpx.post(f"{server.url}/start_session", json={}).raise_for_status()
    assert httpx.post(f"{server.url}/sdp_params", json={"sdp": "?", "type": "offer"}).status_code == 400
    assert steps(server.url) - before - gained == {("offer", "refused"): 1}
    server.stop_session()


def test_an_address_that_asks_for_udp_gets_no_other(server: Server, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    with tunnel(port_of(server), CHROMIUM, tmp_path) as through, page(through, "?wire=udp") as opened:
        words = opened.locator(".veil").get_by_text("without ?wire=udp the page also tries TCP")
        words.wait_for()
        assert opened.evaluate("window.peers.length") == 1, "it is told before the browser gives up"
        assert opened.locator("html").get_attribute("data-phase") == "noroute"


def test_an_address_that_asks_for_tcp_gets_it_where_udp_would_do(server: Server) -> None:
    assert CHROMIUM is not None
    here = Tunnel(server.url, CHROMIUM)
    with page(here, "?wire=tcp") as opened:
        plays(opened)
        carried_by(opened, "tcp")
        opened.get_by_text("because the address asks for it (?wire=tcp)").first.wait_for()
    server.stop_session()
    with page(here) as opened:
        plays(opened)
        carried_by(opened, "udp")


# --- what the answers say ---


def answered(server: Server, host: str = "", *, headers: dict[str, str] | None = None) -> list[list[str]]:
    """The candidates of an answer, for a client that names the server so."""

    async def offer() -> str:
        peer = RTCPeerConnection()
        peer.addTransceiver("video", direction="recvonly")
        await peer.setLocalDescription(await peer.createOffer())
        sdp = peer.localDescription.sdp
        await peer.close()
        return re.sub(r"a=candidate.*\r\n", "", sdp)

    with httpx.Client(
        base_url=server.url, headers={"host": host or server.url[7:], **(headers or {})}
    ) as http:
        http.post("/start_session", json={}).raise_for_status()
        answer = http.post("/sdp_params", json={"sdp": asyncio.run(offer()), "type": "offer"}).json()["sdp"]
    return candidates(answer)


def over_tcp(found: list[list[str]]) -> set[tuple[str, str]]:
    return {(words[4], words[5]) for words in found if words[2] == "tcp"}


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost:18080", ("127.0.0.1", "18080")),
        ("127.0.0.1:18080", ("127.0.0.1", "18080")),
        ("[::1]:18080", ("::1", "18080")),
    ],
)
def test_the_answer_leads_where_the_client_reached_us(
    server: Server, host: str, address: tuple[str, str]
) -> None:
    found = answered(server, host)
    assert over_tcp(found) == {address}
    assert {words[4] for words in found if words[2] == "udp"} >= {"10.77.0.1", "10.77.0.2"}


def test_a_proxy_is_told_of_udp_alone(server: Server) -> None:
    assert over_tcp(answered(server, headers={"x-forwarded-for": "203.0.113.7"})) == set()


@pytest.mark.parametrize(
    ("options", "host", "tcp", "udp"),
    [
        (("--no-tcp-media",), "", False, True),
        (("--wire", "udp"), "", False, True),
        (("--wire", "tcp"), "", True, False),
        (("--allow-host", "gpu.example"), "gpu.example", False, True),
        (("--impair", "rtt=10"), "", False, True),
    ],
)
def test_options_choose_the_wire(options: tuple[str, ...], host: str, tcp: bool, udp: bool) -> None:
    with running("echo", *options) as server:
        found = answered(server, host)
        server.stop_session()
        doctor = examine_url(server.url)[-1].level
    assert (doctor == "ok") == (tcp or options[0] == "--allow-host"), (
        "a name that leads nowhere is the client's"
    )
    assert bool(over_tcp(found)) == tcp
    assert any(words[2] == "udp" for words in found) == udp


def test_advertised_address_and_port_win() -> None:
    with running("echo", "--advertise-ip", "203.0.113.9", "--advertise-port", "41234") as server:
        found = answered(server)
        server.stop_session()
    assert over_tcp(found) == {("203.0.113.9", "41234")}


# --- who else uses it ---


@pytest.mark.timeout(300)
def test_ten_at_once_over_one_port(tmp_path: Path) -> None:
    assert CHROMIUM is not None
    options = ("--offers-per-minute", "0", "--viewers", "9", "--wire", "tcp")
    with (
        running("echo", *options) as server,
        tunnel(port_of(server), CHROMIUM, tmp_path) as through,
        launched(through.chromium) as browser,
    ):
        pages: list[Any] = []
        for _ in range(10):
            page = browser.new_page()
            page.set_default_timeout(WAIT_MS)
            page.goto(through.url)
            if pages:
                page.get_by_role("button", name="Watch").click()
            page.locator("html[data-phase=live]").wait_for()
            pages.append(page)
        for page in pages:
            plays(page, 5)
        assert metric(server.url, "reactor_tcp_media_connections") == 10
        for page in pages:
            page.close()
